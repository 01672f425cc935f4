"""Files that are written whole or not at all, and those that are damaged."""

import contextlib
import errno
import os
import tempfile
from datetime import datetime
from pathlib import Path

from voice_ime.errors import DiskFull, StoreError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
"""Numbers of the errors that mean: no room."""


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replaces `path` in one step; folders are made, readable by the owner only. DiskFull, StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _replace(path, content, mode)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise DiskFull(path=str(path)) from error
        raise StoreError(path=str(path), detail=error.strerror or "") from error


def put_aside(path: Path, at: datetime) -> Path:
    """Gives SQLite's file `path` and those that belong to it other names, after `at`; the new one of the file.
    StoreError."""
    aside = path.with_name(f"{path.name}.damaged-{at:%Y-%m-%d-%H%M%S}")
    try:
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    except OSError as error:
        raise StoreError(path=str(path), detail=error.strerror or "") from error
    return aside


def _replace(path: Path, content: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
