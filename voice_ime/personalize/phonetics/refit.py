"""Sounds that one person's recogniser takes for each other, learned from confirmed corrections.

Each confirmed correction is a pair of sounds; where they are aligned, one phone was taken for another. The more often
that has happened, the nearer the two become. Few corrections change little: `SLOW` of them halve a cost.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from voice_ime.personalize.phonetics.costs import PhoneCosts
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.phonetics.phones import CODES
from voice_ime.personalize.profile import Lesson, State

SLOW = 4
LEAST = 0.3
"""Part of its cost that a pair keeps at least: other sounds must stay other sounds."""
FARTHEST = 0.5
"""Distance for each phone up to which two sounds are the same word misheard; beyond, nothing is learned of phones."""

Pair = tuple[int, int]
"""Numbers of two phones, the smaller first."""


def refitted(costs: PhoneCosts, lessons: Sequence[Lesson], english: English) -> PhoneCosts:
    """`costs` after what the active lessons say about English; itself where they say nothing."""
    counts: Counter[Pair] = Counter()
    for lesson in lessons:
        if lesson.state is State.ACTIVE and lesson.language == "en":
            counts.update(_taken(lesson.heard, lesson.written, english, costs))
    if not counts:
        return costs
    substitution = costs.substitution.copy()
    for (one, other), count in counts.items():
        part = max(LEAST, SLOW / (SLOW + count))
        substitution[one, other] *= part
        substitution[other, one] *= part
    return PhoneCosts(substitution, costs.indel)


def _taken(heard: str, written: str, english: English, costs: PhoneCosts) -> Iterable[Pair]:
    """The pairs of phones of the nearest readings."""
    readings = [(a, b) for a in english.sounds(heard) for b in english.sounds(written)]
    aligned = [_aligned(_numbers(a), _numbers(b), costs) for a, b in readings]
    cost, pairs = min(aligned, key=lambda each: each[0], default=(np.inf, []))
    return pairs if cost <= FARTHEST else []


def _aligned(heard: Sequence[int], written: Sequence[int], costs: PhoneCosts) -> tuple[float, list[Pair]]:
    """(distance for each phone of `written`, the phones that stand for another one) of the cheapest alignment."""
    rows: list[list[tuple[float, tuple[Pair, ...]]]] = [[(0.0, ())]]
    for phone in written:
        cost, pairs = rows[0][-1]
        rows[0].append((cost + float(costs.indel[phone]), pairs))
    for said in heard:
        above = rows[-1]
        cost, pairs = above[0]
        row = [(cost + float(costs.indel[said]), pairs)]
        for place, phone in enumerate(written):
            swapped, swaps = above[place]
            new = swaps if said == phone else (*swaps, (min(said, phone), max(said, phone)))
            row.append(
                min(
                    (swapped + float(costs.substitution[said, phone]), new),
                    (above[place + 1][0] + float(costs.indel[said]), above[place + 1][1]),
                    (row[place][0] + float(costs.indel[phone]), row[place][1]),
                    key=lambda each: each[0],
                )
            )
        rows.append(row)
    cost, pairs = rows[-1][-1]
    return cost / max(1, len(written)), list(pairs)


def _numbers(sound: str) -> list[int]:
    return [CODES.index(code) for code in sound]
