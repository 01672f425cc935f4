"""Errors on listed words and on the others. Words in, counts out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True)
class Errors:
    """Of some utterances."""

    others: int = 0
    """Errors on words that are not in the list..."""
    other_words: int = 0
    """... out of so many."""
    listed: int = 0
    """Errors on listed words, and listed words that nobody said..."""
    listed_words: int = 0

    def __add__(self, more: "Errors") -> "Errors":
        return Errors(
            self.others + more.others,
            self.other_words + more.other_words,
            self.listed + more.listed,
            self.listed_words + more.listed_words,
        )

    @property
    def all(self) -> int:
        return self.others + self.listed

    def rates(self) -> dict[str, float]:
        """{wer, u_wer, b_wer}, in per cent."""
        words = self.other_words + self.listed_words
        return {
            "wer": _percent(self.all, words),
            "u_wer": _percent(self.others, self.other_words),
            "b_wer": _percent(self.listed, self.listed_words),
        }


def errors(said: Sequence[str], heard: Sequence[str], terms: frozenset[str]) -> Errors:
    """`terms`: the listed words that were said. What is added counts by the word that was added."""
    listed_words = sum(word in terms for word in said)
    listed = others = 0
    for edit in Levenshtein.editops(said, heard):
        word = heard[edit.dest_pos] if edit.tag == "insert" else said[edit.src_pos]
        if word in terms:
            listed += 1
        else:
            others += 1
    return Errors(others, len(said) - listed_words, listed, listed_words)


def right(said: Sequence[str], heard: Sequence[str]) -> list[bool]:
    """For each heard word, whether it was said there."""
    found = [False] * len(heard)
    for code in Levenshtein.opcodes(said, heard):
        if code.tag == "equal":
            found[code.dest_start : code.dest_end] = [True] * (code.dest_end - code.dest_start)
    return found


def intervals(groups: Sequence[str], counted: Sequence[Errors]) -> dict[str, Any]:
    """The 95 % intervals of the rates, speakers drawn anew."""
    rows = [(each.others, each.other_words, each.listed, each.listed_words) for each in counted]
    others, other_words, listed, listed_words = drawn(groups, rows)
    rates = {
        "wer": (others + listed) / np.maximum(other_words + listed_words, 1),
        "u_wer": others / np.maximum(other_words, 1),
        "b_wer": listed / np.maximum(listed_words, 1),
    }
    return {name: middle(100 * rate) for name, rate in rates.items()}


def drawn(groups: Sequence[str], rows: Sequence[Sequence[float]], draws: int = 1000) -> NDArray[np.float64]:
    """[columns, draws]: the sums of each column of `rows`, with as many groups drawn anew as there are."""
    names = sorted(set(groups))
    place = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(names), len(rows[0])))
    np.add.at(sums, [place[group] for group in groups], np.asarray(rows, float))
    found: NDArray[np.float64] = sums[np.random.default_rng(1).integers(0, len(names), (draws, len(names)))].sum(axis=1)
    return found.T


def middle(figures: NDArray[np.float64]) -> list[float]:
    """Between which two 95 % of them are."""
    found: list[float] = np.percentile(figures, [2.5, 97.5]).round(2).tolist()
    return found


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
