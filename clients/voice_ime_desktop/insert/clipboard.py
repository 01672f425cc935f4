"""Putting text into a window by pasting: the last way, for programs that nothing else reaches.

What the clipboard held is given back in every form it had. Where that cannot be done (more than 200,000 bytes, or its
owner does not answer) nothing is pasted: the text is held, and the person's clipboard is worth more.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from Xlib import XK

from voice_ime.errors import InsertionFailed
from voice_ime_desktop.focus.active_window import ActiveWindow, Window
from voice_ime_desktop.focus.base import Focus, Kind, Target
from voice_ime_desktop.insert.base import Way
from voice_ime_desktop.insert.selections import NotFetched, NotRestorable, Selections


@dataclass(frozen=True)
class _Paste:
    """How a program is told to paste."""

    keys: tuple[int, ...]
    selections: tuple[str, ...] = ("CLIPBOARD",)


_CTRL_V = _Paste((XK.XK_Control_L, XK.XK_v))
_CTRL_SHIFT_V = _Paste((XK.XK_Control_L, XK.XK_Shift_L, XK.XK_v))
_SHIFT_INSERT = _Paste((XK.XK_Shift_L, XK.XK_Insert), ("PRIMARY", "CLIPBOARD"))
_BY_CLASS = {
    "xterm": _SHIFT_INSERT,
    "uxterm": _SHIFT_INSERT,
    "urxvt": _SHIFT_INSERT,
    "alacritty": _CTRL_SHIFT_V,
    "kitty": _CTRL_SHIFT_V,
    "emacs": _Paste((XK.XK_Control_L, XK.XK_y)),
    "tk": _CTRL_V,
}
"""Programs that accessibility does not show, by the class of their windows. In others a key might do anything."""


_ANSWERS_WITHIN_S = 1.0


class ClipboardWay(Way):
    name = "clipboard"

    def __init__(self, display: str, focus: Focus | None = None) -> None:
        """`display`: name of the X display, e.g. ":0". `focus`: asked once more right before the keys are pressed."""
        self._focus = focus
        self._selections = Selections(display)
        self._windows = ActiveWindow(display)

    async def start(self) -> None:
        self._selections.start()
        self._windows.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._selections.stop)
        self._windows.stop()

    async def can(self, target: Target) -> bool:
        return (window := self._windows.window()) is not None and _paste(target, window) is not None

    async def insert(self, target: Target, text: str) -> None:
        window = self._windows.window()
        how = _paste(target, window) if window is not None else None
        if window is None or how is None:
            raise InsertionFailed(self.name)
        try:
            await asyncio.wrap_future(
                self._selections.paste(text, how.selections, how.keys, window.number, self._looking(target, window))
            )
        except (NotFetched, NotRestorable) as error:
            raise InsertionFailed(self.name) from error

    def _looking(self, target: Target, window: Window) -> Callable[[], bool]:
        """For another thread: whether `target` still has the focus. Fetching what the clipboard holds, and waiting for
        keys that are held, takes long enough to get to the next field."""
        loop = asyncio.get_running_loop()

        def still_there() -> bool:
            asked = asyncio.run_coroutine_threadsafe(self._still_there(target, window), loop)
            try:
                return asked.result(_ANSWERS_WITHIN_S)
            except TimeoutError:
                asked.cancel()
                return False

        return still_there

    async def _still_there(self, target: Target, window: Window) -> bool:
        if self._focus is not None:
            now = await self._focus.target()
            if now is None or now.key != target.key or await self._focus.refusal(now) is not None:
                return False
        return self._windows.window() == window


def _paste(target: Target, window: Window) -> _Paste | None:
    if target.kind is Kind.TERMINAL:
        return _CTRL_SHIFT_V
    if target.kind is Kind.TEXT:
        return _CTRL_V
    return _BY_CLASS.get(window.program.lower()) if target.kind is Kind.UNKNOWN else None
