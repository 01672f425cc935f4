"""The store over SQL."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from voice_ime.errors import (
    ChangedSince,
    EntryExists,
    EntryNotFound,
    NotConfirmed,
    Outdated,
    ProfileExists,
    ProfileFull,
    ProfileNotFound,
    RevisionNotFound,
    WrongName,
)
from voice_ime.personalize.profile import (
    MOST_ENTRIES,
    MOST_LESSONS,
    MOST_RULES,
    Entry,
    Kind,
    Lesson,
    Preferences,
    Profile,
    Rule,
    Source,
)
from voice_ime.store.base import (
    Author,
    Change,
    Difference,
    Put,
    Remove,
    Revision,
    Store,
    Summary,
    Undone,
    Value,
)
from voice_ime.store.database import Database
from voice_ime.store.history import Kept, Key, Step, reversal
from voice_ime.store.schema import item, profile, revision
from voice_ime.uncollected import uncollected

PREFERENCES: Key = ("preferences", "")
MOST: Mapping[Kind, int] = {"entry": MOST_ENTRIES, "rule": MOST_RULES, "lesson": MOST_LESSONS}
"""The kinds of which a profile has many, and how many."""
AT_ONCE = 200
"""Values that are read in one call, which nothing else in the process can interrupt: a millisecond or two."""

_ENTRIES = TypeAdapter(list[Entry])
_RULES = TypeAdapter(list[Rule])
_LESSONS = TypeAdapter(list[Lesson])
T = TypeVar("T")
_DIFFERENCE = TypeAdapter(Difference)


def now() -> datetime:
    return datetime.now(UTC)


class SqlStore(Store):
    def __init__(self, path: Path, *, clock: Callable[[], datetime] = now) -> None:
        """`path`: the file, made if absent when it is first needed."""
        self._database = Database(path)
        self._writing = threading.Lock()  # threads of one process wait here: SQLite would let them sleep and try again
        self._clock = clock

    def close(self) -> None:
        self._database.close()

    # --- profiles ---

    def profiles(self) -> list[Summary]:
        counts = select(item.c.profile, item.c.kind, func.count()).group_by(item.c.profile, item.c.kind)
        with self._database.reading() as connection:
            count = {(number, kind): many for number, kind, many in connection.execute(counts)}
            rows = connection.execute(select(profile).order_by(profile.c.name)).all()
        return [
            Summary(row.name, row.revision, count.get((row.number, "entry"), 0), count.get((row.number, "rule"), 0))
            for row in rows
        ]

    def create(self, name: str) -> None:
        try:
            new = Profile(name=name)
        except ValidationError:
            raise WrongName() from None
        with self._writing, self._database.writing() as connection:
            if connection.execute(select(profile.c.number).where(profile.c.name == name)).first():
                raise ProfileExists(profile=name)
            values = {"name": name, "revision": 0, "preferences": _kept(new.preferences)}
            connection.execute(insert(profile).values(values))

    def delete(self, name: str, confirm: str) -> None:
        with self._writing:
            with self._database.writing() as connection:
                row = _row(connection, name)
                if confirm != name:
                    raise NotConfirmed(profile=name)
                connection.execute(delete(profile).where(profile.c.number == row.number))
            self._database.forget_deleted()

    def get(self, name: str) -> Profile:
        with uncollected(), self._database.reading() as connection:
            row = _row(connection, name)
            wanted = select(item.c.kind, item.c.data, item.c.used).where(item.c.profile == row.number)
            return _profile(row, connection.execute(wanted.order_by(item.c.number)).all())

    def revision(self, name: str) -> int:
        with self._database.reading() as connection:
            return int(_row(connection, name).revision)

    def stamp(self) -> int:
        return self._database.version()

    # --- changes ---

    def apply(self, name: str, changes: Sequence[Change], author: Author, expected: int | None = None) -> int:
        with self._writing, self._database.writing() as connection:
            row = _checked(connection, name, expected)
            before = _values(connection, row, [_key(change) for change in changes])
            for change in changes:
                if isinstance(change, Remove) and before[_key(change)] is None:
                    raise EntryNotFound(profile=name, id=change.id)
            after = {_key(change): _kept(change.value) if isinstance(change, Put) else None for change in changes}
            used = {_key(change): _use(change.value) for change in changes if isinstance(change, Put)}
            return self._write(connection, row, before, after, author, used=used)

    def undo(self, name: str, number: int, author: Author, expected: int | None = None) -> int:
        with self._writing, self._database.writing() as connection:
            row = _checked(connection, name, expected)
            is_possible = 0 < number <= row.revision  # SQLite takes no numbers of more than 64 bits
            steps = _steps(connection, row, revision.c.number >= number) if is_possible else []
            if not steps or steps[-1].number != number:
                raise RevisionNotFound(profile=name, number=number)
            step = steps[-1]
            before = _values(connection, row, list(step.changes))
            back = reversal([step], before)
            if back.kept:
                later = next(each.number for each in steps if back.kept & each.changes.keys())
                raise ChangedSince(number=number, later=later)
            return self._write(connection, row, before, back.wanted, author, undoes=back.numbers)

    def undo_since(
        self, name: str, since: datetime, author: Author, only: Source | None = None, expected: int | None = None
    ) -> Undone:
        with self._writing, self._database.writing() as connection:
            row = _checked(connection, name, expected)
            meant = [revision.c.at >= _moment(since)]
            if only is not None:
                meant.append(revision.c.source == only.value)
            steps = _steps(connection, row, *meant)
            before = _values(connection, row, [key for step in steps for key in step.changes])
            back = reversal(steps, before)
            numbers = back.numbers if back.wanted else ()
            at = self._write(connection, row, before, back.wanted, author, undoes=numbers)
            return Undone(at, numbers, len(back.wanted), len(back.kept))

    def log(self, name: str, limit: int = 20, before: int | None = None, most: int | None = None) -> list[Revision]:
        with self._database.reading() as connection:
            row = _row(connection, name)
            wanted = select(revision).where(revision.c.profile == row.number)
            if before is not None:
                wanted = wanted.where(revision.c.number < before)
            rows = connection.execute(wanted.order_by(revision.c.number.desc()).limit(limit)).all()
        return [_revision(each, most) for each in rows]

    def mark_used(self, name: str, ids: Sequence[str], at: datetime) -> None:
        with self._writing, self._database.writing() as connection:
            row = _row(connection, name)
            mine = (item.c.profile == row.number) & (item.c.kind == "entry") & item.c.id.in_(ids)
            connection.execute(update(item).where(mine).values(used=_moment(at)))

    def _write(
        self,
        connection: Connection,
        row: Row[Any],
        before: Mapping[Key, Kept],
        after: Mapping[Key, Kept],
        author: Author,
        *,
        undoes: Sequence[int] = (),
        used: Mapping[Key, str | None] | None = None,
    ) -> int:
        """Makes things what they are to be, and a revision of it; the number of the profile's last revision."""
        new = {key: kept for key, kept in after.items() if kept != before[key]}
        if used:
            _write_uses(connection, row, {key: at for key, at in used.items() if at and key not in new})
        if not new:
            return int(row.revision)
        if PREFERENCES in new:
            mine = profile.c.number == row.number
            connection.execute(update(profile).where(mine).values(preferences=new[PREFERENCES]))
        _write_items(connection, row, {key: kept for key, kept in new.items() if key != PREFERENCES}, used or {})
        _check_room(connection, row)
        values = {
            "profile": row.number,
            "at": _moment(self._clock()),
            "source": author.source.value,
            "via": author.via,
            "undoes": json.dumps(list(undoes)),
            "changes": "\n".join(_difference(key, before[key], kept) for key, kept in new.items()),
        }
        number = connection.execute(insert(revision).values(values).returning(revision.c.number)).scalar_one()
        connection.execute(update(profile).where(profile.c.number == row.number).values(revision=number))
        return int(number)


# --- rows ------------------------------------------------------------------------------------------------------------


def _row(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(profile).where(profile.c.name == name)).first()
    if row is None:
        raise ProfileNotFound(profile=name)
    return row


def _profile(row: Row[Any], items: Sequence[Any]) -> Profile:
    """`items`: rows of kind, data and use."""
    data = {each: [data for kind, data, _ in items if kind == each] for each in MOST}
    used = (at for kind, _, at in items if kind == "entry")
    return Profile.model_construct(
        name=row.name,
        revision=row.revision,
        entries=tuple(map(_with_use, _read(_ENTRIES, data["entry"]), used)),
        rules=tuple(_read(_RULES, data["rule"])),
        lessons=tuple(_read(_LESSONS, data["lesson"])),
        preferences=Preferences.model_validate_json(row.preferences),
    )


def _checked(connection: Connection, name: str, expected: int | None) -> Row[Any]:
    row = _row(connection, name)
    if expected is not None and row.revision != expected:
        raise Outdated(expected=expected, revision=row.revision)
    return row


def _values(connection: Connection, row: Row[Any], keys: Sequence[Key]) -> dict[Key, Kept]:
    """What each of `keys` is now."""
    values: dict[Key, Kept] = dict.fromkeys(keys)
    for kind in MOST:
        if ids := {id for each, id in values if each == kind}:
            mine = (item.c.profile == row.number) & (item.c.kind == kind) & item.c.id.in_(ids)
            found = connection.execute(select(item.c.id, item.c.data).where(mine))
            values |= {(kind, id): data for id, data in found}
    if PREFERENCES in values:
        values[PREFERENCES] = row.preferences
    return values


def _write_items(
    connection: Connection, row: Row[Any], new: Mapping[Key, Kept], used: Mapping[Key, str | None]
) -> None:
    """All old rows go before the new ones come, so that two entries may swap their words; a row keeps its place."""
    for kind in MOST:
        changed = {id: kept for (each, id), kept in new.items() if each == kind}
        if not changed:
            continue
        mine = (item.c.profile == row.number) & (item.c.kind == kind) & item.c.id.in_(changed)
        old = {each.id: each for each in connection.execute(select(item).where(mine))}
        connection.execute(delete(item).where(mine))
        rows = [_columns(row, kind, id, kept) for id, kept in changed.items() if kept is not None]
        _check_unique(connection, row, kind, rows)
        for values in rows:
            previous = old.get(values["id"])
            values["used"] = used.get((kind, values["id"])) or (previous.used if previous else None)
        again = [values | {"number": old[values["id"]].number} for values in rows if values["id"] in old]
        for batch in (again, [values for values in rows if values["id"] not in old]):
            if batch:
                connection.execute(insert(item), batch)


def _columns(row: Row[Any], kind: Kind, id: str, kept: str) -> dict[str, Any]:
    data = json.loads(kept)
    return {
        "profile": row.number,
        "kind": kind,
        "id": id,
        "text": _text_of(kind, data),
        "language": data["language"] or "",
        "application": data.get("application", ""),
        "data": kept,
    }


def _text_of(kind: Kind, data: Mapping[str, str]) -> str:
    """What may be there only once, for each language and application."""
    match kind:
        case "entry":
            return data["written"]
        case "rule":
            return data["heard"]
    return f"{data['heard']}\n{data['written']}"


def _check_unique(connection: Connection, row: Row[Any], kind: Kind, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = (item.c.text, item.c.language, item.c.application, item.c.id)
    mine = (item.c.profile == row.number) & (item.c.kind == kind) & item.c.text.in_({each["text"] for each in rows})
    taken = {tuple(each[:3]): each.id for each in connection.execute(select(*columns).where(mine))}
    for each in rows:
        key = (each["text"], each["language"], each["application"])
        if key in taken:
            raise EntryExists(id=taken[key])
        taken[key] = each["id"]


def _check_room(connection: Connection, row: Row[Any]) -> None:
    counts = select(item.c.kind, func.count()).where(item.c.profile == row.number).group_by(item.c.kind)
    for kind, count in connection.execute(counts):
        if count > MOST[kind]:
            raise ProfileFull(limit=MOST[kind])


def _write_uses(connection: Connection, row: Row[Any], used: Mapping[Key, str]) -> None:
    for (kind, id), at in used.items():
        mine = (item.c.profile == row.number) & (item.c.kind == kind) & (item.c.id == id)
        connection.execute(update(item).where(mine).values(used=at))


def _steps(connection: Connection, row: Row[Any], *meant: Any) -> list[Step]:
    """The newest first."""
    wanted = select(revision.c.number, revision.c.changes).where(revision.c.profile == row.number, *meant)
    rows = connection.execute(wanted.order_by(revision.c.number.desc()))
    return [Step(number, _changes_of(changes)) for number, changes in rows]


# --- as they are kept ------------------------------------------------------------------------------------------------


def _key(change: Change) -> Key:
    match change:
        case Remove(kind, id):
            return kind, id
        case Put(Entry(id=id)):
            return "entry", id
        case Put(Rule(id=id)):
            return "rule", id
        case Put(Lesson(id=id)):
            return "lesson", id
    return PREFERENCES


def _kept(value: Value) -> str:
    return value.model_dump_json(exclude={"used"})


def _use(value: Value) -> str | None:
    return _moment(value.used) if isinstance(value, Entry) and value.used else None


def _read(kind: TypeAdapter[list[T]], kept: Sequence[str]) -> Iterator[T]:
    for begin in range(0, len(kept), AT_ONCE):
        yield from kind.validate_json(_array(kept[begin : begin + AT_ONCE]))


def _with_use(entry: Entry, used: str | None) -> Entry:
    return entry if used is None else entry.model_copy(update={"used": datetime.fromisoformat(used)})


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _array(texts: Iterable[str]) -> str:
    return f"[{','.join(texts)}]"


def _difference(key: Key, before: Kept, after: Kept) -> str:
    kind, id = key
    return f'{{"kind":"{kind}","id":"{id}","before":{before or "null"},"after":{after or "null"}}}'


def _changes_of(changes: str) -> dict[Key, tuple[Kept, Kept]]:
    every = map(json.loads, changes.split("\n"))
    return {(each["kind"], each["id"]): (_text(each["before"]), _text(each["after"])) for each in every}


def _text(value: Any) -> Kept:
    """As pydantic writes it: values are compared as texts."""
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _revision(row: Row[Any], most: int | None) -> Revision:
    changes = row.changes.split("\n")
    return Revision(
        number=row.number,
        at=datetime.fromisoformat(row.at),
        author=Author(Source(row.source), row.via),
        undoes=tuple(json.loads(row.undoes)),
        changes=tuple(map(_DIFFERENCE.validate_json, changes[:most])),
        count=len(changes),
    )
