"""Which window of an X display has the focus: for programs that accessibility does not show, and as a check."""

from dataclasses import dataclass
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError, XError
from Xlib.ext import res

from voice_ime.errors import DesktopUnavailable


@dataclass(frozen=True)
class Window:
    number: int
    process: int | None
    """None: neither the program nor the X server says, e.g. because it runs on another machine."""
    program: str
    """Class of the window, e.g. XTerm, Emacs; never its title."""


class ActiveWindow:
    """Asks the X server, which answers at once or is not there any more."""

    def __init__(self, display: str) -> None:
        """`display`: name of the X display, e.g. ":0"."""
        self._name = display
        self._display: Any = None

    def start(self) -> None:
        """Connect. DesktopUnavailable where there is no such display."""
        try:
            self._display = Display(self._name)
        except (DisplayError, OSError) as error:
            raise DesktopUnavailable("display", type(error).__name__) from error

    def stop(self) -> None:
        display, self._display = self._display, None
        if display is not None:
            display.close()

    def window(self) -> Window | None:
        """The window that has the focus; None: none has, or the display is gone."""
        if self._display is None:
            return None
        try:
            number = self._number()
            return self._described(number) if number else None
        except (XError, ConnectionClosedError, OSError):
            return None  # closed while we looked

    def _number(self) -> int:
        root = self._display.screen().root
        found = root.get_full_property(self._display.intern_atom("_NET_ACTIVE_WINDOW"), X.AnyPropertyType)
        if found is not None and len(found.value):
            return int(found.value[0])
        focus = self._display.get_input_focus().focus
        return 0 if focus in (X.NONE, X.PointerRoot) else int(focus.id)

    def _described(self, number: int) -> Window:
        window = self._display.create_resource_object("window", number)
        names = window.get_wm_class()
        return Window(number, self._process(window), names[1] if names else "")

    def _process(self, window: Any) -> int | None:
        told = window.get_full_property(self._display.intern_atom("_NET_WM_PID"), X.AnyPropertyType)
        if told is not None and len(told.value):
            return int(told.value[0])
        if not self._display.has_extension(res.extname):
            return None
        asked = {"client": window.id, "mask": res.LocalClientPIDMask}  # Tk does not tell, the server knows
        known = self._display.res_query_client_ids([asked]).ids
        return int(known[0].value[0]) if known and known[0].value else None
