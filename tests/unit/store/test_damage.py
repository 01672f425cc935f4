"""A file that is damaged is refused, left as it is, and used again once a good one is in its place."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.needs import needs_package
from tests.unit.store.making import PERSON, entry

needs_package("sqlalchemy")
needs_package("alembic")

from voice_ime.errors import ProfileNotFound, StoreDamaged, StoreError  # noqa: E402
from voice_ime.store.base import Put, Store  # noqa: E402
from voice_ime.store.current import Profiles  # noqa: E402
from voice_ime.store.database import wal_of  # noqa: E402
from voice_ime.store.sql import SqlStore  # noqa: E402

MANY = [entry(f"e{number}", f"word {number}", note="n" * 500) for number in range(100)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with many words, closed."""
    path = tmp_path / "profiles.sqlite"
    with_words(path)
    return path


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = SqlStore(path)
    yield store
    store.close()


def with_words(path: Path) -> None:
    store = SqlStore(path)
    store.create("ann")
    store.apply("ann", [Put(each) for each in MANY], PERSON)
    store.close()


# --- damages ---------------------------------------------------------------------------------------------------------


def overwritten(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)


def overwritten_in_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def without_a_table(path: Path) -> None:
    changed(path, "drop table item")


def without_a_version(path: Path) -> None:
    changed(path, "drop table alembic_version")


def of_another_program(path: Path) -> None:
    path.unlink()
    changed(path, "create table songs (title text)")


def with_half_an_entry(path: Path) -> None:
    changed(path, "update item set data = substr(data, 1, 40) where id = 'e7'")


def with_no_text(path: Path) -> None:
    changed(path, "update item set data = cast(x'7bff7d' as text) where id = 'e7'")


def changed(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute(statement)
    database.close()


DAMAGES = (
    overwritten,
    overwritten_in_the_middle,
    cut_in_half,
    emptied,
    without_a_table,
    without_a_version,
    of_another_program,
    with_half_an_entry,
    with_no_text,
)
every_damage = pytest.mark.parametrize("damage", DAMAGES)


@every_damage
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, store: Store, damage: Callable[[Path], None]) -> None:
    damage(path)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreDamaged) as caught:
            store.get("ann")
        assert caught.value.values == {"path": str(path)}
    store.close()
    assert path.read_bytes() == before


@every_damage
def test_a_good_copy_in_its_place_is_used_without_a_new_start(
    path: Path, store: Store, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    copy = tmp_path / "copy"
    shutil.copy(path, copy)
    damage(path)
    profiles = Profiles(store)
    with pytest.raises(StoreDamaged):
        profiles.current("ann")
    copy.rename(path)
    assert len(profiles.current("ann").entries) == len(MANY)


def test_once_damage_was_found_nothing_is_written_until_a_good_file_is_there(path: Path, store: Store) -> None:
    good = path.read_bytes()
    with_half_an_entry(path)
    before = path.read_bytes()
    with pytest.raises(StoreDamaged):
        store.get("ann")
    for write in (lambda: store.create("bob"), lambda: store.apply("ann", [Put(entry("new"))], PERSON)):
        with pytest.raises(StoreDamaged):
            write()
    store.close()
    assert path.read_bytes() == before
    path.write_bytes(good)
    store.create("bob")
    assert [each.name for each in store.profiles()] == ["ann", "bob"]


def test_another_file_in_its_place_is_read_anew_also_at_the_same_revision(path: Path, store: Store) -> None:
    profiles = Profiles(store)
    assert len(profiles.current("ann").entries) == len(MANY)
    overwritten(path)
    store.close()
    with pytest.raises(StoreDamaged):
        profiles.current("ann")
    path.unlink()
    other = SqlStore(path)
    other.create("ann")
    other.apply("ann", [Put(entry("only"))], PERSON)
    other.close()
    assert [each.id for each in profiles.current("ann").entries] == ["only"]


def test_recent_writes_whose_file_is_gone_are_left_as_they_are(path: Path, store: Store) -> None:
    path.unlink()
    wal_of(path).write_bytes(b"recent writes")
    with pytest.raises(StoreDamaged):
        store.get("ann")
    assert wal_of(path).read_bytes() == b"recent writes"
    assert not path.exists()


def test_a_file_that_is_not_there_is_made_and_nothing_else(path: Path, store: Store) -> None:
    path.unlink()
    with pytest.raises(ProfileNotFound):
        store.get("ann")
    store.close()
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_may_not_be_read_is_told_with_the_reason(path: Path, store: Store) -> None:
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(StoreError) as caught:
        store.get("ann")
    path.chmod(0o600)
    assert caught.value.values == {"path": str(path), "detail": "SQLITE_CANTOPEN"}
    assert len(store.get("ann").entries) == len(MANY)
