"""Corrects utterances with lists of words, as the product does, and counts what became of them."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np

from benchmarks.metrics import comparable, percentiles
from benchmarks.personalization_ablation import NOTHING, Ablation
from benchmarks.personalization_data import Listed
from benchmarks.personalization_scores import Errors, drawn, errors, intervals, middle, right
from benchmarks.recordings import with_progress
from voice_ime.engine.base import Capabilities, Hypothesis, Options, Samples, Substitution, Utterance, Word
from voice_ime.engine.wrapped import WrappedUtterance
from voice_ime.personalize.correct import Corrector
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.english_index import EnglishIndex
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.profile import Entry, Profile
from voice_ime.personalize.weighing import Weighing

TEXT_ONLY = Capabilities(engine="text", languages=("en",))

Own = Literal["", "others", "all"]


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
    own: Own = ""
    """The speaker's rare words make the list: those of the other utterances, or of all."""

    @property
    def name(self) -> str:
        if self.own:
            return f"speaker {self.own}"
        if not self.size and not self.absent:
            return "oracle"
        return f"{'near ' if self.near else ''}{'absent' if self.absent else 'present'}"

    def about(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "condition": self.name,
            "list_size": self.size,
            "absent": self.absent,
            "near": self.near,
        }


@dataclass(frozen=True)
class Task:
    """One row of the figures."""

    condition: Condition
    decoder: str | None = None
    """How the sound was decoded; None: nobody knows."""
    without: Ablation = NOTHING

    @property
    def label(self) -> str:
        off = f" without {self.without.name}" if self.without.name else ""
        return f"{self.condition.name} {self.condition.size}{off}"

    def about(self) -> dict[str, Any]:
        return self.condition.about() | {"decoder": self.decoder, "without": self.without.name}


@dataclass(frozen=True)
class Heard:
    """One utterance: what was said and what was heard."""

    id: str
    said: tuple[str, ...]
    """Comparable words."""
    speaker: str
    hypothesis: Hypothesis
    sound: Utterance
    words_of: Callable[[str], list[str]]
    """Makes the comparable words of a text."""


class Source(Protocol):
    """Utterances that were heard in one way."""

    @property
    def utterances(self) -> Sequence[Heard]: ...

    @property
    def can(self) -> Capabilities:
        """What the prices and words of these utterances are good for."""
        ...

    def listed(self, one: Heard, condition: Condition) -> Listed: ...


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


class Stopwatch(WrappedUtterance):
    """An utterance that was finished, and how long its prices took."""

    def __init__(self, utterance: Utterance) -> None:
        super().__init__(utterance)
        self.price_s = 0.0

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> Sequence[float | None]:
        began = time.perf_counter()
        prices = self._inner.price(final, substitutions)
        self.price_s += time.perf_counter() - began
        return prices

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        began = time.perf_counter()
        heard = self._inner.rehear(phrases)
        self.price_s += time.perf_counter() - began
        return heard


def heard_text(text: str) -> Hypothesis:
    return Hypothesis(text, tuple(Word(word) for word in text.split()), final=True, language="en")


def plain_words(text: str) -> list[str]:
    """Of texts that have no marks and no capitals."""
    return text.lower().split()


def spoken_words(text: str) -> list[str]:
    return comparable(text).split()


@dataclass(frozen=True)
class Remembering(English):
    """Forgets no sound: the lists of thousands of utterances are drawn from the same 200,000 words."""

    _all: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def sounds(self, text: str) -> tuple[str, ...]:
        if text not in self._all:
            self._all[text] = super().sounds(text)
        return self._all[text]


@dataclass(frozen=True)
class Corrections:
    """Makes lists ready and corrects with them."""

    english: English
    weighing: Weighing
    without: Ablation = NOTHING
    _entries: dict[str, Entry] = field(default_factory=dict)
    """By their words: making them anew for each list would take a third of the time."""

    def corrected(self, heard: Hypothesis, listed: Iterable[str], sound: Utterance, can: Capabilities) -> Hypothesis:
        if not self.without.replaces:
            return heard
        weighing = self.without.weighing(self.weighing)
        entries = tuple(self._entry(word) for word in dict.fromkeys(listed))
        index = EnglishIndex(entries, self.english, weighing)
        corrector = Corrector(Profile(name="bench", entries=entries), index, Decider(weighing.balance))
        return corrector.correct(self.without.heard(heard), sound, self.without.can(can), Options("en"))

    def _entry(self, word: str) -> Entry:
        if word not in self._entries:
            self._entries[word] = Entry(id=f"e{len(self._entries)}", written=word)
        return self._entries[word]


def measured(task: Task, source: Source, corrections: Corrections, label: str) -> dict[str, Any]:
    """The figures of one row."""
    tally, corrections = Tally(), replace(corrections, without=task.without)
    for one in with_progress(source.utterances, label):
        list_ = source.listed(one, task.condition)
        case = Case(one.said, list_.terms, one.speaker, one.hypothesis, one.words_of)
        words, sound = list_.words(absent=task.condition.absent), Stopwatch(one.sound)
        corrected = corrections.corrected(one.hypothesis, words, sound, source.can)
        tally.add(case, corrected, words, sound.price_s)
    nothing_listed_was_said = {"term_precision": None} if task.condition.absent else {}
    return task.about() | tally.figures() | nothing_listed_was_said


@dataclass(frozen=True)
class Outcome:
    """What became of one utterance."""

    speaker: str
    before: Errors
    after: Errors
    found: tuple[int, int, int]
    """Listed words that were said and stand there, at first; the same after; listed words that stand there after."""
    replaced: int
    offered: int
    right_to_wrong: int
    listed: int
    """Words in the list."""
    all_s: float
    price_s: float

    @property
    def words(self) -> int:
        return self.after.other_words + self.after.listed_words


@dataclass
class Tally:
    """What became of the utterances of one row."""

    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, case: Case, corrected: Hypothesis, listed: Iterable[str], price_s: float) -> None:
        heard, written = case.words_of(case.heard.text), case.words_of(corrected.text)
        before = errors(case.said, heard, case.terms)
        after = errors(case.said, written, case.terms) if corrected.changes else before
        words = frozenset(listed)
        hits, standing = _found(case, written, words)
        self.outcomes.append(
            Outcome(
                speaker=case.speaker,
                before=before,
                after=after,
                found=(_found(case, heard, words)[0], hits, standing),
                replaced=sum(change.kind == "replace" for change in corrected.changes),
                offered=sum(change.kind == "offer" for change in corrected.changes),
                right_to_wrong=sum(after.all > without.all for without in _each_undone(case, corrected)),
                listed=len(words),
                all_s=corrected.timings.get("personal_s", 0.0),
                price_s=price_s,
            )
        )

    def figures(self) -> dict[str, Any]:
        each = self.outcomes
        before, after = sum((one.before for one in each), Errors()), sum((one.after for one in each), Errors())
        heard, hits, standing = (sum(one.found[part] for one in each) for part in range(3))
        words, terms = after.other_words + after.listed_words, after.listed_words
        return after.rates() | {
            "replaced_right_to_wrong_per_1000": _share(1000, sum(one.right_to_wrong for one in each), words),
            "term_recall": _share(100, hits, terms),
            "term_precision": _share(100, hits, standing),
            "ms_per_utterance": _ms([one.all_s for one in each]),
            "ms_retrieval": _ms([one.all_s - one.price_s for one in each]),
            "ms_verification": _ms([one.price_s for one in each]),
            "without_list": before.rates() | {"term_recall": _share(100, heard, terms)},
            "ci95": _intervals(each),
            "utterances": len(each),
            "speakers": len({one.speaker for one in each}),
            "words": words,
            "terms": terms,
            "words_in_list": round(sum(one.listed for one in each) / len(each), 1),
            "replaced": sum(one.replaced for one in each),
            "offered": sum(one.offered for one in each),
            "better": sum(one.after.all < one.before.all for one in each),
            "worse": sum(one.after.all > one.before.all for one in each),
        }


def _found(case: Case, written: Sequence[str], listed: frozenset[str]) -> tuple[int, int]:
    """Terms that were said and stand there; all listed words that stand there."""
    standing = sum(word in listed or word in case.terms for word in written)
    if not standing:
        return 0, 0
    true = zip(written, right(case.said, written), strict=True)
    return sum(was_said and word in case.terms for word, was_said in true), standing


def _each_undone(case: Case, corrected: Hypothesis) -> Iterable[Errors]:
    """The errors with each replacement taken back, one at a time."""
    words = [word.text for word in corrected.words]
    for change in corrected.changes:
        if change.kind == "replace":
            text = " ".join([*words[: change.first], change.heard, *words[change.last :]])
            yield errors(case.said, case.words_of(text), case.terms)


def _intervals(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """95 % intervals, speakers drawn anew: of the rates, and of by how much they changed."""
    speakers = [one.speaker for one in outcomes]
    columns = [(*_change(one), one.right_to_wrong, one.words, one.after.listed_words) for one in outcomes]
    others, listed, harm, all_words, terms = drawn(speakers, columns)
    words = np.maximum(all_words, 1)
    change = {
        "wer": middle(100 * (others + listed) / words),
        "u_wer": middle(100 * others / np.maximum(all_words - terms, 1)),
        "b_wer": middle(100 * listed / np.maximum(terms, 1)),
    }
    rates = intervals(speakers, [one.after for one in outcomes])
    return rates | {"replaced_right_to_wrong_per_1000": middle(1000 * harm / words), "change": change}


def _change(one: Outcome) -> tuple[int, int]:
    return one.after.others - one.before.others, one.after.listed - one.before.listed


def _share(of: int, part: int, whole: int) -> float | None:
    return round(of * part / whole, 2) if whole else None


def _ms(seconds: Sequence[float]) -> dict[str, Any]:
    found = percentiles([1000 * each for each in seconds], 2)
    return {"p50": found["p50"], "p95": found["p95"]}
