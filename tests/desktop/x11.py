"""The person at the private screen: presses keys, goes from window to window."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from Xlib import XK, X  # type: ignore[import-untyped,unused-ignore]
from Xlib.display import Display  # type: ignore[import-untyped,unused-ignore]
from Xlib.error import XError  # type: ignore[import-untyped,unused-ignore]
from Xlib.ext import xtest  # type: ignore[import-untyped,unused-ignore]
from Xlib.protocol import event  # type: ignore[import-untyped,unused-ignore]

Value = TypeVar("Value")


def until(found: Callable[[], Value], what: str, within_s: float = 20) -> Value:
    """Looks until `found` gives something true, and gives that; TimeoutError says that `what` did not come."""
    end = time.monotonic() + within_s
    pause = threading.Event()
    while not (value := found()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {within_s} s")
        pause.wait(0.01)
    return value


class Screen:
    """One connection to the X server; for one thread."""

    def __init__(self, name: str) -> None:
        self._display: Any = Display(name)
        self._root = self._display.screen().root

    def close(self) -> None:
        self._display.close()

    # --- keys

    def press(self, key: str) -> None:
        """`key` is a keysym's name: "Pause", "a", "Control_L"."""
        self._fake(X.KeyPress, key)

    def release(self, key: str) -> None:
        self._fake(X.KeyRelease, key)

    def tap(self, *keys: str) -> None:
        """All down in this order, then up again: tap("Control_L", "v")."""
        for key in keys:
            self.press(key)
        for key in reversed(keys):
            self.release(key)

    def type(self, text: str) -> None:
        """Small letters, digits and blanks."""
        for character in text:
            self.tap({" ": "space"}.get(character, character))

    def held(self) -> bool:
        """Whether any key is down."""
        return any(self._display.query_keymap())

    def _fake(self, kind: int, key: str) -> None:
        code = self._display.keysym_to_keycode(XK.string_to_keysym(key))
        if not code:
            raise ValueError(f"this keyboard has no {key}")
        xtest.fake_input(self._display, kind, code)
        self._display.sync()

    # --- windows

    def active(self) -> int | None:
        """The window that has the focus."""
        found = self._property(self._root, "_NET_ACTIVE_WINDOW")
        return int(found[0]) if found and found[0] else None

    def windows(self) -> dict[int, int]:
        """Window -> process id, 0 where it does not tell."""
        made = {}
        for number in self._property(self._root, "_NET_CLIENT_LIST"):
            process = self._property(self._display.create_resource_object("window", number), "_NET_WM_PID")
            made[int(number)] = int(process[0]) if process else 0
        return made

    def activate(self, window: int, within_s: float = 10) -> None:
        """Give `window` the focus, as a click on it in a task bar would; returns when it has it."""
        data = (32, [2, X.CurrentTime, 0, 0, 0])
        message = event.ClientMessage(
            window=self._display.create_resource_object("window", window),
            client_type=self._atom("_NET_ACTIVE_WINDOW"),
            data=data,
        )
        self._root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.sync()
        until(lambda: self.active() == window, "the focus", within_s)

    def managed(self) -> bool:
        """Whether a window manager is there; without one no window gets the focus."""
        return bool(self._property(self._root, "_NET_SUPPORTING_WM_CHECK"))

    def has_input_method(self) -> bool:
        """Whether programs that use XIM will find one: those that look too early never do."""
        return bool(self._property(self._root, "XIM_SERVERS"))

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))

    def _property(self, window: Any, name: str) -> list[int]:
        try:
            found = window.get_full_property(self._atom(name), X.AnyPropertyType)
        except XError:  # the window is gone
            return []
        return list(found.value) if found is not None else []
