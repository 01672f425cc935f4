"""Whether a screen reader reads out what we print: then to speak it as well would be a second voice."""

import asyncio
import os
from collections.abc import Callable, Collection, Mapping

from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.focus.base import Focus, Kind, Target
from voice_ime_desktop.focus.null import NullFocus
from voice_ime_desktop.focus.terminal import shows
from voice_ime_desktop.this_desktop import our_programs, session_bus_of

ALOUD = "orca"
"""The screen reader of X desktops; others are for consoles, or write braille."""


class ReadOut:
    """It is read out while the screen reader runs and the terminal in which we print has the focus, and can be read.

    In doubt it is not. To be used on one event loop.
    """

    def __init__(
        self,
        focus: Callable[[], Focus],
        programs: Callable[[], Collection[str]],
        shows: Callable[[int, int], bool] = shows,
    ) -> None:
        """`focus`: makes what tells the focus, when it is first needed. `programs`: names of those that run.
        `shows`: whether a terminal emulator shows a process, both by their numbers."""
        self._make_focus = focus
        self._programs = programs
        self._shows = shows
        self._focus: Focus | None = None

    async def now(self) -> bool:
        if ALOUD not in await asyncio.to_thread(self._programs):
            return False
        focus = await self._started()
        target = await focus.target()
        return target is not None and await self._is_ours(target)

    async def stop(self) -> None:
        if self._focus is not None:
            await self._focus.stop()

    async def _is_ours(self, target: Target) -> bool:
        if target.kind is not Kind.TERMINAL or not target.readable or target.process is None:
            return False
        return await asyncio.to_thread(self._shows, target.process, os.getpid())

    async def _started(self) -> Focus:
        if self._focus is None:
            try:
                self._focus = self._make_focus()
                await self._focus.start()
            except (DesktopUnavailable, ImportError):
                self._focus = NullFocus()
        return self._focus


def read_out_of(environment: Mapping[str, str]) -> ReadOut:
    """For the desktop to which the environment belongs."""
    return ReadOut(lambda: _focus_of(environment), our_programs)


def _focus_of(environment: Mapping[str, str]) -> Focus:
    """ImportError where the packages of the desktop client are missing."""
    from voice_ime_desktop.accessibility import Accessibility
    from voice_ime_desktop.focus.active_window import ActiveWindow
    from voice_ime_desktop.focus.atspi import AtspiFocus
    from voice_ime_desktop.focus.terminal import hidden_input

    accessibility = Accessibility(session_bus_of(environment))
    return AtspiFocus(accessibility, ActiveWindow(environment.get("DISPLAY", "")), hidden_input)
