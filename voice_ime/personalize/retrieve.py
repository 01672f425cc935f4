"""Which entries of a person's list sound like a piece of what was heard: interfaces and their putting together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from voice_ime.engine.base import Hypothesis
from voice_ime.personalize.profile import Entry, Profile

if TYPE_CHECKING:
    from voice_ime.personalize.chinese_words import ChineseLexicon
    from voice_ime.personalize.mandarin_index import MandarinIndex
    from voice_ime.personalize.phonetics.english import English


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
    leeway: float | None = None
    """Nats by which the sound may speak against it; None: to be told from `text_score`."""


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


@dataclass(frozen=True)
class Lexicons:
    """What is known of each language; read when first needed, the same for all profiles."""

    @cached_property
    def english(self) -> "English":
        from voice_ime.personalize.phonetics.english import English

        return English()

    @cached_property
    def chinese(self) -> "ChineseLexicon":
        from voice_ime.personalize.chinese_words import ChineseLexicon

        return ChineseLexicon()


def index_of(profile: Profile, lexicons: Lexicons) -> Indexes:
    """The searchable sounds of all entries. Takes some time for thousands of entries: keep it per revision, and the
    lexicons for all."""
    return Indexes([english_index_of(profile, lexicons), mandarin_index_of(profile, lexicons)])


def english_index_of(profile: Profile, lexicons: Lexicons) -> Index:
    """The sounds of the entries that can be English."""
    from voice_ime.personalize.english_index import EnglishIndex
    from voice_ime.personalize.phonetics.costs import hand_made
    from voice_ime.personalize.phonetics.refit import refitted
    from voice_ime.personalize.weighing import Weighing

    entries = [entry for entry in profile.entries if entry.language != "zh"]
    costs = refitted(hand_made(), profile.lessons, lexicons.english)
    return EnglishIndex(entries, lexicons.english, Weighing.from_file(), costs)


def mandarin_index_of(profile: Profile, lexicons: Lexicons) -> "MandarinIndex":
    """The sounds of the entries that are Chinese or were given a Chinese sound."""
    from voice_ime.personalize.mandarin_index import MandarinIndex

    return MandarinIndex(profile, lexicons.chinese)
