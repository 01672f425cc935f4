"""A finished text read once more in one pass: how sure each token is, and what texts near to it would have cost.

The pass depends on the text and the sound only, not on how the text was found, so everything reported of it does too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

import numpy as np

from voice_ime.engine.decoding import Decoder, Found, Logits, Marks, Row, S


@dataclass(frozen=True)
class Choice:
    """One token and what else it could have been."""

    token: int
    log_probability: float
    """Natural logarithm."""
    runner_up: int
    """The likeliest other token."""
    runner_up_log_probability: float

    @property
    def lead(self) -> float:
        """By how much the token is likelier than its runner-up; negative where it is not."""
        return self.log_probability - self.runner_up_log_probability


@dataclass(frozen=True)
class Reading(Generic[S]):
    """A text and how well it goes with the sound."""

    choices: tuple[Choice, ...]
    """Without the marks for start and end."""
    end_log_probability: float
    """Log-probability of ending here; 0.0 where the text was cut."""
    state: S
    """The decoder's state after the start mark and the text."""
    logits: Logits | None = field(default=None, repr=False, compare=False)
    """Of the pass over the start mark and the text."""

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(choice.token for choice in self.choices)

    @property
    def log_probability(self) -> float:
        """Of the whole text, the end included."""
        return sum(choice.log_probability for choice in self.choices) + self.end_log_probability


def read(decoder: Decoder[S], marks: Marks, found: Found[S]) -> Reading[S]:
    """Read what a search has found; without a further pass where the search made this one."""
    logits, state = found.logits, found.state
    if logits is None:
        logits, state = decoder.run(decoder.cut(found.state, 0), [marks.start, *found.ids])
    choices = tuple(choice(row, token) for row, token in zip(logits, found.ids, strict=False))
    end = choice(logits[len(found.ids)], marks.end).log_probability if found.ended else 0.0
    return Reading(choices, end, state, logits)


def choice(row: Row, token: int) -> Choice:
    """`token` as the choice in `row`."""
    best = float(row.max())
    total = best + float(np.log(np.exp(row - best).sum()))
    others = row.copy()
    others[token] = -np.inf
    runner_up = int(others.argmax())
    return Choice(token, float(row[token]) - total, runner_up, float(row[runner_up]) - total)


def score(decoder: Decoder[S], marks: Marks, reading: Reading[S], ids: Sequence[int]) -> float:
    """Log-probability of the text `ids` (without marks), its end included. What `reading` shares is free."""
    heard = [marks.start, *reading.ids]
    text = [marks.start, *ids]
    common = common_length(heard, text)
    logits, _ = decoder.run(decoder.cut(reading.state, common - 1), text[common - 1 :])
    shared = sum(each.log_probability for each in reading.choices[: common - 1])
    return shared + _log_probability(logits, [*text[common:], marks.end])


def _log_probability(logits: Logits, ids: Sequence[int]) -> float:
    """Of `ids`, each predicted by the row of the same number."""
    return sum(choice(row, token).log_probability for row, token in zip(logits, ids, strict=True))


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many ids both begin with."""
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length
