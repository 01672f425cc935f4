"""Keys that a test presses."""

from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.hotkeys.base import Hotkeys, OnPress, Press


class RecordingHotkeys(Hotkeys):
    """`hold`, `let_go` and `press` stand for the person's hand. `broken`: they cannot be watched here."""

    def __init__(self, *, broken: bool = False) -> None:
        self.pressed: list[Press] = []
        """What was pressed while somebody watched."""
        self._broken = broken
        self._on_press: OnPress | None = None

    @property
    def watched(self) -> bool:
        return self._on_press is not None

    def start(self, on_press: OnPress) -> None:
        if self._broken:
            raise DesktopUnavailable("keys", "broken by the test")
        self._on_press = on_press

    def stop(self) -> None:
        self._on_press = None

    def hold(self) -> None:
        self.press(Press.TALK_DOWN)

    def let_go(self) -> None:
        self.press(Press.TALK_UP)

    def press(self, press: Press) -> None:
        """On the caller's thread; nobody hears it before `start` and after `stop`."""
        if self._on_press is not None:
            self.pressed.append(press)
            self._on_press(press)
