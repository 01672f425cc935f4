"""The terminal as someone who dictates meets it: plain lines to hear, one line to watch, and the keys."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

from voice_ime.command_line import columns

_TO_LINE_START = "\r"
_CLEAR_TO_END = "\x1b[K"
_CUT = "…"


class Screen:
    """Lines, and below them one line that is redrawn. No decoration: a screen reader speaks whatever is written.

    `width` gives the columns of the terminal; None: no terminal, then nothing is redrawn.
    """

    def __init__(self, out: TextIO, width: Callable[[], int] | None) -> None:
        self._out = out
        self._width = width
        self._drawn = ""

    @property
    def redraws(self) -> bool:
        return self._width is not None

    def line(self, text: str) -> None:
        """A line that stays."""
        self._write(f"{self._cleared()}{printable(text)}\n")
        self._drawn = ""

    def watch(self, text: str) -> None:
        """The line that is redrawn: as much of the end of `text` as fits."""
        if self._width is None:
            return
        text = last_columns(printable(text), self._width() - 1)
        if text.startswith(self._drawn):  # only what is new is spoken by a screen reader that follows the output
            self._write(text[len(self._drawn) :])
        else:
            self._write(f"{self._cleared()}{text}")
        self._drawn = text

    def clear(self) -> None:
        """Take the line that is redrawn away."""
        if self._drawn:
            self._write(self._cleared())
        self._drawn = ""

    def _cleared(self) -> str:
        return _TO_LINE_START + _CLEAR_TO_END if self._drawn else ""

    def _write(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._out.flush()


def printable(text: str) -> str:
    """Without characters that would command the terminal."""
    return "".join(character for character in text if character.isprintable())


def last_columns(text: str, width: int) -> str:
    """`text`, or its end where it is wider than `width` columns. Han characters take two."""
    if columns(text) <= width:
        return text
    end = ""
    for character in reversed(text):
        if columns(_CUT + character + end) > width:
            break
        end = character + end
    return _CUT + end


def read_keys(descriptor: int, on_enter: Callable[[], None], on_end: Callable[[], None]) -> None:
    """Calls `on_enter` for each line typed and `on_end` at the end of input, on a thread that ends with us."""

    def read() -> None:
        with contextlib.suppress(OSError):
            while typed := os.read(descriptor, 1024):
                for _ in range(typed.count(b"\n")):
                    on_enter()
        on_end()

    threading.Thread(target=read, name="keys", daemon=True).start()


@contextlib.contextmanager
def unseen_keys(descriptor: int) -> Iterator[None]:
    """What is typed is not shown: Enter would break the line that is redrawn. A no-op without a terminal."""
    if not os.isatty(descriptor):
        yield
        return
    import termios  # on systems that have terminals of this kind

    before = termios.tcgetattr(descriptor)
    quiet = [*before]
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
