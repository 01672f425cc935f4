"""What was said and what became of it: local, readable by its owner only, bounded by number and age."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TypeVar

from voice_ime.errors import DiskFull, JournalDamaged, StoreError
from voice_ime.files import put_aside

T = TypeVar("T")

FILE = "journal.sqlite"
"""Its name in the state folder."""
FULL = 13
"""SQLite's code for a full disk."""
DAMAGED = (11, 26)
"""SQLite's codes for a file that is damaged, or no database."""
DAY_S = 86_400


class State(Enum):
    """What became of an utterance."""

    INTENDED = "intended"
    """About to be inserted. Left over from a client that died: perhaps inserted, perhaps not."""
    VERIFIED = "verified"
    """Inserted, and seen in the field."""
    UNVERIFIED = "unverified"
    """Inserted where nothing can be read back."""
    HELD = "held"
    REFUSED = "refused"
    UNDONE = "undone"
    """Inserted and taken out again."""


AVAILABLE = (State.HELD, State.REFUSED)
"""States from which a text may still be inserted."""


@dataclass(frozen=True)
class Entry:
    number: int
    at: float
    """Seconds since 1970."""
    text: str
    application: str
    """Name of the program it was meant for."""
    state: State
    reason: str | None
    """Why it was held or refused: a key of the catalogue under desktop.reason."""


_SCHEMA = """
create table if not exists utterance (
    number integer primary key autoincrement,
    at real not null,
    text text not null,
    application text not null,
    state text not null,
    reason text
) strict;
"""


def opened(path: Path, *, most: int, days: float) -> "tuple[Journal, Path | None]":
    """The journal at `path`, and where a damaged one was put aside, if it was. As `Journal` otherwise."""
    try:
        return Journal(path, most=most, days=days), None
    except JournalDamaged:
        aside = put_aside(path, datetime.now())
        return Journal(path, most=most, days=days), aside


class Journal:
    """The utterances of one person. Each change is on the disk when the call returns. Not for two threads at once."""

    def __init__(self, path: Path, *, most: int = 500, days: float = 7, clock: Callable[[], float] = time.time) -> None:
        """`path` is made if absent. JournalDamaged, StoreError, DiskFull."""
        self._path = path
        self._most = most
        self._days = days
        self._clock = clock
        self._database = self._translated(self._open)
        try:
            if not self._translated(self._prepared):
                raise JournalDamaged(path=str(path))
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        self._database.close()

    def intend(self, text: str, application: str) -> Entry:
        """Note that `text` is about to be inserted."""
        entry = self._translated(lambda: self._add(text, application))
        self._translated(self._forget_old)
        return entry

    def settle(self, number: int, state: State, reason: str | None = None) -> Entry:
        """Note what became of it. LookupError: no such entry."""

        def update() -> None:
            self._run("update utterance set state = ?, reason = ? where number = ?", state.value, reason, number)

        self._translated(update)
        return self.entry(number)

    def recover(self) -> list[Entry]:
        """Intents without an outcome, left by a client that died: now held, oldest first."""
        lost = [entry for entry in reversed(self.entries()) if entry.state is State.INTENDED]
        return [self.settle(entry.number, State.HELD, "perhaps_inserted") for entry in lost]

    def entries(self, most: int = -1) -> list[Entry]:
        """Newest first."""
        return self._select("order by number desc limit ?", most)

    def entry(self, number: int) -> Entry:
        """LookupError: no such entry."""
        found = self._select("where number = ?", number)
        if not found:
            raise LookupError(number)
        return found[0]

    def newest_available(self) -> Entry | None:
        """The latest text that can still be inserted."""
        return next((entry for entry in self.entries() if entry.state in AVAILABLE and entry.text), None)

    def forget(self, number: int | None = None) -> int:
        """Erase one entry, or all; how many there were."""
        where, values = ("where number = ?", (number,)) if number is not None else ("", ())
        return self._translated(lambda: self._erase(f"delete from utterance {where}", *values))

    # --- inside ---

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path.chmod(0o600)
        return sqlite3.connect(self._path, isolation_level=None, timeout=5, check_same_thread=False)

    def _prepared(self) -> bool:
        """Whether the file is whole."""
        for pragma in ("journal_mode = wal", "synchronous = full", "secure_delete = on"):
            self._run(f"pragma {pragma}")
        self._run(_SCHEMA)
        with closing(self._database.execute("pragma quick_check(1)")) as cursor:
            return bool(cursor.fetchone() == ("ok",))

    def _add(self, text: str, application: str) -> Entry:
        now = self._clock()
        sql = "insert into utterance (at, text, application, state) values (?, ?, ?, ?)"
        with closing(self._database.execute(sql, (now, text, application, State.INTENDED.value))) as cursor:
            number = cursor.lastrowid
        assert number is not None
        return Entry(number, now, text, application, State.INTENDED, None)

    def _forget_old(self) -> None:
        oldest = self._clock() - self._days * DAY_S
        keep = "select number from utterance order by number desc limit ?"
        self._erase(f"delete from utterance where at < ? or number not in ({keep})", oldest, self._most)

    def _erase(self, sql: str, *values: object) -> int:
        count = self._run(sql, *values)
        if count:  # the words also stand in SQLite's log of changes
            with closing(self._database.execute("pragma wal_checkpoint(truncate)")) as cursor:
                cursor.fetchall()
        return count

    def _run(self, sql: str, *values: object) -> int:
        with closing(self._database.execute(sql, values)) as cursor:
            return cursor.rowcount

    def _select(self, tail: str, *values: object) -> list[Entry]:
        def read() -> list[Entry]:
            sql = f"select number, at, text, application, state, reason from utterance {tail}"
            with closing(self._database.execute(sql, values)) as cursor:
                return [Entry(row[0], row[1], row[2], row[3], State(row[4]), row[5]) for row in cursor]

        return self._translated(read)

    def _translated(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == FULL:
                raise DiskFull(path=str(self._path)) from None
            if code in DAMAGED:
                raise JournalDamaged(path=str(self._path)) from None
            raise StoreError(path=str(self._path), detail=str(error)) from None
        except OSError as error:
            raise StoreError(path=str(self._path), detail=error.strerror or "") from None
