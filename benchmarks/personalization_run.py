"""Corrects utterances with lists of words, as the product does, and counts what became of them."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.metrics import comparable, percentiles
from benchmarks.personalization_scores import Errors, errors, intervals
from voice_ime.engine.base import Capabilities, Hypothesis, Options, Samples, Substitution, Utterance, Word
from voice_ime.personalize.correct import Corrector
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.english_index import EnglishIndex
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.profile import Entry, Profile
from voice_ime.personalize.weighing import Weighing

TEXT_ONLY = Capabilities(engine="text", languages=("en",))


@dataclass(frozen=True)
class Condition:
    """What stands in the lists."""

    source: str
    """text or sound"""
    size: int
    """Words in each list besides the terms."""
    absent: bool = False
    """Whether the terms are left out."""
    near: bool = False
    """Whether words that sound near to what was said are among the others."""

    def about(self) -> dict[str, Any]:
        return {"source": self.source, "list_size": self.size, "absent": self.absent, "near": self.near}


@dataclass(frozen=True)
class Case:
    """One utterance: what was said, and what was heard of it."""

    said: tuple[str, ...]
    """Comparable words."""
    terms: frozenset[str]
    speaker: str
    heard: Hypothesis
    words_of: Callable[[str], list[str]]
    """Makes the comparable words of a text."""


class NoSound(Utterance):
    """Of a text of which the sound is not known."""

    def feed(self, samples: Samples) -> None:
        raise TypeError

    def partial(self) -> None:
        return None

    def finish(self) -> Hypothesis:
        raise TypeError

    def cancel(self) -> None:
        return


class Stopwatch(Utterance):
    """An utterance that was finished, and how long its prices took."""

    def __init__(self, utterance: Utterance) -> None:
        self.price_s = 0.0
        self._utterance = utterance

    def feed(self, samples: Samples) -> None:
        self._utterance.feed(samples)

    def partial(self) -> Hypothesis | None:
        return self._utterance.partial()

    def finish(self) -> Hypothesis:
        return self._utterance.finish()

    def cancel(self) -> None:
        self._utterance.cancel()

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> Sequence[float | None]:
        began = time.perf_counter()
        prices = self._utterance.price(final, substitutions)
        self.price_s += time.perf_counter() - began
        return prices


def heard_text(text: str) -> Hypothesis:
    return Hypothesis(text, tuple(Word(word) for word in text.split()), final=True, language="en")


def plain_words(text: str) -> list[str]:
    """Of texts that have no marks and no capitals."""
    return text.lower().split()


def spoken_words(text: str) -> list[str]:
    return comparable(text).split()


@dataclass(frozen=True)
class Corrections:
    """Makes lists ready and corrects with them."""

    english: English
    weighing: Weighing

    def corrected(self, case: Case, listed: Iterable[str], sound: Utterance, can: Capabilities) -> Hypothesis:
        entries = tuple(Entry(id=f"e{number}", written=word) for number, word in enumerate(dict.fromkeys(listed)))
        index = EnglishIndex(entries, self.english, self.weighing)
        corrector = Corrector(Profile(name="bench", entries=entries), index, Decider(self.weighing.balance))
        return corrector.correct(case.heard, sound, can, Options("en"))


@dataclass
class Tally:
    """What became of the utterances of one condition."""

    condition: Condition
    before: list[Errors] = field(default_factory=list)
    after: list[Errors] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
    replaced: int = 0
    offered: int = 0
    right_to_wrong: int = 0
    all_s: list[float] = field(default_factory=list)
    price_s: list[float] = field(default_factory=list)

    def add(self, case: Case, corrected: Hypothesis, price_s: float) -> None:
        before = errors(case.said, case.words_of(case.heard.text), case.terms)
        after = errors(case.said, case.words_of(corrected.text), case.terms) if corrected.changes else before
        self.before.append(before)
        self.after.append(after)
        self.speakers.append(case.speaker)
        self.replaced += sum(change.kind == "replace" for change in corrected.changes)
        self.offered += sum(change.kind == "offer" for change in corrected.changes)
        self.right_to_wrong += sum(after.all > without.all for without in _each_undone(case, corrected))
        self.all_s.append(corrected.timings.get("personal_s", 0.0))
        self.price_s.append(price_s)

    def figures(self) -> dict[str, Any]:
        after = sum(self.after, Errors())
        spoken = after.other_words + after.listed_words
        retrieval = [all_s - price_s for all_s, price_s in zip(self.all_s, self.price_s, strict=True)]
        return (
            self.condition.about()
            | after.rates()
            | {
                "replaced_right_to_wrong_per_1000": round(1000 * self.right_to_wrong / spoken, 2) if spoken else None,
                "ms_per_utterance": _ms(self.all_s),
                "ms_retrieval": _ms(retrieval),
                "ms_verification": _ms(self.price_s),
                "without_list": sum(self.before, Errors()).rates(),
                "ci95": intervals(self.speakers, self.after) | {"change": _changes(self)},
                "utterances": len(self.after),
                "words": spoken,
                "terms": after.listed_words,
                "replaced": self.replaced,
                "offered": self.offered,
                "better": sum(new.all < old.all for old, new in zip(self.before, self.after, strict=True)),
                "worse": sum(new.all > old.all for old, new in zip(self.before, self.after, strict=True)),
            }
        )


def _each_undone(case: Case, corrected: Hypothesis) -> Iterable[Errors]:
    """The errors with each replacement taken back, one at a time."""
    words = [word.text for word in corrected.words]
    for change in corrected.changes:
        if change.kind == "replace":
            text = " ".join([*words[: change.first], change.heard, *words[change.last :]])
            yield errors(case.said, case.words_of(text), case.terms)


def _changes(tally: Tally) -> dict[str, list[float]]:
    """By how much the rates changed: 95 % intervals, speakers drawn anew."""
    names = sorted(set(tally.speakers))
    place = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(names), 5))
    for speaker, old, new in zip(tally.speakers, tally.before, tally.after, strict=True):
        words = new.other_words + new.listed_words
        sums[place[speaker]] += (new.all - old.all, words, new.others - old.others, new.listed - old.listed, 0)
        sums[place[speaker], 4] += new.listed_words
    drawn = sums[np.random.default_rng(1).integers(0, len(names), (1000, len(names)))].sum(axis=1)
    spoken, terms = np.maximum(drawn[:, 1], 1), np.maximum(drawn[:, 4], 1)
    rates = {
        "wer": drawn[:, 0] / spoken,
        "u_wer": drawn[:, 2] / np.maximum(spoken - drawn[:, 4], 1),
        "b_wer": drawn[:, 3] / terms,
    }
    return {name: (100 * np.percentile(rate, [2.5, 97.5])).round(2).tolist() for name, rate in rates.items()}


def _ms(seconds: Sequence[float]) -> dict[str, Any]:
    found = percentiles([1000 * each for each in seconds], 2)
    return {"p50": found["p50"], "p95": found["p95"]}
