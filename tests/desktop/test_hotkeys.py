"""Keys on a real X server."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from voice_ime_desktop.hotkeys.base import Press
from voice_ime_desktop.hotkeys.x11 import GOOD_TALK_KEYS, X11Hotkeys, a_key_this_keyboard_has, keyboard_has
from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError
from Xlib.ext import xtest

from tests.desktop.virtual_display import virtual_display_process
from tests.desktop.x11 import Screen
from voice_ime.errors import DesktopUnavailable

PATIENCE_S = 10.0
PAUSE = {Press.TALK_DOWN: "Pause"}


class Told:
    """What came, on whichever thread."""

    def __init__(self) -> None:
        self.all: list[object] = []
        self._came = threading.Condition()

    def __call__(self, what: object) -> None:
        with self._came:
            self.all.append(what.code if isinstance(what, DesktopUnavailable) else what)
            self._came.notify_all()

    def wait_for(self, *what: object) -> None:
        with self._came:
            self._came.wait_for(lambda: len(self.all) >= len(what), PATIENCE_S)
        assert self.all == list(what)


@pytest.fixture
def server() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    with virtual_display_process() as server:
        yield server


@pytest.fixture
def display(server: tuple[str, object]) -> str:
    return server[0]


@pytest.fixture
def screen(display: str) -> Iterator[Screen]:
    screen = Screen(display)
    yield screen
    with suppress(ConnectionClosedError):  # the test has killed it
        screen.close()


@pytest.fixture
def told() -> Told:
    return Told()


def test_holding_the_talk_key_is_down_and_up(display: str, screen: Screen, told: Told) -> None:
    keys = X11Hotkeys(display, PAUSE)
    keys.start(told)
    screen.press("Pause")
    told.wait_for(Press.TALK_DOWN)
    screen.release("Pause")
    told.wait_for(Press.TALK_DOWN, Press.TALK_UP)
    keys.stop()


def test_escape_cancels_without_being_asked_for(display: str, screen: Screen, told: Told) -> None:
    keys = X11Hotkeys(display, PAUSE)
    keys.start(told)
    screen.press("Pause")
    screen.tap("Escape")
    told.wait_for(Press.TALK_DOWN, Press.CANCEL)
    keys.stop()


def test_a_press_without_a_key_is_left_out(display: str, screen: Screen, told: Told) -> None:
    keys = X11Hotkeys(display, PAUSE | {Press.UNDO: "", Press.REPEAT: "F6"})
    keys.start(told)
    screen.tap("F6")
    told.wait_for(Press.REPEAT)
    keys.stop()


def test_the_keys_are_seen_while_another_program_has_grabbed_the_keyboard(
    display: str, screen: Screen, told: Told
) -> None:
    """As an open menu does."""
    keys = X11Hotkeys(display, PAUSE)
    keys.start(told)
    menu = Display(display)
    grabbed = menu.screen().root.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
    assert grabbed == X.GrabSuccess
    screen.tap("Pause")
    told.wait_for(Press.TALK_DOWN, Press.TALK_UP)
    menu.close()
    keys.stop()


def test_the_talk_key_is_never_grabbed(display: str, told: Told) -> None:
    """A grab takes the focus, and text is lost: so another program must be able to grab it."""
    keys = X11Hotkeys(display, PAUSE)
    keys.start(told)
    other = Display(display)
    errors: list[object] = []
    code = other.keysym_to_keycode(XK.string_to_keysym("Pause"))
    other.screen().root.grab_key(
        code, X.AnyModifier, True, X.GrabModeAsync, X.GrabModeAsync, onerror=lambda error, _: errors.append(error)
    )
    other.sync()
    assert errors == []
    other.close()
    keys.stop()


def test_a_layout_that_puts_the_key_elsewhere_is_followed(display: str, screen: Screen, told: Told) -> None:
    keys = X11Hotkeys(display, PAUSE)
    keys.start(told)
    other = Display(display)
    place = other.keysym_to_keycode(XK.string_to_keysym("F9"))
    other.change_keyboard_mapping(place, [[XK.string_to_keysym("Pause")] * 2])
    other.sync()
    xtest.fake_input(other, X.KeyPress, place)
    xtest.fake_input(other, X.KeyRelease, place)
    other.sync()
    told.wait_for(Press.TALK_DOWN, Press.TALK_UP)
    other.close()
    keys.stop()


def test_ending_returns_though_the_talk_key_is_down(display: str, screen: Screen, told: Told) -> None:
    keys = X11Hotkeys(display, PAUSE)
    keys.start(told)
    screen.press("Pause")
    told.wait_for(Press.TALK_DOWN)
    keys.stop()
    screen.release("Pause")
    assert told.all == [Press.TALK_DOWN]


def test_the_death_of_the_display_lets_the_key_go_and_is_told(
    server: tuple[str, "subprocess.Popen[bytes]"], screen: Screen, told: Told
) -> None:
    name, process = server
    keys = X11Hotkeys(name, PAUSE, told)
    keys.start(told)
    screen.press("Pause")
    told.wait_for(Press.TALK_DOWN)
    process.kill()
    told.wait_for(Press.TALK_DOWN, Press.TALK_UP, "desktop_unavailable")
    keys.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib leaves a socket behind
def test_no_display_is_told() -> None:
    for name in (":4711", "nonsense", ""):
        with pytest.raises(DesktopUnavailable) as refused:
            X11Hotkeys(name, PAUSE).start(print)
        assert refused.value.values["part"] == "display"


def test_a_key_that_the_keyboard_does_not_know_is_told(display: str) -> None:
    with pytest.raises(DesktopUnavailable) as refused:
        X11Hotkeys(display, {Press.TALK_DOWN: "Nonsense"}).start(print)
    assert refused.value.values == {"part": "key", "reason": "Nonsense"}


def test_the_doctor_learns_which_keys_there_are(display: str) -> None:
    assert keyboard_has(display, "Pause")
    assert not keyboard_has(display, "Nonsense")
    assert a_key_this_keyboard_has(display) in GOOD_TALK_KEYS


def test_a_keyboard_without_pause_has_another_key(display: str) -> None:
    other = Display(display)
    for code, _ in list(other.keysym_to_keycodes(XK.string_to_keysym("Pause"))):
        other.change_keyboard_mapping(code, [[X.NoSymbol] * 2])
    other.sync()
    assert not keyboard_has(display, "Pause")
    assert a_key_this_keyboard_has(display) == "Scroll_Lock"
    other.close()
