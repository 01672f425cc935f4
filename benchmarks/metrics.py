"""What the figures of the benchmarks are, computed from what was said, heard and measured. No sound, no clock.

Error rates are shares (0.25: a quarter of the words is wrong), delays milliseconds.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jiwer
import numpy as np
from whisper_normalizer.english import EnglishTextNormalizer  # type: ignore[import-untyped]

ONE_BY_ONE = ("letters", "digits")
"""Kinds whose letters and digits are compared, not their words."""
BOOTSTRAPS = 1000
BINS = 10

_HAN = re.compile(r"([㐀-鿿豈-﫿])")
_MARKS = re.compile(r"[^\w\s']")
_SPOKEN = re.compile(r"\w")
_normalize = EnglishTextNormalizer()


def comparable(text: str, lang: str = "en", kind: str = "read") -> str:
    """`text` as it is compared: words with blanks between.

    English goes through Whisper's normalizer, which leaves a dot of an ellipsis: that is no word. Chinese characters
    are words of their own, and the Latin words between them are in lower case, without punctuation. Letters and digits
    are compared one by one: "268" is right for "two six eight".
    """
    if lang == "en":
        plain = " ".join(word for word in str(_normalize(text)).split() if _SPOKEN.search(word))
    else:
        plain = " ".join(_HAN.sub(r" \1 ", _MARKS.sub(" ", text.lower())).split())
    return " ".join(plain.replace(" ", "")) if kind in ONE_BY_ONE else plain


@dataclass(frozen=True)
class Pair:
    """One recording: what was said and what was heard, both comparable."""

    said: str
    heard: str
    speaker: str


@dataclass(frozen=True)
class Errors:
    spoken: int
    substituted: int
    left_out: int
    added: int

    @property
    def all(self) -> int:
        return self.substituted + self.left_out + self.added


def word_errors(said: str, heard: str) -> Errors:
    if not said:
        return Errors(0, 0, 0, len(heard.split()))
    found = jiwer.process_words(said, heard)
    return Errors(len(said.split()), found.substitutions, found.deletions, found.insertions)


def error_rates(pairs: Sequence[Pair]) -> dict[str, Any]:
    """{clips, speakers, wer, wer_ci95, cer, spoken, substituted, left_out, added}; rates None where nothing was said.

    The interval is found by drawing speakers anew, because the clips of one speaker are wrong together.
    """
    counts = [word_errors(pair.said, pair.heard) for pair in pairs]
    spoken = sum(count.spoken for count in counts)
    speakers = [pair.speaker for pair in pairs]
    return {
        "clips": len(pairs),
        "speakers": len(set(speakers)),
        "wer": _share(sum(count.all for count in counts), spoken),
        "wer_ci95": interval(speakers, [count.all for count in counts], [count.spoken for count in counts]),
        "cer": character_error_rate(pairs),
        "spoken": spoken,
        "substituted": sum(count.substituted for count in counts),
        "left_out": sum(count.left_out for count in counts),
        "added": sum(count.added for count in counts),
    }


def character_error_rate(pairs: Sequence[Pair]) -> float | None:
    spoken = [pair for pair in pairs if pair.said]
    if not spoken:
        return None
    return round(float(jiwer.cer([pair.said for pair in spoken], [pair.heard for pair in spoken])), 5)


def interval(groups: Sequence[str], errors: Sequence[int], spoken: Sequence[int]) -> list[float] | None:
    """The 95 % interval of sum(errors)/sum(spoken) over groups drawn with replacement; None for fewer than two.

    Draws in which nothing was spoken have no rate. None where all are like that.
    """
    names = sorted(set(groups))
    if len(names) < 2:
        return None
    place = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(names), 2))
    for group, wrong, words in zip(groups, errors, spoken, strict=True):
        sums[place[group]] += (wrong, words)
    draws = np.random.default_rng(1).integers(0, len(names), (BOOTSTRAPS, len(names)))
    drawn = sums[draws].sum(axis=1)
    drawn = drawn[drawn[:, 1] > 0]
    if not len(drawn):
        return None
    rates = drawn[:, 0] / drawn[:, 1]
    low, high = np.percentile(rates, [2.5, 97.5])
    return [round(float(low), 5), round(float(high), 5)]


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 5) if whole else None


# --- delays ---


def percentiles(values: Iterable[float], digits: int = 1) -> dict[str, float | int | None]:
    """{p50, p95, p99, n}; None where there is nothing."""
    known = list(values)
    if not known:
        return {"p50": None, "p95": None, "p99": None, "n": 0}
    found = np.percentile(known, [50, 95, 99])
    return {"p50": _round(found[0], digits), "p95": _round(found[1], digits), "p99": _round(found[2], digits),
            "n": len(known)}  # fmt: skip


def _round(value: float, digits: int) -> float:
    return round(float(value), digits)


def words_of(text: str) -> list[str]:
    """Lower case, without the punctuation around them; each Chinese character is one."""
    spaced = _HAN.sub(r" \1 ", text.lower())
    return [bare for word in spaced.split() if (bare := word.strip(" .,;:!?…\"'“”‘’，。！？；：、-"))]


def first_right(partials: Sequence[str], final: str) -> int | None:
    """The number of the first partial with a word that is in the final."""
    known = set(words_of(final))
    return next((number for number, text in enumerate(partials) if known & set(words_of(text))), None)


def first_lasting(partials: Sequence[str], final: str) -> int | None:
    """The number of the first partial with a word that stays: it is in every later partial and in the final."""
    staying = set(words_of(final))
    first = None
    for number in reversed(range(len(partials))):
        staying &= set(words_of(partials[number]))
        if not staying:
            break
        first = number
    return first


def revisions(partials: Sequence[str], final: str) -> int:
    """How many words that had been shown were changed or taken back later, up to the final."""
    shown = [words_of(text) for text in (*partials, final)]
    return sum(len(earlier) - _agreement(earlier, later) for earlier, later in pairwise(shown))


def _agreement(left: Sequence[str], right: Sequence[str]) -> int:
    for place, (mine, other) in enumerate(zip(left, right, strict=False)):
        if mine != other:
            return place
    return min(len(left), len(right))


# --- confidence ---


@dataclass(frozen=True)
class Judged:
    """One heard word: how sure the engine was, and whether it was right."""

    confidence: float
    right: bool


def judged_words(said: str, words: Sequence[tuple[str, float | None]], lang: str = "en") -> list[Judged]:
    """The heard words (text, confidence) aligned with what was said; those without confidence are left out."""
    confidences = [confidence for _, confidence in words]
    return [
        Judged(confidence, right)
        for place, right in right_words(said, [text for text, _ in words], lang)
        if (confidence := confidences[place]) is not None
    ]


def right_words(said: str, texts: Sequence[str], lang: str = "en") -> list[tuple[int, bool]]:
    """For each piece of the heard words `texts`, compared as `comparable` does: its word, and whether it is right."""
    heard = [(piece, place) for place, text in enumerate(texts) for piece in comparable(text, lang).split()]
    spoken = [piece for word in said.split() for piece in comparable(word, lang).split()]
    right = [False] * len(heard)
    if heard and spoken:
        aligned = jiwer.process_words(" ".join(spoken), " ".join(text for text, _ in heard)).alignments[0]
        for chunk in aligned:
            if chunk.type == "equal":
                right[chunk.hyp_start_idx : chunk.hyp_end_idx] = [True] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
    return [(place, correct) for (_, place), correct in zip(heard, right, strict=True)]


def calibration(words: Sequence[Judged]) -> dict[str, Any]:
    """{words, wrong, ece, auc}: expected calibration error over ten bins, and how well low confidence tells errors."""
    wrong = sum(not word.right for word in words)
    return {
        "words": len(words),
        "wrong": wrong,
        "ece": _calibration_error(words),
        "auc": _area([word.confidence for word in words], [word.right for word in words]),
    }


def _calibration_error(words: Sequence[Judged]) -> float | None:
    if not words:
        return None
    bins: dict[int, list[Judged]] = {}
    for word in words:
        bins.setdefault(min(int(word.confidence * BINS), BINS - 1), []).append(word)
    gaps = (abs(sum(word.confidence for word in each) - sum(word.right for word in each)) for each in bins.values())
    return round(sum(gaps) / len(words), 4)


def _area(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """The share of (right, wrong) pairs in which the right word is the surer one; ties count half."""
    sure = np.array([value for value, good in zip(confidences, right, strict=True) if good])
    unsure = np.sort([value for value, good in zip(confidences, right, strict=True) if not good])
    if not len(sure) or not len(unsure):
        return None
    below = np.searchsorted(unsure, sure, "left") + np.searchsorted(unsure, sure, "right")
    return round(float(below.mean() / 2 / len(unsure)), 4)


def by_group(items: Iterable[Any], key: Callable[[Any], str]) -> Mapping[str, list[Any]]:
    """In the order in which the groups first come."""
    groups: dict[str, list[Any]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
