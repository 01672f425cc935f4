"""Greedy decoding with drafts, over any decoder that predicts the next token.

A draft is a guess at the result, usually the previous hypothesis of the same growing sound. A decoder can check all of
it in one pass; what agrees is kept and decoding goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
"""[ids, vocabulary]: row i predicts what comes after id i."""

Row = NDArray[np.float32]
"""[vocabulary]"""

MARGIN = 1.0
"""Where the best two tokens are closer than this (logits), `greedy` asks again in a way that no draft can influence.
int8 models round differently when several ids go through together: by 0.22 (standard deviation, moonshine tiny), by
0.65 for one token in a hundred; of 12,000 the largest lead that was an illusion was 0.73."""

S = TypeVar("S")


class Decoder(Protocol[S]):
    """What predicts the next token of one text. A state remembers the ids that went in; it is never changed."""

    def run(self, state: S | None, ids: Sequence[int]) -> tuple[Logits, S]:
        """Predictions after each of `ids`, and the state after them. `state` None: from the beginning."""
        ...

    def cut(self, state: S, length: int) -> S:
        """The state after the first `length` ids; 0: nothing but what belongs to the sound."""
        ...


@dataclass(frozen=True)
class Marks:
    """Ids with a meaning."""

    start: int
    end: int


@dataclass(frozen=True)
class Found(Generic[S]):
    """The tokens of a text."""

    ids: tuple[int, ...]
    """Without the marks for start and end."""
    ended: bool
    """Whether the end mark came; else the text was cut."""
    state: S
    """The decoder's state after the start mark and `ids`, or further."""
    logits: Logits | None = None
    """Of one pass over the start mark and `ids`, where there was one."""


def greedy(decoder: Decoder[S], marks: Marks, most: int, draft: Sequence[int] = (), margin: float = MARGIN) -> Found[S]:
    """The likeliest next token, again and again, until the end mark or `most` tokens.

    Where the text goes round and round, one round is kept and the second likeliest token taken after it: what was said
    behind such a place is not lost. After `_MOST_LOOPS` loops the text is cut.

    With the usual `margin` the result is the same for any draft; 0.0 is quicker, and the few close calls may differ.
    """
    return _Search(decoder, marks, most, margin).run(list(draft[:most]))


class _Search(Generic[S]):
    """One greedy search."""

    def __init__(self, decoder: Decoder[S], marks: Marks, most: int, margin: float) -> None:
        self._decoder = decoder
        self._marks = marks
        self._most = most
        self._margin = margin
        self._ids = [marks.start]
        self._loops = 0

    def run(self, draft: list[int]) -> Found[S]:
        row, state, whole = self._check(draft)
        while (token := int(row.argmax())) != self._marks.end:
            if len(self._ids) > self._most:
                return self._cut(length_without_loop(self._ids[1:], ran_away=True), state)
            self._ids.append(token)
            keep = length_without_loop(self._ids[1:])
            if keep == len(self._ids) - 1:
                fresh, state = self._decoder.run(state, [token])
                row, state = self._sure(fresh[-1], state)
                continue
            if self._loops == _MOST_LOOPS:
                return self._cut(keep, state)
            row, state = self._leave_loop(state, keep)
        return Found(tuple(self._ids[1:]), True, state, whole if len(self._ids) - 1 == len(draft) else None)

    def _check(self, draft: list[int]) -> tuple[Row, S, Logits | None]:
        """Keep the agreeing beginning of `draft`: the row that predicts what comes after it, and the state there;
        the logits of the start mark and `draft` where all of it agrees."""
        logits, whole = self._decoder.run(None, [self._marks.start, *draft])
        for place, clear in enumerate(logits):
            row, state = self._sure(clear, whole)
            if place == len(draft):
                return row, state, logits
            if int(row.argmax()) != draft[place]:
                return row, self._decoder.cut(state, place + 1), None
            self._ids.append(draft[place])
        raise AssertionError("the last row always returns")

    def _cut(self, keep: int, state: S) -> Found[S]:
        return Found(tuple(self._ids[1 : keep + 1]), False, state)

    def _leave_loop(self, state: S, keep: int) -> tuple[Row, S]:
        """Keep the first `keep` tokens: the row that predicts what comes after them, without what began the second
        round, and the state there."""
        self._loops += 1
        again = self._ids[keep + 1]
        del self._ids[keep + 1 :]
        logits, fresh = self._decoder.run(self._decoder.cut(state, 0), self._ids)
        row = logits[-1].copy()
        row[again] = -np.inf
        return row, fresh

    def _sure(self, row: Row, state: S) -> tuple[Row, S]:
        """`row` if it is clear, else what one pass over the whole text before it says, which no draft changes."""
        if not self._margin or _margin(row) >= self._margin:
            return row, state
        logits, fresh = self._decoder.run(self._decoder.cut(state, 0), self._ids)
        return logits[-1], fresh


def _margin(row: Row) -> float:
    """How far the best logit is above the second best."""
    best, second = np.partition(row, -2)[[-1, -2]]
    return float(best - second)


_LONGEST_PERIOD = 16
_WORD_PERIOD = 3
"""Tokens of one word and a comma."""
_MOST_LOOPS = 2


def length_without_loop(ids: Sequence[int], *, ran_away: bool = False) -> int:
    """How much of `ids` to keep: all of it, or up to the first round where the end goes round and round.

    A person may say a word five times and a sentence three times: a loop is more, and twelve tokens at least. Where the
    text never came to an end (`ran_away`), two rounds are one.
    """
    for period in range(1, _LONGEST_PERIOD + 1):
        rounds = 2 if ran_away else 6 if period <= _WORD_PERIOD else 4
        looped = period + _repeated(ids, period)
        if looped >= max(12, period * rounds):
            return len(ids) - looped + period
    return len(ids)


def _repeated(ids: Sequence[int], period: int) -> int:
    """How many tokens at the end are the same as the one `period` before them."""
    count = 0
    while count + period < len(ids) and ids[-1 - count] == ids[-1 - count - period]:
        count += 1
    return count
