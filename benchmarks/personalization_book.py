"""The rows of a long run, kept as they are found, so that it can be ended at any time and gone on with."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voice_ime.errors import ConfigError
from voice_ime.files import write_atomically

PASSING = ("date", "commit", "begun_at_commit", "load")
"""What may differ between two parts of one run."""


class Book:
    """Rows by what they are about, in a file if there is to be one."""

    def __init__(self, about: Mapping[str, Any], file: Path | None = None) -> None:
        """Goes on with what an unfinished run with the same `about` left in `file`; else begins anew."""
        self._about = dict(about)
        self._file = file
        self.rows: list[dict[str, Any]] = []
        """Those with figures."""
        self._idle: list[dict[str, Any]] = []
        self.complete = False
        left = _left_in(file)
        if left and _lasting(left["about"]) == _lasting(self._about):
            self.rows, self._idle = left["rows"], left["not_applicable"]
            self._about["begun_at_commit"] = left["about"].get("begun_at_commit", left["about"]["commit"])

    @property
    def known(self) -> int:
        return len(self.rows) + len(self._idle)

    def has(self, about: Mapping[str, Any]) -> bool:
        return any(all(row[name] == value for name, value in about.items()) for row in (*self.rows, *self._idle))

    def add(self, row: dict[str, Any]) -> None:
        """`row`: with what it is about; one that is "not_applicable" has no figures."""
        (self._idle if "not_applicable" in row else self.rows).append(row)
        self._keep()

    def end(self) -> None:
        self.complete = True
        self._keep()

    def figures(self) -> dict[str, Any]:
        return {
            "bench": "personalization",
            "complete": self.complete,
            "rows": self.rows,
            "not_applicable": self._idle,
            "about": self._about,
        }

    def _keep(self) -> None:
        if self._file is not None:
            keep(self._file, self.figures())


def keep(file: Path, figures: Mapping[str, Any]) -> None:
    """DiskFull, StoreError."""
    write_atomically(file, (json.dumps(figures, indent=2) + "\n").encode(), mode=0o644)


def fingerprint(file: Path) -> str:
    """Of what is in it. ConfigError."""
    try:
        return fingerprint_of(file.read_bytes())
    except OSError as error:
        raise ConfigError(where=str(file), detail=str(error)) from error


def fingerprint_of(content: bytes) -> str:
    """The same for the same content."""
    return hashlib.sha256(content).hexdigest()[:12]


def _left_in(file: Path | None) -> dict[str, Any] | None:
    if file is None or not file.is_file():
        return None
    try:
        left: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except ValueError:
        return None
    return left if left.get("complete") is False and {"about", "rows", "not_applicable"} <= left.keys() else None


def _lasting(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in PASSING}
