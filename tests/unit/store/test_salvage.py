"""Of a damaged file what is whole can still be read."""

import sqlite3
from pathlib import Path

import pytest

from tests.needs import needs_package
from tests.unit.store.making import NOON, PERSON, entry, lesson, rule

needs_package("sqlalchemy")
needs_package("alembic")

from voice_ime.personalize.profile import Preferences, Profile  # noqa: E402
from voice_ime.store.base import Put  # noqa: E402
from voice_ime.store.salvage import salvaged  # noqa: E402
from voice_ime.store.sql import SqlStore  # noqa: E402

MANY = [entry(f"e{number}", f"word {number}", note="n" * 500) for number in range(100)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two profiles, closed."""
    path = tmp_path / "profiles.sqlite"
    store = SqlStore(path)
    store.create("ann")
    store.create("bob")
    store.apply("ann", [Put(each) for each in MANY], PERSON)
    store.apply("bob", [Put(rule("r", "um", "")), Put(lesson("l", "x", "y")), Put(Preferences(learn=False))], PERSON)
    store.mark_used("ann", ["e1"], NOON)
    store.close()
    return path


def damaged(path: Path, at: float, size: int = 4096) -> None:
    content = bytearray(path.read_bytes())
    begin = int(len(content) * at) // 4096 * 4096
    content[begin : begin + size] = b"\xa5" * size
    path.write_bytes(content)


def changed(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def whole(path: Path) -> dict[str, Profile]:
    return {profile.name: profile for profile in salvaged(path)}


def test_of_a_sound_file_everything_is_read(path: Path) -> None:
    store = SqlStore(path)
    expected = {name: store.get(name).model_copy(update={"revision": 0}) for name in ("ann", "bob")}
    store.close()
    assert whole(path) == expected
    assert expected["ann"].entries[1].used == NOON


def test_what_stands_before_and_after_the_damage_is_read_and_the_file_stays_as_it_is(path: Path) -> None:
    damaged(path, 0.3)
    before = path.read_bytes()
    assert 50 < len(whole(path)["ann"].entries) < 100
    assert (path.read_bytes(), list(path.parent.iterdir())) == (before, [path])


def test_a_row_that_makes_no_sense_is_left_out(path: Path) -> None:
    changed(path, "update item set data = 'no json' where id = 'e3'")
    changed(path, "update item set data = x'ff' where id = 'e4'")
    changed(path, "update profile set preferences = '{}x'")
    found = whole(path)
    assert (len(found["ann"].entries), found["bob"].preferences) == (98, Preferences())


def test_words_whose_profile_is_lost_are_read_all_the_same(path: Path) -> None:
    changed(path, "drop table profile")
    assert {name: len(each.entries) for name, each in whole(path).items()} == {"rescued-1": 100, "rescued-2": 0}


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_of_what_is_no_such_file_nothing_is_read(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert salvaged(path) == []
