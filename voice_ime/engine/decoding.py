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

MARGIN = 0.7
"""Where the best two tokens are closer than this (logits), `greedy` asks again in a way that no draft can influence.
int8 models round differently when several ids go through together: by 0.25 (standard deviation, moonshine tiny), and
by 0.68 for one token in a hundred."""

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
class Choice:
    """One token and what else it could have been."""

    token: int
    log_probability: float
    """Natural logarithm."""
    runner_up: int
    runner_up_log_probability: float
    margin: float
    """Best logit minus the second best."""


@dataclass(frozen=True)
class Decoding:
    """A decoded text."""

    choices: tuple[Choice, ...]
    """Without the marks for start and end."""
    end_log_probability: float
    """Log-probability of ending here; 0.0 where the text was cut."""

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(choice.token for choice in self.choices)

    @property
    def log_probability(self) -> float:
        """Of the whole text, the end included."""
        return sum(choice.log_probability for choice in self.choices) + self.end_log_probability


def greedy(
    decoder: Decoder[S], marks: Marks, most: int, draft: Sequence[int] = (), margin: float = MARGIN
) -> Decoding:
    """The likeliest next token, again and again, until the end mark, a loop, or `most` tokens.

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
        self._choices: list[Choice] = []

    def run(self, draft: list[int]) -> Decoding:
        choice, state = self._check(draft)
        while choice.token != self._marks.end:
            if len(self._choices) >= self._most:
                return Decoding(tuple(self._choices), 0.0)
            self._choices.append(choice)
            keep = length_without_loop(self._ids()[1:])
            if keep < len(self._choices):
                return Decoding(tuple(self._choices[:keep]), 0.0)
            logits, state = self._decoder.run(state, [choice.token])
            choice, state = self._sure(choose(logits[-1]), state)
        return Decoding(tuple(self._choices), choice.log_probability)

    def _check(self, draft: list[int]) -> tuple[Choice, S]:
        """Keep the agreeing beginning of `draft`; what comes after it, and the state there."""
        logits, whole = self._decoder.run(None, [self._marks.start, *draft])
        for place, row in enumerate(logits):
            choice, state = self._sure(choose(row), whole)
            if place == len(draft) or choice.token != draft[place]:
                return choice, self._decoder.cut(state, place + 1)
            self._choices.append(choice)
        raise AssertionError("the last row always returns")

    def _sure(self, choice: Choice, state: S) -> tuple[Choice, S]:
        """`choice` if it is clear, else what one pass over the whole text before it says, which no draft changes."""
        if choice.margin >= self._margin:
            return choice, state
        logits, fresh = self._decoder.run(self._decoder.cut(state, 0), self._ids())
        return choose(logits[-1]), fresh

    def _ids(self) -> list[int]:
        return [self._marks.start, *(choice.token for choice in self._choices)]


def choose(row: NDArray[np.float32]) -> Choice:
    """The likeliest token of a row of logits [vocabulary]."""
    best = int(row.argmax())
    shifted = row - row[best]
    total = float(np.log(np.exp(shifted).sum()))
    shifted[best] = -np.inf
    second = int(shifted.argmax())
    margin = -float(shifted[second])
    return Choice(best, -total, second, -margin - total, margin)


def log_probability(logits: Logits, ids: Sequence[int]) -> float:
    """Of `ids`, each predicted by the row of the same number."""
    rows = logits[: len(ids)].astype(np.float64)
    rows -= rows.max(axis=1, keepdims=True)
    chosen = rows[np.arange(len(ids)), list(ids)]
    return float((chosen - np.log(np.exp(rows).sum(axis=1))).sum())


_LONGEST_PERIOD = 12
_LEAST_REPEATS = 4
_LEAST_REPEATED = 8


def length_without_loop(ids: Sequence[int]) -> int:
    """How much of `ids` to keep: all of it, or up to the first round where the end goes round and round.

    A person may say a word four times; a loop is four rounds and at least eight tokens.
    """
    for period in range(1, _LONGEST_PERIOD + 1):
        rounds = max(_LEAST_REPEATS, -(-_LEAST_REPEATED // period))
        looped = period * rounds
        if looped > len(ids):
            continue
        tail = ids[len(ids) - looped :]
        if all(tail[i] == tail[i - period] for i in range(period, looped)):
            return len(ids) - looped + period
    return len(ids)
