"""Reading fields through the accessibility bus, to see whether a text arrived."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from voice_ime_desktop.accessibility import Accessibility, Event, Ref, Role
from voice_ime_desktop.bus import CallFailed, NoAnswer
from voice_ime_desktop.focus.atspi import ref_of
from voice_ime_desktop.focus.base import Kind, Target
from voice_ime_desktop.insert.anchors import Stretch
from voice_ime_desktop.insert.base import FieldEvent, OnFieldEvent, Place, ReadBack, Swap, Swapped, moved

_LOOK_AGAIN_S = 0.05
"""Programs tell when their text changes; this is for those that do not."""


class AtspiReadBack(ReadBack):
    def __init__(self, accessibility: Accessibility, *, within_s: float = 1.0) -> None:
        """`within_s`: how long a text may take to appear."""
        self._accessibility = accessibility
        self._within_s = within_s

    async def place(self, target: Target) -> Place | None:
        if (ref := _readable(target)) is None:
            return None
        try:
            selection = await self._accessibility.selection(ref)
            return Place(target, selection[0] if selection else await self._accessibility.caret(ref))
        except (CallFailed, NoAnswer):
            return None

    async def arrived(self, place: Place, text: str) -> bool:
        """Waits until `text` stands at `place` and the caret is behind it, as after typing.

        The caret is looked at because an equal text may have stood there before.
        """
        ref = _readable(place.target)
        if ref is None:
            return False
        typed = self._was_echoed if place.target.kind is Kind.TERMINAL else self._was_typed
        return await self._becomes(ref, lambda: typed(ref, place.start, text))

    async def remove(self, place: Place, text: str) -> bool:
        """Programs that do not let accessibility change their text (browsers, terminals): always False."""
        ref = _readable(place.target)
        if ref is None or not place.target.editable or place.target.kind is not Kind.TEXT or not text:
            return False
        try:
            if not await self._stands(ref, place.start, text):
                return False
            size = await self._accessibility.size(ref) - len(text)
            with suppress(NoAnswer):  # it may have worked
                await self._accessibility.delete(ref, place.start, place.start + len(text))
        except (CallFailed, NoAnswer):
            return False
        return await self._becomes(ref, lambda: self._has_size(ref, size))

    async def swap(self, place: Place, text: str, swap: Swap) -> Swapped:
        """Programs that do not let accessibility change their text (browsers, terminals): always untouched."""
        ref = _readable(place.target)
        if ref is None or not place.target.editable or place.target.kind is not Kind.TEXT or not text:
            return "untouched"
        here, whole = swap.further(place.start), swap.within(text)
        try:
            is_secret = await self._accessibility.role(ref) == Role.PASSWORD_TEXT
            if is_secret or not await self._stands(ref, place.start, text):
                return "untouched"
            size = await self._accessibility.size(ref)
            caret = moved(await self._accessibility.caret(ref), here)
        except (CallFailed, NoAnswer):
            return "untouched"
        try:
            if not await self._exchange(ref, here):
                return "untouched" if await self._reads(ref, place.start, text, size) else "perhaps"
        except (CallFailed, NoAnswer):
            return "perhaps"
        size += len(whole) - len(text)
        if not await self._becomes(ref, lambda: self._reads(ref, place.start, whole, size)):
            return "perhaps"
        await self._put_caret(ref, caret)
        return "done"

    async def _exchange(self, ref: Ref, swap: Swap) -> bool:
        """False: it was refused, and taken back as far as possible. What is new is put behind what is old: so nothing
        is lost where only half of it can be done."""
        inserted = not swap.by
        with suppress(CallFailed):
            inserted = inserted or await self._accessibility.insert(ref, swap.last, swap.by)
        if not inserted:
            return False
        with suppress(CallFailed):
            if swap.first == swap.last or await self._accessibility.delete(ref, swap.first, swap.last):
                return True
        if swap.by:
            await self._accessibility.delete(ref, swap.last, swap.last + len(swap.by))
        return False

    async def _put_caret(self, ref: Ref, caret: int) -> None:
        with suppress(CallFailed, NoAnswer):  # the text is right all the same
            if await self._accessibility.caret(ref) != caret:
                await self._accessibility.set_caret(ref, caret)

    async def stretch(self, target: Target, start: int, end: int) -> Stretch | None:
        ref = _readable(target)
        if ref is None or target.kind is not Kind.TEXT:
            return None
        try:
            if await self._accessibility.role(ref) == Role.PASSWORD_TEXT:
                return None
            first, size = max(0, start), await self._accessibility.size(ref)
            last = max(first, min(end, size))
            return Stretch(first, await self._accessibility.text(ref, first, last - first), size)
        except (CallFailed, NoAnswer):
            return None

    def watch(self, target: Target, on_event: OnFieldEvent) -> Callable[[], None]:
        ref = ref_of(target)

        def heard(event: Event) -> None:
            if ref is not None and (meaning := _meaning(event, ref)) is not None:
                on_event(meaning)

        self._accessibility.listen(heard)
        return lambda: self._accessibility.ignore(heard)

    async def _stands(self, ref: Ref, start: int, text: str) -> bool:
        return await self._accessibility.text(ref, start, len(text)) == text

    async def _was_typed(self, ref: Ref, start: int, text: str) -> bool:
        return await self._accessibility.caret(ref) == start + len(text) and await self._stands(ref, start, text)

    async def _was_echoed(self, ref: Ref, start: int, text: str) -> bool:
        """A terminal leaves a blank at the end of a line where a wide character does not fit."""
        shown = await self._accessibility.caret(ref) - start
        if not len(text) <= shown <= 2 * len(text):
            return False
        return _without_blanks(await self._accessibility.text(ref, start, shown)) == _without_blanks(text)

    async def _reads(self, ref: Ref, start: int, text: str, size: int) -> bool:
        return await self._stands(ref, start, text) and await self._has_size(ref, size)

    async def _has_size(self, ref: Ref, size: int) -> bool:
        return await self._accessibility.size(ref) == size

    async def _becomes(self, ref: Ref, true: Callable[[], Awaitable[bool]]) -> bool:
        """Looks each time the program says that something changed in the object."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._within_s
        with self._changes(ref) as changed:
            while True:
                changed.clear()
                with suppress(CallFailed, NoAnswer):
                    if await true():
                        return True
                if (left := end - clock()) <= 0:
                    return False
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, _LOOK_AGAIN_S)):
                        await changed.wait()

    @contextmanager
    def _changes(self, ref: Ref) -> Iterator[asyncio.Event]:
        changed = asyncio.Event()

        def heard(event: Event) -> None:
            if event.ref == ref:
                changed.set()

        self._accessibility.listen(heard)
        try:
            yield changed
        finally:
            self._accessibility.ignore(heard)


def _readable(target: Target) -> Ref | None:
    return ref_of(target) if target.readable and target.kind is not Kind.PASSWORD else None


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def _meaning(event: Event, ref: Ref) -> FieldEvent | None:
    """What an event means for the field `ref`; None: nothing."""
    match event.member:
        case "TextChanged" if event.ref == ref:
            return FieldEvent.CHANGED
        case "StateChanged" if event.detail == "focused" and (event.ref == ref) != bool(event.value):
            return FieldEvent.LEFT
        case "Deactivate" if event.ref.sender == ref.sender:
            return FieldEvent.LEFT
    return None
