"""The way of one text: noted, inserted, checked, noted again. Whatever happens, the journal knows."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from voice_ime.errors import StoreError
from voice_ime_desktop.focus.base import Focus, Refusal, Target
from voice_ime_desktop.insert.base import Place, Swap
from voice_ime_desktop.insert.inserter import Held, Inserted, Inserter, Outcome, Refused
from voice_ime_desktop.journal import AVAILABLE, Entry, Journal, State

SECRET: tuple[Refusal, ...] = ("password", "hidden_input")
"""What is said there is not noted."""
NOT_NOTED = 0
"""Number of an entry that the journal could not take."""


@dataclass(frozen=True)
class Delivered:
    """What became of a text, and where it was meant to go."""

    entry: Entry
    target: Target | None
    place: Place | None = None
    """Where it was read back; None where it was not."""


@dataclass(frozen=True)
class _Insertion:
    """The last one: it can be undone."""

    entry: Entry
    place: Place


class Delivery:
    """One text at a time. All calls belong on one event loop."""

    def __init__(self, journal: Journal, inserter: Inserter, focus: Focus) -> None:
        self._journal = journal
        self._inserter = inserter
        self._focus = focus
        self._last: _Insertion | None = None

    async def deliver(
        self,
        text: str,
        target: Target | None,
        refusal: Refusal | None,
        safe: Callable[[], None],
        trouble: Callable[[StoreError], None],
    ) -> Delivered:
        """Put `text` into `target`, which had the focus when the key went down.

        `safe` is called once it is noted. `trouble` is told where it cannot be noted: the person gets the words all the
        same.
        """
        application = target.application if target is not None else ""
        noted = "" if refusal in SECRET else text
        try:
            entry = await asyncio.to_thread(self._journal.intend, noted, application)
        except StoreError as error:
            trouble(error)
            entry = Entry(NOT_NOTED, 0.0, noted, application, State.INTENDED, None)
        safe()
        if refusal is not None:
            return await self._settle(entry, Refused(refusal), target)
        if target is None:
            return await self._settle(entry, None, None)
        return await self._settle(entry, await self._inserter.insert(target, text), target)

    async def insert_held(self) -> Delivered | None:
        """Put the latest held text where the focus is now; None: there is none."""
        entry = await asyncio.to_thread(self._journal.newest_available)
        return None if entry is None else await self.insert_entry(entry.number)

    async def insert_entry(self, number: int) -> Delivered | None:
        """Put a held text of the journal where the focus is now; None: it is not held. LookupError: no such entry."""
        entry = await asyncio.to_thread(self._journal.entry, number)
        if entry.state not in AVAILABLE or not entry.text:
            return None
        target = await self._focus.target()
        refusal = None if target is None else await self._focus.refusal(target)
        if target is None or refusal is not None:
            return Delivered(await self._noted(entry, State.HELD, refusal or "nothing_focused"), target)
        text = entry.text.strip()
        await self._noted(entry, State.INTENDED, None)
        return await self._settle(entry, await self._inserter.insert(target, text), target)

    async def undo(self) -> Entry | None:
        """Take the last insertion out again; None: there is none, or it no longer stands there as it was inserted."""
        last = self._last
        if last is None or not await self._inserter.undo(last.place, last.entry.text):
            return None
        self._last = None
        return await self._noted(last.entry, State.UNDONE, None)

    async def correct(self, number: int, text: str, swap: Swap) -> Delivered:
        """Make `swap` in `text`, that of the entry `number`, where it was put, else hold what comes of it.

        `text`: without blanks around it. What was corrected is a new entry, noted before anything is changed; the old
        one is no longer there to be inserted. StoreError: it could not be noted, and nothing was changed.
        """
        old = await self._known(number)
        last = self._last if self._last is not None and self._last.entry.number == number else None
        application = old.application if old is not None else last.entry.application if last is not None else ""
        new = await asyncio.to_thread(self._journal.intend, swap.within(text), application)
        if old is not None and old.state in AVAILABLE:
            held = await self._noted(new, old.state, old.reason)
            await asyncio.to_thread(self._journal.forget, number)
            return Delivered(held, None)
        if last is None or last.entry.text.strip() != text:
            unseen = old is not None and old.state is State.UNVERIFIED
            return await self._settle(new, Held("no_change" if unseen else "not_there"), None)
        further = len(last.entry.text) - len(last.entry.text.lstrip())
        outcome = await self._inserter.swap(last.place, last.entry.text, swap.further(further))
        if isinstance(outcome, Inserted):
            await self._noted(last.entry, State.UNDONE, None)
        return await self._settle(new, outcome, last.place.target)

    async def _known(self, number: int) -> Entry | None:
        try:
            return await asyncio.to_thread(self._journal.entry, number)
        except LookupError:
            return None

    async def _settle(self, entry: Entry, outcome: Outcome | None, target: Target | None) -> Delivered:
        place: Place | None = None
        match outcome:
            case Inserted():
                place = outcome.place
                entry = await self._noted(entry, State.VERIFIED if outcome.verified else State.UNVERIFIED, None)
                entry = replace(entry, text=outcome.text)
                self._last = None if place is None else _Insertion(entry, place)
            case Held():
                entry = await self._noted(entry, State.HELD, outcome.reason)
            case None:
                entry = await self._noted(entry, State.HELD, "no_target")
            case Refused():
                entry = await self._noted(entry, State.REFUSED, outcome.refusal)
        return Delivered(entry, target, place)

    async def _noted(self, entry: Entry, state: State, reason: str | None) -> Entry:
        if entry.number == NOT_NOTED:
            return replace(entry, state=state, reason=reason)
        try:
            return await asyncio.to_thread(self._journal.settle, entry.number, state, reason)
        except LookupError:  # the person erased it meanwhile
            return replace(entry, state=state, reason=reason)
