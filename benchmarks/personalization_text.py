"""Texts that some recogniser heard, ready to be corrected with lists of words; nothing is known of the sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.personalization_data import WORDS, Habits, Listed, Lists, Neighbours, Spoken, pool_of, spoken
from benchmarks.personalization_run import TEXT_ONLY, Condition, Heard, NoSound, heard_text, plain_words
from benchmarks.recordings import spread
from voice_ime.engine.base import Capabilities
from voice_ime.personalize.phonetics.english import English


@dataclass
class Texts:
    """`personalization_run.Source`: what another recogniser heard."""

    spoken: Mapping[str, Spoken]
    """By id."""
    lists: Lists
    english: English
    habits: Habits
    utterances: Sequence[Heard]
    can: Capabilities = TEXT_ONLY
    _neighbours: Neighbours | None = field(default=None, init=False)

    def listed(self, one: Heard, condition: Condition) -> Listed:
        case = self.spoken[one.id]
        match condition.own:
            case "all":
                return self.habits.everything(one.speaker, one.said)
            case "others":
                return self.habits.elsewhere(one.speaker, case.terms, one.said)
        return Listed(frozenset(case.terms), tuple(self._others(case, condition)))

    def _others(self, one: Spoken, condition: Condition) -> list[str]:
        if not condition.near:
            return self.lists.others(one, condition.size)
        if self._neighbours is None:
            self._neighbours = Neighbours(self.lists.pool, self.english)
        return self.lists.near(one, self._neighbours, condition.size)


def texts(hyps: Path, refs: Path, english: English, seed: int, limit: int | None) -> Texts:
    """From the published files (`personalization_data.spoken`). ConfigError."""
    everything = spoken(hyps, refs)
    chosen = spread(everything, limit)
    return Texts(
        spoken={one.id: one for one in chosen},
        lists=Lists(pool_of(refs.parent / WORDS, everything), seed),
        english=english,
        habits=Habits.of((one.speaker, one.terms) for one in everything),
        utterances=[_heard(one) for one in chosen],
    )


def _heard(one: Spoken) -> Heard:
    return Heard(one.id, one.said, one.speaker, heard_text(one.heard), NoSound(), plain_words)
