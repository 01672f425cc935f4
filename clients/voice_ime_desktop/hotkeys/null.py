"""No keys: for a desktop that offers none."""

from voice_ime_desktop.hotkeys.base import Hotkeys, OnPress


class NullHotkeys(Hotkeys):
    """Nobody presses anything."""

    def start(self, on_press: OnPress) -> None:
        pass

    def stop(self) -> None:
        pass
