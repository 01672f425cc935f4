"""Lines of output, each out of our hands before the next is made."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from voice_ime.errors import DiskFull, StoreError
from voice_ime.files import NO_SPACE


class Output:
    """Where lines go. Troubles with standard output are OSErrors, which the command line turns into sentences."""

    def __init__(self, stream: TextIO, path: Path | None = None) -> None:
        """`path`: the file that `stream` writes; None: standard output."""
        self._stream = stream
        self._path = path

    def line(self, text: str) -> None:
        """DiskFull, StoreError where there is a file."""
        with _translated(self._path):
            print(text, file=self._stream, flush=True)


@contextlib.contextmanager
def output_file(path: Path) -> Iterator[Output]:
    """A file that is written anew, line by line; what was written stays if the next fails. DiskFull, StoreError."""
    with _translated(path):
        stream = path.open("w", encoding="utf-8", errors="replace")  # names of files may be no text
    try:
        yield Output(stream, path)
    finally:
        with _translated(path):
            stream.close()


@contextlib.contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if path is None:
            raise
        if error.errno in NO_SPACE:
            raise DiskFull(path=str(path)) from error
        raise StoreError(path=str(path), detail=error.strerror or type(error).__name__) from error
