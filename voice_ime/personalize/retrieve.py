"""Which entries of a person's list sound like a piece of what was heard: interfaces and their putting together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from voice_ime.engine.base import Hypothesis
from voice_ime.personalize.profile import Entry, Profile


@dataclass(frozen=True)
class Candidate:
    """An entry that could have been said where words `first` to `last` (exclusive) of a hypothesis stand."""

    entry: Entry
    first: int
    last: int
    distance: float
    """Weighted distance of the sounds for each sound of the entry; 0: they sound the same."""
    margin: float
    """Distance of the nearest other entry on these words, less `distance`; may be negative; at most 1."""
    text_score: float
    """What speaks for the entry without regard to the sound itself, in the unit of the model that decides: above 0 it
    would be written by the text alone."""
    homophones: tuple[Entry, ...] = ()
    """Other entries that sound exactly the same: sound cannot tell them apart."""


class Index(Protocol):
    """The sounds of one profile's entries, ready to be searched. Never changed; safe to use from several threads."""

    def candidates(self, hypothesis: Hypothesis, application: str | None) -> Sequence[Candidate]:
        """The nearest few entries for the words of `hypothesis`, the likeliest first."""
        ...


class Indexes:
    """Several indexes, one for each language, searched in turn."""

    def __init__(self, indexes: Sequence[Index]) -> None:
        self._indexes = indexes

    def candidates(self, hypothesis: Hypothesis, application: str | None) -> list[Candidate]:
        found = [each for index in self._indexes for each in index.candidates(hypothesis, application)]
        return sorted(found, key=lambda each: -each.text_score)


def index_of(profile: Profile) -> Indexes:
    """The searchable sounds of all active entries. Takes some time for thousands of entries: keep it per revision."""
    raise NotImplementedError(profile.name)
