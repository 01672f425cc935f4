"""Who dictates has the words as they were read last, whatever becomes of the store."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.needs import needs_package
from tests.unit.store.making import PERSON, entry

needs_package("sqlalchemy")
needs_package("alembic")

from voice_ime.personalize.profile import DEFAULT  # noqa: E402
from voice_ime.store.base import Put  # noqa: E402
from voice_ime.store.current import Profiles  # noqa: E402
from voice_ime.store.last_known import AGAIN_S, LastKnown  # noqa: E402
from voice_ime.store.sql import SqlStore  # noqa: E402


@dataclass
class Place:
    """A file with one entry of Ann, that can be damaged and mended."""

    file: Path
    now: float = 0.0
    store: SqlStore = field(init=False)
    good: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.store = SqlStore(self.file)
        self.store.create("ann")
        self.store.apply("ann", [Put(entry("a"))], PERSON)
        self.store.close()
        self.good = self.file.read_bytes()

    def damage(self) -> None:
        self.store.close()
        self.file.write_bytes(self.good[:5000])

    def mend(self) -> None:
        self.file.write_bytes(self.good)

    def words(self) -> LastKnown:
        return LastKnown(Profiles(self.store), lambda: self.now)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "profiles.sqlite")
    yield place
    place.store.close()


def test_what_can_be_read_is_as_it_is_now(place: Place) -> None:
    words = place.words()
    assert len(words.current("ann").entries) == 1
    place.store.apply("ann", [Put(entry("b"))], PERSON)
    assert len(words.current("ann").entries) == 2
    assert words.trouble("ann") is None


def test_what_was_never_read_is_without_words_and_always_the_same_object(place: Place) -> None:
    place.damage()
    words = place.words()
    assert words.current("ann").entries == ()
    assert words.current("ann") is words.current("ann")
    trouble = words.trouble("ann")
    assert trouble is not None
    assert (trouble.error.code, trouble.known) == ("store_damaged", False)


def test_what_was_read_before_stays(place: Place) -> None:
    words = place.words()
    before = words.current("ann")
    place.damage()
    assert words.current("ann") is before
    trouble = words.trouble("ann")
    assert trouble is not None
    assert (trouble.error.code, trouble.known) == ("store_damaged", True)


def test_a_mended_file_is_read_again_though_not_at_once(place: Place) -> None:
    place.damage()
    words = place.words()
    assert words.current("ann").entries == ()
    place.mend()
    assert words.current("ann").entries == ()
    place.now = AGAIN_S
    assert len(words.current("ann").entries) == 1
    assert words.trouble("ann") is None


def test_the_same_trouble_again_is_nothing_new(place: Place) -> None:
    place.damage()
    words = place.words()
    words.current("ann")
    first = words.trouble("ann")
    place.now = AGAIN_S
    words.current("ann")
    again = words.trouble("ann")
    assert first is not None
    assert again is not None
    assert first != again
    assert again.is_like(first)
    assert not again.is_like(None)


def test_a_profile_that_is_not_there_is_told_and_used_as_soon_as_it_is_made(place: Place) -> None:
    words = place.words()
    assert words.current("bob").entries == ()
    trouble = words.trouble("bob")
    assert trouble is not None
    assert trouble.error.code == "profile_not_found"
    place.store.create("bob")
    place.store.apply("bob", [Put(entry("b"))], PERSON)
    assert len(words.current("bob").entries) == 1


def test_the_usual_profile_is_there_whatever_became_of_it(place: Place) -> None:
    words = place.words()
    assert words.current(DEFAULT).name == DEFAULT
    place.store.delete(DEFAULT, confirm=DEFAULT)
    assert words.current(DEFAULT).entries == ()
    assert words.trouble(DEFAULT) is None
