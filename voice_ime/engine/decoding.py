"""Greedy decoding with drafts, over any decoder that predicts the next token.

A draft is a guess at the result, usually the previous hypothesis of the same growing sound. A decoder can check all of
it in one pass; what agrees is kept and decoding goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
"""[ids, vocabulary]: row i predicts what comes after id i."""

MARGIN = 1.0
"""Where the best two tokens of a draft pass are closer than this (logits), the pass does not decide: int8 models round
differently when several ids go through together."""

S = TypeVar("S")


class Decoder(Protocol[S]):
    """What predicts the next token of one text. A state remembers the ids that went in; it is never changed."""

    def run(self, state: S | None, ids: Sequence[int]) -> tuple[Logits, S]:
        """Predictions after each of `ids`, and the state after them. `state` None: from the beginning."""
        ...

    def cut(self, state: S, length: int) -> S:
        """The state after the first `length` ids (1 or more)."""
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


def greedy(decoder: Decoder[S], marks: Marks, most: int, draft: Sequence[int] = ()) -> Decoding:
    """The likeliest next token, again and again, until the end mark, a loop, or `most` tokens."""
    choices, state, choice = _checked(decoder, marks, list(draft[:most]))
    while choice.token != marks.end:
        if len(choices) >= most:
            return Decoding(tuple(choices), 0.0)
        choices.append(choice)
        keep = length_without_loop([each.token for each in choices])
        if keep < len(choices):
            return Decoding(tuple(choices[:keep]), 0.0)
        logits, state = decoder.run(state, [choice.token])
        choice = choose(logits[-1])
    return Decoding(tuple(choices), choice.log_probability)


def _checked(decoder: Decoder[S], marks: Marks, draft: list[int]) -> tuple[list[Choice], S, Choice]:
    """The agreeing beginning of `draft`, the state after it, and the choice that comes next."""
    ids = [marks.start, *draft]
    logits, state = decoder.run(None, ids)
    agreed: list[Choice] = []
    for place, row in enumerate(logits):
        choice = choose(row)
        if draft and choice.margin < MARGIN:
            choice = _decided_alone(decoder, state, ids, place)
        if place == len(draft) or choice.token != draft[place]:
            return agreed, decoder.cut(state, place + 1), choice
        agreed.append(choice)
    raise AssertionError("the last row always returns")


def _decided_alone(decoder: Decoder[S], state: S, ids: list[int], place: int) -> Choice:
    """The choice after `ids[place]`, from a pass with that id only."""
    before = decoder.cut(state, place) if place else None
    logits, _ = decoder.run(before, [ids[place]])
    return choose(logits[-1])


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
