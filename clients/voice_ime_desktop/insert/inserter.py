"""From a text to a known outcome: the guard, the order of the ways, and the look whether it arrived.

The rules: the same object has the focus as when the person began to talk, else the text is held. What must not be
written into is asked again right before. Another way is tried only when one certainly did nothing; never on top of one
that may have worked, which would double the text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from voice_ime.errors import DesktopUnavailable, InsertionFailed, InsertionRefused
from voice_ime_desktop.focus.base import Focus, Kind, Refusal, Target
from voice_ime_desktop.insert.base import Place, ReadBack, Swap, Way

_LINE_BREAKS = re.compile(r"\s*[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+\s*")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f\x80-\x84\x86-\x9f]")
"""Keys of a terminal, e.g. escape; never part of a dictated text. Tab is kept for documents."""

HeldReason = Literal[
    "nothing_focused", "focus_moved", "no_way", "no_answer", "not_arrived", "empty", "not_there", "no_change",
    "perhaps_inserted",
]  # fmt: skip
"""no_way: nothing leads into this window. no_answer: the program hangs. not_arrived: it was sent, and is not where it
should be. not_there: what was to be changed does not stand there any more. no_change: the program lets nobody change
its text. perhaps_inserted: it was changed, and does not read as it should."""


@dataclass(frozen=True)
class Inserted:
    """The text is in the field."""

    verified: bool
    """Read back there; False: this field cannot be read."""
    way: str
    text: str
    """As it was put in: without line breaks where they do not belong."""
    place: Place | None = None
    """Where it stands; None where that cannot be read."""


@dataclass(frozen=True)
class Held:
    """The text is not in the field, or perhaps."""

    reason: HeldReason
    perhaps: bool = False
    """Whether it may be in the field all the same."""


@dataclass(frozen=True)
class Refused:
    """Nothing may be put there; not one character was sent."""

    refusal: Refusal


Outcome = Inserted | Held | Refused


class Inserter:
    def __init__(self, focus: Focus, read_back: ReadBack, ways: Sequence[Way]) -> None:
        """`ways`: the best first."""
        self._focus = focus
        self._read_back = read_back
        self._ways = ways

    async def start(self) -> list[DesktopUnavailable]:
        """Get the ways ready. Those that are not open here are told, and asked again at each insertion."""
        missing = []
        for way in self._ways:
            try:
                await way.start()
            except DesktopUnavailable as error:
                missing.append(error)
        return missing

    async def stop(self) -> None:
        for way in self._ways:
            await way.stop()

    async def insert(self, target: Target | None, text: str) -> Outcome:
        """Put `text` into `target`, which had the focus when the person began to talk."""
        if (stopped := await self._guarded(target)) is not None:
            return stopped
        assert target is not None
        fitting = fit(text, target)
        if not fitting:
            return Held("empty")
        for way in self._ways:
            if await way.can(target) and (outcome := await self._through(way, target, fitting)) is not None:
                return outcome
        return await self._guarded(target) or Held("no_way")

    async def undo(self, place: Place, text: str) -> bool:
        """Take `text` out again, only if it stands where it was put; whether it is gone."""
        return await self._read_back.remove(place, text)

    async def swap(self, place: Place, text: str, swap: Swap) -> Outcome:
        """Make `swap` in `text`, only if that stands where it was put; the focus may be elsewhere by now."""
        target = place.target
        refusal = await self._focus.refusal(target)
        if target.kind is Kind.PASSWORD or refusal is not None:
            return Refused(refusal or "password")
        if not target.editable:
            return Held("no_change")
        fitting = replace(swap, by=fit(swap.by, target))
        match await self._read_back.swap(place, text, fitting):
            case "done":
                return Inserted(True, "swap", fitting.within(text), place)
            case "untouched":
                return Held("not_there")
            case "perhaps":
                return Held("perhaps_inserted", perhaps=True)

    async def _guarded(self, target: Target | None) -> Outcome | None:
        """Why nothing may be sent at this very moment."""
        if target is None:
            return Held("nothing_focused")
        now = await self._focus.target()
        if now is None or now.key != target.key:
            return Held("focus_moved")
        if target.kind is Kind.PASSWORD:  # also where it was made visible since
            return Refused("password")
        refusal = await self._focus.refusal(now)
        return Refused(refusal) if refusal is not None else None

    async def _has_focus(self, target: Target) -> bool:
        now = await self._focus.target()
        return now is not None and now.key == target.key

    async def _through(self, way: Way, target: Target, text: str) -> Outcome | None:
        """The outcome of one way; None: it certainly did nothing."""
        place = await self._read_back.place(target)
        if place is None and target.readable:
            return Held("no_answer")
        if (stopped := await self._guarded(target)) is not None:
            return stopped
        try:
            await way.insert(target, text)
        except InsertionFailed:
            return None
        except InsertionRefused as error:
            return Refused(error.refusal)
        if place is None:
            stayed = await self._has_focus(target)  # else it may have gone nowhere, or elsewhere
            return Inserted(False, way.name, text) if stayed else Held("not_arrived", perhaps=True)
        if await self._read_back.arrived(place, text):
            return Inserted(True, way.name, text, place)
        return Held("not_arrived", perhaps=True)


def fit(text: str, target: Target) -> str:
    """`text` without what does not belong there: control characters, and line breaks unless the field has lines.

    A line break would run a command in a terminal and stay invisible in a field of one line.
    """
    text = _CONTROLS.sub("", text)
    if target.multi_line and target.kind is Kind.TEXT:
        return text
    text = _LINE_BREAKS.sub(" ", text)
    return text.replace("\t", " ") if target.kind is not Kind.TEXT else text
