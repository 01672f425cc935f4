"""What it would cost a finished text to have other words in a place, asked of the decoder that found it.

The pass that read the text has already told what every token costs and what any other first token would. That alone
rules most words out; each of the rest needs one short pass from the place where it begins.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from voice_ime.engine.decoding import Decoder, Logits, Marks, Row, S
from voice_ime.engine.reading import Reading, common_length

FOLLOWING = 3
"""Tokens after the changed ones whose price counts, too: what was heard next may not go with the new words."""
ROUNDING = 0.5
"""By how much (nats) int8 models may differ between one pass and another."""
MOST_PASSES = 8
"""For all that is asked about one text: the most promising come first."""


@dataclass(frozen=True)
class Asked:
    """Texts that have something else in the place of words `first` to `last` (exclusive) of the one that was read."""

    first: int
    last: int
    texts: tuple[tuple[int, ...], ...]
    """Their tokens; the cheapest counts."""
    at_least: float = -math.inf
    """A price below this is of no use."""


class Pricing(Generic[S]):
    """Prices of other texts for the sound of one that was read."""

    def __init__(self, decoder: Decoder[S], marks: Marks, reading: Reading[S], logits: Logits) -> None:
        """`logits`: of the pass over the start mark and the text."""
        self._decoder = decoder
        self._marks = marks
        self._state = reading.state
        self._ids = [*reading.ids, marks.end]
        self._logits = logits
        end = float(logits[len(reading.ids)][marks.end]) - _total(logits[len(reading.ids)])
        self._own = [*(choice.log_probability for choice in reading.choices), end]
        """Log-probability of each token of the text, the end included, also where the text was cut."""

    def prices(self, asked: Sequence[Asked]) -> list[float]:
        """For each: log p(with it) - log p(without), in nats.

        -inf where it is surely of no use, cannot be better than another one for the same words, or is among the least
        promising of very many.
        """
        found = [-math.inf] * len(asked)
        passes = 0
        for promise, number, ids in self._promising(asked):
            one = asked[number]
            beaten = any(
                price - asked[other].at_least > promise and _overlap(one, asked[other])
                for other, price in enumerate(found)
                if other != number
            )
            if passes >= MOST_PASSES:
                break
            if not beaten:
                change = self._change(ids)
                passes += change is not None and len(change.new) > 1
                found[number] = max(found[number], self._price(change))
        return found

    def price(self, ids: Sequence[int], at_least: float = -math.inf) -> float:
        """Of the text `ids` alone."""
        return self.prices([Asked(0, 0, (tuple(ids),), at_least)])[0]

    def _promising(self, asked: Sequence[Asked]) -> list[tuple[float, int, tuple[int, ...]]]:
        """(how far it may get above what is of use, number, text), the most promising first."""
        found = []
        for number, one in enumerate(asked):
            for ids in one.texts:
                promise = self._best(self._change(ids)) - one.at_least
                if promise >= -ROUNDING:
                    found.append((promise, number, ids))
        return sorted(found, key=lambda each: -each[0])

    def _change(self, ids: Sequence[int]) -> "_Change | None":
        """Where the text `ids` differs from the one that was read, and a little beyond; None: nowhere."""
        other = [*ids, self._marks.end]
        first = common_length(self._ids, other)
        if first == len(self._ids) == len(other):
            return None
        same = common_length(self._ids[first:][::-1], other[first:][::-1])
        following = min(same, FOLLOWING)
        without = math.fsum(self._own[first : len(self._ids) - same + following])
        return _Change(first, tuple(other[first : len(other) - same + following]), without)

    def _best(self, change: "_Change | None") -> float:
        """What the price cannot exceed: as if all after the first token were certain."""
        if change is None:
            return 0.0
        return self._begin(change.first, change.new[0]) - change.without

    def _price(self, change: "_Change | None") -> float:
        return 0.0 if change is None else self._best(change) + self._rest(change.first, change.new)

    def _begin(self, place: int, token: int) -> float:
        """Log-probability of `token` at `place` of the text that was read."""
        row = self._logits[place]
        return self._own[place] + float(row[token]) - float(row[self._ids[place]])

    def _rest(self, place: int, ids: Sequence[int]) -> float:
        """Log-probability of `ids` without the first, which stands at `place`."""
        if len(ids) == 1:
            return 0.0
        logits, _ = self._decoder.run(self._decoder.cut(self._state, place + 1), ids[:-1])
        return sum(float(row[token]) - _total(row) for row, token in zip(logits, ids[1:], strict=True))


@dataclass(frozen=True)
class _Change:
    """From token `first` on `new` stands, in place of what costs `without`."""

    first: int
    new: tuple[int, ...]
    without: float


def _overlap(one: Asked, other: Asked) -> bool:
    return one.first < other.last and other.first < one.last


def _total(row: Row) -> float:
    best = float(row.max())
    return best + math.log(float(np.exp(row - best).sum()))
