"""Errors on listed words and on the others. Words in, counts out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
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


def intervals(groups: Sequence[str], counted: Sequence[Errors], draws: int = 1000) -> dict[str, Any]:
    """The 95 % intervals of the rates, speakers drawn anew."""
    names = sorted(set(groups))
    place = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(names), 4))
    for group, each in zip(groups, counted, strict=True):
        sums[place[group]] += (each.others, each.other_words, each.listed, each.listed_words)
    drawn = sums[np.random.default_rng(1).integers(0, len(names), (draws, len(names)))].sum(axis=1)
    rates = {
        "wer": (drawn[:, 0] + drawn[:, 2]) / np.maximum(drawn[:, 1] + drawn[:, 3], 1),
        "u_wer": drawn[:, 0] / np.maximum(drawn[:, 1], 1),
        "b_wer": drawn[:, 2] / np.maximum(drawn[:, 3], 1),
    }
    return {name: (100 * np.percentile(rate, [2.5, 97.5])).round(2).tolist() for name, rate in rates.items()}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
