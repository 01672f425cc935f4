"""Keys of the X server, seen as raw events.

Never grabbed: while a key is grabbed the window loses the focus, and text that is put into it is lost without a sign in
most toolkits. So the keys reach the window as well; they should be such that do nothing there.
"""

import os
import select
import struct
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError, XauthError, XError
from Xlib.ext import ge, xinput

from voice_ime.errors import DesktopUnavailable, KeyMissing
from voice_ime_desktop.hotkeys.base import Hotkeys, OnPress, Press

OnLost = Callable[[DesktopUnavailable], None]
"""Is told on the thread of the keys that the X server is gone; no press comes after it."""

GOOD_TALK_KEYS = ("Pause", "Scroll_Lock", "XF86Launch5", "XF86Launch6", "F13", "F14", "F15", "F20")
"""Keys that are no modifiers and do nothing in most programs; the best first."""

_REPEAT_MS = 5
"""A key that goes up and down again this quickly was not moved: the keyboard repeats it."""
_LOOK_AFTER_S = 1.0
"""A key that is down is looked at when nothing has moved for so long."""
_XINPUT = (2, 2)
"""From 2.1 on raw events come also while a menu has grabbed the keyboard."""
_RAW_EVENT = struct.Struct("=HII")
"""Beginning of a raw event's data: device, server's time in ms, keycode."""

_CANNOT_CONNECT = (DisplayError, ConnectionClosedError, XauthError, XError, OSError)
_GONE = (ConnectionClosedError, OSError)


class Keys:
    """What key movements mean: presses without the keyboard's own repeats. Pure.

    A release counts only once it is certain that the same key does not follow at once: `movement` of any other event,
    or `settle`, gives it.
    """

    def __init__(self, codes: Mapping[int, Press]) -> None:
        self._codes = dict(codes)
        """Keycodes that mean something."""
        self._down: set[int] = set()
        self._going_up: tuple[int, int] | None = None
        """Keycode and time of a release that may be a repeat."""

    @property
    def down(self) -> bool:
        """Whether a key is down."""
        return bool(self._down)

    @property
    def unsettled(self) -> bool:
        """Whether a release waits for `settle`."""
        return self._going_up is not None

    def meaning(self, codes: Mapping[int, Press]) -> None:
        """The keyboard has another layout now."""
        self._codes = dict(codes)

    def movement(self, down: bool, code: int, time_ms: int) -> list[Press]:
        """A key went down or up at `time_ms`."""
        if down and self._going_up is not None:
            released, when = self._going_up
            if released == code and time_ms - when <= _REPEAT_MS:
                self._going_up = None
                return []
        presses = self.settle()
        if down:
            return presses + self._pressed(code)
        if code in self._down:
            self._going_up = (code, time_ms)
        return presses

    def settle(self) -> list[Press]:
        """Nothing followed the release: it was one."""
        if self._going_up is None:
            return []
        (code, _), self._going_up = self._going_up, None
        return self._released(code)

    def seen(self, down: Collection[int]) -> list[Press]:
        """These keycodes are down in truth: the release of any other was lost, e.g. with its keyboard."""
        if self._going_up is not None:
            return []
        return [press for code in self._down - set(down) for press in self._released(code)]

    def let_go(self) -> list[Press]:
        """No key can be seen any more."""
        self._going_up = None
        return self.seen(())

    def _pressed(self, code: int) -> list[Press]:
        press = self._codes.get(code)
        if press is None or code in self._down:
            return []
        self._down.add(code)
        return [press]

    def _released(self, code: int) -> list[Press]:
        self._down.discard(code)
        return [Press.TALK_UP] if self._codes.get(code) is Press.TALK_DOWN else []


class X11Hotkeys(Hotkeys):
    """Watches the keys of one X server on a thread of its own.

    `display`: its name, e.g. ":0". `keys`: the X name of the key for each press, e.g. {Press.TALK_DOWN: "Pause"}; that
    key going up is TALK_UP. An empty name: no key. CANCEL is Escape unless it is given.
    """

    def __init__(self, display: str, keys: Mapping[Press, str], on_lost: OnLost | None = None) -> None:
        self._name = display
        self._keys = {Press.CANCEL: "Escape", **keys}
        self._on_lost = on_lost
        self._thread: threading.Thread | None = None
        self._wake = -1

    def start(self, on_press: OnPress) -> None:
        """DesktopUnavailable("display", reason), KeyMissing."""
        self.stop()
        display = _connected(self._name)
        try:
            keys = Keys(self._required_codes(display))
            _select(display)
        except BaseException:
            display.close()
            raise
        asleep, self._wake = os.pipe()
        self._thread = threading.Thread(
            target=self._watch, args=(display, keys, on_press, asleep), name="hotkeys", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        os.close(self._wake)  # the other end becomes readable
        if thread is not threading.current_thread():
            thread.join()

    def _required_codes(self, display: Any) -> dict[int, Press]:
        codes: dict[int, Press] = {}
        for press, name in self._keys.items():
            found = _codes(display, name) if name else []
            if name and not found:
                raise KeyMissing(name)
            codes |= dict.fromkeys(found, press)
        return codes

    # --- on the thread of its own

    def _watch(self, display: Any, keys: Keys, on_press: OnPress, asleep: int) -> None:
        try:
            self._watch_until_woken(display, keys, on_press, asleep)
        except _GONE as gone:
            _tell(keys.let_go(), on_press)
            if self._on_lost is not None:
                self._on_lost(DesktopUnavailable("display", type(gone).__name__))
        finally:
            os.close(asleep)
            with suppress(*_GONE):
                display.close()

    def _watch_until_woken(self, display: Any, keys: Keys, on_press: OnPress, asleep: int) -> None:
        while True:
            while display.pending_events():
                _tell(self._moved(display, keys, display.next_event()), on_press)
            wait_s = _REPEAT_MS / 1000 if keys.unsettled else _LOOK_AFTER_S if keys.down else None
            ready, _, _ = select.select([display, asleep], [], [], wait_s)
            if asleep in ready:
                return
            if not ready:
                _tell(keys.settle() if keys.unsettled else keys.seen(_down(display)), on_press)

    def _moved(self, display: Any, keys: Keys, event: Any) -> list[Press]:
        if event.type == X.MappingNotify:
            display.refresh_keyboard_mapping(event)
            keys.meaning({code: press for press, name in self._keys.items() for code in _codes(display, name)})
        elif event.type == ge.GenericEventCode and event.evtype in (xinput.RawKeyPress, xinput.RawKeyRelease):
            _, time_ms, code = _RAW_EVENT.unpack_from(event.data)
            return keys.movement(event.evtype == xinput.RawKeyPress, code, time_ms)
        return []


def keyboard_has(display: str, name: str) -> bool:
    """Whether the X server `display` knows a key of this X name. DesktopUnavailable("display", reason)."""
    connection = _connected(display)
    try:
        return bool(_codes(connection, name))
    finally:
        connection.close()


def a_key_this_keyboard_has(display: str) -> str:
    """The best key to talk with that the X server `display` knows, else "". DesktopUnavailable("display", reason)."""
    connection = _connected(display)
    try:
        return next((name for name in GOOD_TALK_KEYS if _codes(connection, name)), "")
    finally:
        connection.close()


def _tell(presses: list[Press], on_press: OnPress) -> None:
    for press in presses:
        on_press(press)


def _connected(name: str) -> Any:
    try:
        return Display(name)
    except _CANNOT_CONNECT as error:
        raise DesktopUnavailable("display", type(error).__name__) from error


def _select(display: Any) -> None:
    """Ask for the raw key events of all keyboards."""
    if not display.has_extension("XInputExtension"):
        raise DesktopUnavailable("display", "no XInput")
    opcode = display.display.get_extension_major("XInputExtension")
    major, minor = _XINPUT
    try:
        xinput.XIQueryVersion(display=display.display, opcode=opcode, major_version=major, minor_version=minor)
        mask = xinput.RawKeyPressMask | xinput.RawKeyReleaseMask
        display.screen().root.xinput_select_events([(xinput.AllMasterDevices, mask)])
        display.sync()
    except _CANNOT_CONNECT as error:
        raise DesktopUnavailable("display", type(error).__name__) from error


def _codes(display: Any, name: str) -> list[int]:
    """Keycodes of the keys that have this X name without a modifier."""
    symbol = _symbol(name)
    if symbol == X.NoSymbol:
        return []
    return [code for code, level in display.keysym_to_keycodes(symbol) if level == 0]


def _symbol(name: str) -> int:
    if name.startswith("XF86"):
        XK.load_keysym_group("xf86")
        name = name.replace("XF86", "XF86_", 1)  # as that library writes them
    return int(XK.string_to_keysym(name))


def _down(display: Any) -> list[int]:
    """Keycodes of the keys that are down."""
    keymap = display.query_keymap()
    return [code for code in range(256) if keymap[code // 8] >> code % 8 & 1]
