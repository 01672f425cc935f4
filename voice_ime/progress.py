"""How far the work is, for somebody who looks at a terminal."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TextIO

from voice_ime.errors import VoiceImeError


class Progress(Protocol):
    """How far the work is, for somebody who looks at a terminal."""

    def of(self, path: Path) -> contextlib.AbstractContextManager[Callable[[float], None]]:
        """Gives what is to be told the seconds of sound that were worked on."""

    def aside(self) -> contextlib.AbstractContextManager[None]:
        """While something else is written."""


def progress_on(terminal: TextIO) -> Progress:
    """A bar where somebody can look at it, else nothing."""
    return _Bar(terminal) if terminal.isatty() else _NoBar()


class _NoBar:
    @contextlib.contextmanager
    def of(self, path: Path) -> Iterator[Callable[[float], None]]:
        yield lambda seconds: None

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        yield


class _Bar:
    _FORM = "{desc}: {percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} s"
    _FORM_WITHOUT_END = "{desc}: {n:.0f} s"

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    @contextlib.contextmanager
    def of(self, path: Path) -> Iterator[Callable[[float], None]]:
        from tqdm import tqdm

        from voice_ime.audio import duration_s

        total = None
        with contextlib.suppress(VoiceImeError):  # the work itself will tell
            total = duration_s(path)
        how: dict[str, Any] = {
            "bar_format": self._FORM if total else self._FORM_WITHOUT_END,
            "file": self._terminal,
            "ncols": os.get_terminal_size(self._terminal.fileno()).columns or 80,
            "nrows": 20,  # some terminals know neither their width nor their height
            "mininterval": 1,
            "leave": False,
        }
        with tqdm(desc=path.name, total=total, **how) as bar:
            yield lambda seconds: _advance(bar, seconds)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        from tqdm import tqdm

        with tqdm.external_write_mode(file=self._terminal):
            yield


def _advance(bar: Any, seconds: float) -> None:
    bar.update(seconds)
