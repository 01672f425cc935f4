"""Which entries of a person's list sound like a piece of what was heard: what an index is asked and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from voice_ime.engine.base import Hypothesis
from voice_ime.personalize.profile import Entry

if TYPE_CHECKING:
    from voice_ime.personalize.chinese_words import ChineseLexicon
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
    due: bool = False
    """Whether the person has said that these very words may mean it: then it is offered at the least."""


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
