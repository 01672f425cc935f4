"""When each word was said, from evidence only: words that leave none have no times. Pure: no sound, no model.

Two kinds of evidence. Partials: a word that stays from a certain partial on ended about then; that costs
nothing. Halves: where the words before a border go well with the sound up to a moment, and the words after it with
the sound from there, the border lies at that moment; that costs two passes of the decoder for each moment tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from voice_ime.engine.base import SAMPLE_RATE, Samples

Times = tuple[float | None, float | None]
"""Start and end in seconds from the first sample; None: no evidence."""

_HALVES_EARLY_S = 0.15
"""Halves put a border this much too early, in the middle."""
_HALVES_ALIKE_S = 0.15
"""Borders that are further the wrong way round than this say nothing of the word between them."""
_WORST = -8.0
"""A word that does not fit is not worse than this: one such word must not outvote the others."""
_FRAME = 320
"""Samples of the frames that are called loud or soft."""
_SOFT = 0.001
"""Power of a soft frame, of that of the loudest: 30 dB less."""
_AS_GOOD = 0.2
"""Moments whose evidence differs by less are as good: a pause."""


@dataclass(frozen=True)
class Seen:
    """One partial."""

    at_s: float
    """How much sound there was."""
    words: tuple[str, ...]


def speech_edges(samples: Samples) -> tuple[float, float]:
    """Where the first and the last sound is that is not much softer than the loudest, in seconds; (0, 0) for none."""
    whole = len(samples) // _FRAME * _FRAME
    if not whole:
        return 0.0, 0.0
    power = np.square(samples[:whole].reshape(-1, _FRAME)).mean(axis=1)
    (loud,) = np.nonzero(power > power.max() * _SOFT)
    if not len(loud):
        return 0.0, 0.0
    return float(loud[0]) * _FRAME / SAMPLE_RATE, float(loud[-1] + 1) * _FRAME / SAMPLE_RATE


def from_partials(final: Sequence[str], partials: Sequence[Seen], speech: tuple[float, float]) -> list[Times]:
    """Times of the words of `final` by when each came to stay; `speech`: where the speech begins and ends, in seconds.

    Of words that came to stay together only the first has a start and only the last an end: nothing tells more.
    """
    if not partials or not final:
        return [(None, None)] * len(final)
    ends = [_said_by(step, partials, speech[1]) for step in _steps(_disagreements(final, partials))]
    times: list[Times] = []
    previous = speech[0]
    for place, end in enumerate(ends):
        first = place == 0 or ends[place - 1] != end
        last = place + 1 == len(ends) or ends[place + 1] != end
        times.append((previous if first else None, end if last else None))
        previous = end
    return [(None, None) if end is not None and start == end else (start, end) for start, end in _in_order(times)]


def _in_order(times: Sequence[Times]) -> list[Times]:
    """No word before the one before it."""
    latest = 0.0
    ordered: list[Times] = []
    for start, end in times:
        start = None if start is None else max(start, latest)
        latest = latest if start is None else start
        end = None if end is None else max(end, latest)
        latest = latest if end is None else end
        ordered.append((start, end))
    return ordered


def _said_by(step: int, partials: Sequence[Seen], speech_end: float) -> float:
    """Seconds by which a word was said that came to stay with partial number `step`, or after all of them."""
    if step == len(partials):
        return speech_end
    return min(partials[step].at_s, speech_end)


def _disagreements(final: Sequence[str], partials: Sequence[Seen]) -> NDArray[np.float64]:
    """[words, partials + 1]: how many partials speak against word w having come with partial p: those before it that
    have the word and those from it on that lack it."""
    there = np.array([_agreement(final, seen.words) for seen in partials], np.int64).T
    none = np.zeros((len(final), 1), np.int64)
    early = np.concatenate([none, np.cumsum(there, axis=1)], axis=1)
    late = np.concatenate([np.cumsum((1 - there)[:, ::-1], axis=1)[:, ::-1], none], axis=1)
    costs: NDArray[np.float64] = (early + late).astype(np.float64)
    return costs


def _agreement(final: Sequence[str], partial: Sequence[str]) -> list[bool]:
    """Which words of `final` the partial has, in order."""
    matcher = SequenceMatcher(None, [_letters(word) for word in final], [_letters(word) for word in partial], False)
    there = [False] * len(final)
    for block in matcher.get_matching_blocks():
        there[block.a : block.a + block.size] = [True] * block.size
    return there


def _letters(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())


def _steps(costs: NDArray[np.float64]) -> list[int]:
    """One column for each row, never falling, with the smallest sum of costs."""
    total = costs[0]
    came_from: list[NDArray[np.int64]] = []
    for row in costs[1:]:
        lowest = np.minimum.accumulate(total)
        best: NDArray[np.int64] = np.maximum.accumulate(np.where(total == lowest, np.arange(len(total)), 0))
        came_from.append(best)
        total = lowest + row
    steps = [int(total.argmin())]
    for best in reversed(came_from):
        steps.append(int(best[steps[-1]]))
    return steps[::-1]


def from_halves(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    whole: NDArray[np.float64],
    at_s: Sequence[float],
    duration_s: float,
) -> list[Times]:
    """Times of words by how well they go with parts of the sound.

    `before`, `after`: [moments, words], log-probability of each word given the sound up to, and from, each moment;
    `whole`: [words], given all of it; `at_s`: the moments, rising; `duration_s`: of the sound.
    """
    words = len(whole)
    if not words or not len(at_s):
        return [(None, None)] * words
    none = np.zeros((len(at_s), 1))
    left = np.concatenate([none, np.cumsum(np.clip(before - whole, _WORST, 0), axis=1)], axis=1)
    right = np.concatenate([none, np.cumsum(np.clip(after - whole, _WORST, 0)[:, ::-1], axis=1)], axis=1)[:, ::-1]
    evidence = left + right
    borders = [_pause(evidence[:, border], best) for border, best in enumerate(_steps(-evidence.T))]
    late = [min(max(moment + _HALVES_EARLY_S, 0.0), duration_s) for moment in at_s]
    return _in_order([_between(late[last], late[first]) for (_, last), (first, _) in pairwise(borders)])


def _between(start: float, end: float) -> Times:
    """The time of a word between two borders; a word shorter than the moments tried is one moment long."""
    if start > end + _HALVES_ALIKE_S:
        return (None, None)
    middle = (start + end) / 2
    return (min(start, middle), max(end, middle))


def _pause(evidence: NDArray[np.float64], best: int) -> tuple[int, int]:
    """First and last of the moments around `best` that are as good."""
    first = last = best
    least = evidence[best] - _AS_GOOD
    while first > 0 and evidence[first - 1] >= least:
        first -= 1
    while last + 1 < len(evidence) and evidence[last + 1] >= least:
        last += 1
    return first, last
