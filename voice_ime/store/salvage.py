"""What can still be read of a damaged file: row by row, whatever stands between them."""

import contextlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from voice_ime.personalize.formats.base import Unfit, entry_of, lesson_of, preferences_of, rule_of
from voice_ime.personalize.profile import Preferences, Profile
from voice_ime.store.database import wal_of

Row = tuple[Any, ...]
T = TypeVar("T")


def salvaged(path: Path) -> list[Profile]:
    """The profiles with whatever is whole of them, without their history; `path` is not touched. OSError where
    it cannot be copied."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        copy = Path(folder) / "copy"
        for old, new in ((path, copy), (wal_of(path), wal_of(copy))):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(old, new)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            connection.text_factory = bytes  # what is no text must not end the reading
            return _profiles(_rows(connection, "profile", "name, preferences"), _items(connection))


def _items(connection: sqlite3.Connection) -> list[Row]:
    """Profile, kind, JSON and last use of each."""
    return list(_rows(connection, "item", "profile, kind, data, used").values())


def _rows(connection: sqlite3.Connection, table: str, columns: str) -> dict[int, Row]:
    """From either end as far as the damage, by number and in its order."""
    found: dict[int, Row] = {}
    for order in ("asc", "desc"):
        with contextlib.suppress(sqlite3.Error):
            for number, *row in connection.execute(f"select number, {columns} from {table} order by number {order}"):
                found[number] = tuple(row)
    return dict(sorted(found.items()))


def _profiles(named: dict[int, Row], items: Iterable[Row]) -> list[Profile]:
    parts: dict[int, list[Row]] = {number: [] for number in named}
    for profile, *item in items:
        parts.setdefault(profile, []).append(tuple(item))
    return [
        Profile(
            name=_name(named.get(number, (b"", b""))[0], number),
            entries=_whole(mine, b"entry", entry_of),
            rules=_whole(mine, b"rule", rule_of),
            lessons=_whole(mine, b"lesson", lesson_of),
            preferences=_preferences(named.get(number, (b"", b""))[1]),
        )
        for number, mine in parts.items()
    ]


def _name(kept: Any, number: int) -> str:
    try:
        return Profile(name=kept.decode()).name
    except (AttributeError, ValueError):
        return f"rescued-{number}"


def _whole(rows: Iterable[Row], kind: bytes, make: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
    found = []
    for each, data, used in rows:
        with contextlib.suppress(AttributeError, TypeError, ValueError, Unfit):
            if each == kind:
                found.append(make(json.loads(data) | ({"used": used.decode()} if used else {})))
    return tuple(found)


def _preferences(kept: Any) -> Preferences:
    try:
        return preferences_of(json.loads(kept))
    except (TypeError, ValueError, Unfit):
        return Preferences()
