"""What a store of profiles does, whichever database is behind it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from voice_ime.errors import Outdated
from voice_ime.personalize.profile import Entry, Kind, Lesson, Preferences, Profile, Rule, Source

Value = Entry | Rule | Lesson | Preferences
T = TypeVar("T")

ATTEMPTS = 3
"""Somebody else may change a profile at the same time."""

FILE = "profiles.sqlite"
"""Its name in the person's data folder."""


@dataclass(frozen=True)
class Put:
    """Keep `value`: in place of the one with its id if there is one, else as a new one."""

    value: Value


@dataclass(frozen=True)
class Remove:
    """Keep the entry, rule or lesson of that id no longer."""

    kind: Kind
    id: str


Change = Put | Remove


@dataclass(frozen=True)
class Author:
    """Who makes a change."""

    source: Source
    via: str = ""
    """By which way, in one word: command, rest, dictation."""


@dataclass(frozen=True)
class Difference:
    """What one revision did to one thing."""

    kind: Kind
    id: str
    """Empty for preferences."""
    before: Value | None
    """None: it was not there."""
    after: Value | None
    """None: it is gone."""


@dataclass(frozen=True)
class Revision:
    """One step of the history of a profile."""

    number: int
    """Rises; never used twice, also not by another profile of the same store."""
    at: datetime
    """In UTC."""
    author: Author
    undoes: tuple[int, ...]
    """Numbers of the revisions that this one takes back."""
    changes: tuple[Difference, ...]
    """What it did; of very many perhaps only the first."""
    count: int
    """How many changes it made in all."""


@dataclass(frozen=True)
class Undone:
    """What came of taking back several revisions."""

    revision: int
    """The number of the profile's last change, now."""
    numbers: tuple[int, ...]
    """The revisions that were taken back, in whole or in part."""
    restored: int
    """Entries, rules and preferences that are as they were before."""
    kept: int
    """Those that somebody else changed later: they stay as they are."""


@dataclass(frozen=True)
class Summary:
    """A profile in a list."""

    name: str
    revision: int
    entries: int
    rules: int


class Store(ABC):
    """Profiles and their history. Each change is kept for good when the call returns. Safe to use from several threads.

    Every call can raise what is wrong with the store itself: StoreDamaged, StoreUnusable, StoreBusy,
    NewerSchema, DiskFull; and ProfileNotFound where a profile is named.
    """

    @abstractmethod
    def profiles(self) -> list[Summary]:
        """All of them, by name."""

    @abstractmethod
    def create(self, name: str) -> None:
        """ProfileExists, WrongName."""

    @abstractmethod
    def delete(self, name: str, confirm: str) -> None:
        """For good, with its history. NotConfirmed unless `confirm` is the name once more."""

    @abstractmethod
    def get(self, name: str) -> Profile:
        """Everything in it, entries and rules in the order in which they came."""

    @abstractmethod
    def revision(self, name: str) -> int:
        """The number of its last change; 0 before the first."""

    @abstractmethod
    def stamp(self) -> int:
        """A number that changes whenever anybody, in any process, may have changed anything. Very quick."""

    @abstractmethod
    def apply(self, name: str, changes: Sequence[Change], author: Author, expected: int | None = None) -> int:
        """Make all changes in one step, or none; the number of the revision, the last one's where nothing is new.

        `expected`: the revision that the changes were thought out for; Outdated where it is another by now.
        EntryNotFound, EntryExists, ProfileFull.
        """

    @abstractmethod
    def undo(self, name: str, number: int, author: Author, expected: int | None = None) -> int:
        """Take one revision back, itself a revision. RevisionNotFound, ChangedSince, EntryExists, Outdated."""

    @abstractmethod
    def undo_since(
        self, name: str, since: datetime, author: Author, only: Source | None = None, expected: int | None = None
    ) -> Undone:
        """Take back everything since that moment (with a time zone), or only what came from one source."""

    @abstractmethod
    def log(self, name: str, limit: int = 20, before: int | None = None, most: int | None = None) -> list[Revision]:
        """The newest revisions first; `before`: only those with a lower number.

        `most`: so many changes of each are read.
        """

    @abstractmethod
    def mark_used(self, name: str, ids: Sequence[str], at: datetime) -> None:
        """Entries that were written or chosen then. No revision: it changes nothing that anybody entered."""

    @abstractmethod
    def close(self) -> None: ...


def retried(change: Callable[[], T]) -> T:
    """`change`, which looks at a profile and then changes it, once more where somebody was quicker. Outdated in the
    end."""
    for _ in range(ATTEMPTS - 1):
        with suppress(Outdated):
            return change()
    return change()


def revision_row(revision: Revision) -> dict[str, Any]:
    """As JSON."""
    return {
        "number": revision.number,
        "at": revision.at.isoformat(),
        "source": revision.author.source.value,
        "via": revision.author.via,
        "undoes": list(revision.undoes),
        "count": revision.count,
        "changes": [
            {
                "kind": change.kind,
                "id": change.id,
                "before": change.before and change.before.model_dump(mode="json", exclude={"used"}),
                "after": change.after and change.after.model_dump(mode="json", exclude={"used"}),
            }
            for change in revision.changes
        ],
    }
