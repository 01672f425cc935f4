"""What a person changes in the text that was inserted last, so that it can be learned from. In memory only.

The text is looked for between what stood around it, once its change is finished: when the focus has left the field,
when the person begins to talk again, or when nothing has changed for a while.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from voice_ime import protocol as wire
from voice_ime_desktop.focus.base import Kind
from voice_ime_desktop.insert.anchors import REACH, SLACK, Anchored, anchored, standing
from voice_ime_desktop.insert.base import FieldEvent, Place, ReadBack

FINISHED_S = 10.0
LONGEST = 2000
"""Characters of a text that the server takes."""

Report = Callable[[wire.Correction], None]


@dataclass
class _Watched:
    utterance: str
    place: Place
    anchored: Anchored
    stop: Callable[[], None]
    """Ends watching the field."""
    timer: asyncio.TimerHandle | None = None

    def end(self) -> None:
        self.stop()
        self.unset()

    def unset(self) -> None:
        """No look is to come."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Edits:
    """All calls belong on one event loop. Only the last insertion is watched, and each is reported once at most."""

    def __init__(self, read_back: ReadBack, report: Report, *, finished_s: float = FINISHED_S) -> None:
        """`finished_s`: a change is finished when nothing more has changed for so long."""
        self._read_back = read_back
        self._report = report
        self._finished_s = finished_s
        self._watched: _Watched | None = None
        self._look_soon: Callable[[], None] = lambda: None

    def start(self, look_soon: Callable[[], None]) -> None:
        """`look_soon` is called when it is time for `look`."""
        self._look_soon = look_soon

    def stop(self) -> None:
        """Nothing is watched any more."""
        self.forget()

    async def inserted(self, utterance: str, text: str, place: Place | None) -> None:
        """`text` of `utterance` was inserted; without a place nothing is watched from now on."""
        self.forget()
        if place is None or place.target.kind is not Kind.TEXT or len(text) > LONGEST:
            return
        stretch = await self._read_back.stretch(place.target, place.start - REACH, place.start + len(text) + REACH)
        found = anchored(stretch, text, place.start) if stretch is not None else None
        if found is not None:
            self._watched = _Watched(utterance, place, found, self._read_back.watch(place.target, self._happened))

    async def look(self) -> None:
        """The person has perhaps finished changing it."""
        watched = self._watched
        if watched is None:
            return
        watched.unset()
        now = await self._stands(watched)
        if watched is not self._watched or now == watched.anchored.text.strip():
            return  # it may be changed yet
        self.forget()
        if now and len(now) <= LONGEST:
            heard = watched.anchored.text.strip()
            self._report(wire.Correction(utterance=watched.utterance, heard=heard, meant=now))

    def chosen(self, correction: wire.Correction) -> None:
        """Nobody needs to look for it: the person has said what is meant."""
        self._report(correction)

    def forget(self) -> None:
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.end()

    async def _stands(self, watched: _Watched) -> str | None:
        """What stands there now, without blanks around it; None or empty: it is gone."""
        one = watched.anchored
        start, end = one.start - REACH - SLACK, one.start + 2 * len(one.text) + REACH + SLACK
        stretch = await self._read_back.stretch(watched.place.target, start, end)
        found = standing(one, stretch) if stretch is not None else None
        return None if found is None else found.strip()

    def _happened(self, event: FieldEvent) -> None:
        watched = self._watched
        if watched is None:
            return
        watched.unset()
        if event is FieldEvent.CHANGED:
            watched.timer = asyncio.get_running_loop().call_later(self._finished_s, self._look_soon)
        else:
            self._look_soon()
