"""A decoder that is a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from voice_ime.engine.decoding import Logits, Marks

MARKS = Marks(start=1, end=2)
VOCABULARY = 20

State = tuple[int, ...]


@dataclass
class TableDecoder:
    """Says the tokens of `text` in order; after any other beginning what `others` says, else the end mark."""

    text: Sequence[int]
    others: dict[tuple[int, ...], int] = field(default_factory=dict)
    """By what was said so far: the token that follows."""
    second: dict[tuple[int, ...], int] = field(default_factory=dict)
    """By what was said so far: the second likeliest token."""
    close: dict[int, int] = field(default_factory=dict)
    """By place: a token that comes within 0.2 of the right one..."""
    rounding: float = 0.0
    """... and is better by this where several ids go through in one pass with a draft."""
    passes: list[int] = field(default_factory=list)
    """How many ids went through in each pass."""

    def run(self, state: State | None, ids: Sequence[int]) -> tuple[Logits, State]:
        self.passes.append(len(ids))
        before = state or ()
        every = (*before, *ids)
        together = len(ids) > 1 and state is None
        rows = [self._row(every[: len(before) + i + 1], together=together) for i in range(len(ids))]
        return np.array(rows, np.float32), every

    def cut(self, state: State, length: int) -> State:
        return state[:length]

    def _row(self, ids: State, *, together: bool) -> list[float]:
        row = [0.0] * VOCABULARY
        said = ids[1:]
        follows = tuple(self.text[: len(said)]) == said and len(said) < len(self.text)
        row[self.text[len(said)] if follows else self.others.get(said, MARKS.end)] = 10.0
        if said in self.second:
            row[self.second[said]] = 5.0
        if follows and len(said) in self.close:
            row[self.close[len(said)]] = 9.8 + (self.rounding if together else 0.0)
        return row
