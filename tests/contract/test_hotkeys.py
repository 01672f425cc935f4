"""What all hot keys must keep."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from voice_ime_desktop.hotkeys.base import Hotkeys, Press
from voice_ime_desktop.hotkeys.control import WORDS, ControlHotkeys, send
from voice_ime_desktop.hotkeys.null import NullHotkeys
from voice_ime_desktop.hotkeys.recording import RecordingHotkeys
from voice_ime_desktop.hotkeys.x11 import X11Hotkeys

from tests.desktop.virtual_display import virtual_display
from tests.desktop.x11 import Screen

PATIENCE_S = 10.0


class Noted:
    """The presses that came, on whichever thread."""

    def __init__(self) -> None:
        self.presses: list[Press] = []
        self._came = threading.Condition()

    def __call__(self, press: Press) -> None:
        with self._came:
            self.presses.append(press)
            self._came.notify_all()

    def wait_for(self, presses: Sequence[Press]) -> None:
        with self._came:
            self._came.wait_for(lambda: len(self.presses) >= len(presses), PATIENCE_S)
        assert self.presses == list(presses)


class HotkeysContract(ABC):
    """A class of tests for one kind: `hotkeys` are watched, `hand` moves a key the way a person does."""

    @pytest.fixture
    @abstractmethod
    def hotkeys(self) -> Hotkeys: ...

    @abstractmethod
    def hand(self, press: Press) -> None: ...

    heard: tuple[Press, ...] = tuple(Press)
    """The presses that this kind can have, in an order that a hand can make."""

    @pytest.fixture
    def noted(self) -> Noted:
        return Noted()

    def test_each_press_comes_once_and_in_order(self, hotkeys: Hotkeys, noted: Noted) -> None:
        hotkeys.start(noted)
        for press in self.heard:
            self.hand(press)
        noted.wait_for(self.heard)
        hotkeys.stop()

    def test_nothing_comes_before_they_are_watched(self, hotkeys: Hotkeys, noted: Noted) -> None:
        for press in self.heard:
            self.hand(press)
        hotkeys.start(noted)
        hotkeys.stop()
        assert noted.presses == []

    def test_nothing_comes_after_the_watch_has_ended(self, hotkeys: Hotkeys, noted: Noted) -> None:
        hotkeys.start(noted)
        hotkeys.stop()
        for press in self.heard:
            self.hand(press)
        assert noted.presses == []

    def test_ending_twice_or_before_the_beginning_is_nothing(self, hotkeys: Hotkeys, noted: Noted) -> None:
        hotkeys.stop()
        hotkeys.start(noted)
        hotkeys.stop()
        hotkeys.stop()

    def test_they_can_be_watched_again(self, hotkeys: Hotkeys, noted: Noted) -> None:
        for _ in range(2):
            hotkeys.start(noted)
            hotkeys.stop()
        hotkeys.start(noted)
        for press in self.heard:
            self.hand(press)
        noted.wait_for(self.heard)
        hotkeys.stop()

    def test_beginning_again_without_an_end_tells_the_newer_only(self, hotkeys: Hotkeys, noted: Noted) -> None:
        older = Noted()
        hotkeys.start(older)
        hotkeys.start(noted)
        for press in self.heard:
            self.hand(press)
        noted.wait_for(self.heard)
        hotkeys.stop()
        assert older.presses == []


class TestNullHotkeys(HotkeysContract):
    heard = ()

    @pytest.fixture
    def hotkeys(self) -> Hotkeys:
        return NullHotkeys()

    def hand(self, press: Press) -> None:
        raise AssertionError("nobody presses anything")


class TestRecordingHotkeys(HotkeysContract):
    @pytest.fixture
    def hotkeys(self) -> Hotkeys:
        self._keys = RecordingHotkeys()
        return self._keys

    def hand(self, press: Press) -> None:
        self._keys.press(press)


class TestControlHotkeys(HotkeysContract):
    @pytest.fixture
    def hotkeys(self, tmp_path: Path) -> Hotkeys:
        self._path = tmp_path / "control.sock"
        return ControlHotkeys(self._path)

    def hand(self, press: Press) -> None:
        word = next(word for word, meant in WORDS.items() if meant is press)
        if self._path.exists():
            assert send(self._path, word)


KEYS = {
    Press.TALK_DOWN: "Pause",
    Press.TALK_TOGGLE: "Scroll_Lock",
    Press.CANCEL: "Escape",
    Press.INSERT_HELD: "F5",
    Press.REPEAT: "F6",
    Press.WHERE: "F7",
    Press.UNDO: "F8",
    Press.CHANGES: "F9",
    Press.EXPLAIN: "F11",
    Press.TAKE: "F12",
}


class TestX11Hotkeys(HotkeysContract):
    @pytest.fixture
    def hotkeys(self) -> Iterator[Hotkeys]:
        with ExitStack() as stack:
            display = stack.enter_context(virtual_display())
            self._screen = Screen(display)
            stack.callback(self._screen.close)
            yield X11Hotkeys(display, KEYS)

    def hand(self, press: Press) -> None:
        match press:
            case Press.TALK_DOWN:
                self._screen.press("Pause")
            case Press.TALK_UP:
                self._screen.release("Pause")
            case _:
                self._screen.tap(KEYS[press])
