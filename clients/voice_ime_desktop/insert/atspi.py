"""Putting text into a field through the accessibility bus, for programs that no input method reaches."""

from contextlib import suppress

from voice_ime.errors import InsertionFailed
from voice_ime_desktop.accessibility import Accessibility, Ref
from voice_ime_desktop.bus import CallFailed, NoAnswer
from voice_ime_desktop.focus.atspi import ref_of
from voice_ime_desktop.focus.base import Kind, Target
from voice_ime_desktop.insert.base import Way


class AtspiWay(Way):
    name = "atspi"

    def __init__(self, accessibility: Accessibility) -> None:
        self._accessibility = accessibility

    async def start(self) -> None:
        await self._accessibility.start()

    async def stop(self) -> None:
        """The connection is the focus's: it closes it."""

    async def can(self, target: Target) -> bool:
        return target.editable and target.kind is Kind.TEXT and ref_of(target) is not None

    async def insert(self, target: Target, text: str) -> None:
        """What is selected is replaced: the text is put behind it first, so that nothing is lost if that fails."""
        if (ref := ref_of(target)) is None:
            raise InsertionFailed(self.name)
        try:
            selection = await self._accessibility.selection(ref)
            at = selection[1] if selection else await self._accessibility.caret(ref)
        except (CallFailed, NoAnswer) as error:
            raise InsertionFailed(self.name) from error
        await self._insert(ref, at, text)
        with suppress(CallFailed, NoAnswer):  # the text does not stand where it should: reading back will tell
            if selection:
                await self._accessibility.delete(ref, *selection)
                at = selection[0]
            if await self._accessibility.caret(ref) != at + len(text):  # lines of GTK 4 leave it where it was
                await self._accessibility.set_caret(ref, at + len(text))

    async def _insert(self, ref: Ref, at: int, text: str) -> None:
        try:
            done = await self._accessibility.insert(ref, at, text)
        except CallFailed as error:
            raise InsertionFailed(self.name) from error
        except NoAnswer:
            return  # nobody knows: reading back will tell
        if not done:
            raise InsertionFailed(self.name)
