"""What it would cost a finished text to have other words in a place, asked of the decoder that found it.

The pass that read the text has already told what every token costs and what any other first token would. That alone
rules most words out; each of the rest needs one short pass from the place where it begins.
"""

import math
from collections.abc import Sequence
from typing import Generic

import numpy as np

from voice_ime.engine.decoding import Decoder, Logits, Marks, Row, S
from voice_ime.engine.reading import Reading

FOLLOWING = 3
"""Tokens after the changed ones whose price counts, too: what was heard next may not go with the new words."""
ROUNDING = 0.5
"""By how much (nats) int8 models may differ between one pass and another."""


class Pricing(Generic[S]):
    """Prices of other texts for the sound of one that was read."""

    def __init__(self, decoder: Decoder[S], marks: Marks, reading: Reading[S], logits: Logits) -> None:
        """`logits`: of the pass over the start mark and the text."""
        self._decoder = decoder
        self._marks = marks
        self._state = reading.state
        self._ids = [*reading.ids, marks.end]
        self._logits = logits
        self._own = [*(choice.log_probability for choice in reading.choices), reading.end_log_probability]

    def price(self, ids: Sequence[int], at_least: float = -math.inf) -> float:
        """log p(the text `ids`) - log p(the text that was read), where they differ and a little beyond, in nats.

        -inf where it is surely below `at_least`.
        """
        other = [*ids, self._marks.end]
        first = _common(self._ids, other)
        if first == len(self._ids) == len(other):
            return 0.0
        same = _common(self._ids[first:][::-1], other[first:][::-1])
        following = min(same, FOLLOWING)
        without = sum(self._own[first : len(self._ids) - same + following])
        new = other[first : len(other) - same + following]
        begin = self._begin(first, new[0])
        if begin - without < at_least - ROUNDING:
            return -math.inf
        return begin + self._rest(first, new) - without

    def _begin(self, place: int, token: int) -> float:
        """Log-probability of `token` at `place` of the text that was read."""
        row = self._logits[place]
        return float(row[token]) - _total(row)

    def _rest(self, place: int, ids: Sequence[int]) -> float:
        """Log-probability of `ids` without the first, which stands at `place`."""
        if len(ids) == 1:
            return 0.0
        logits, _ = self._decoder.run(self._decoder.cut(self._state, place + 1), ids[:-1])
        return sum(float(row[token]) - _total(row) for row, token in zip(logits, ids[1:], strict=True))


def _total(row: Row) -> float:
    best = float(row.max())
    return best + math.log(float(np.exp(row - best).sum()))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length
