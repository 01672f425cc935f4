"""Beam search: several texts are followed at a time, and the likeliest whole ones are the answer.

Each text goes through the decoder by itself, token by token: int8 models take their scales from all that goes through
together, so texts decoded side by side would change each other. There are no drafts, so no draft changes the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import chain
from typing import Generic

import numpy as np

from voice_ime.engine.decoding import Decoder, Found, Marks, Row, S, greedy, length_without_loop


@dataclass(frozen=True)
class _Path(Generic[S]):
    """A text on its way."""

    ids: tuple[int, ...]
    """Without the start mark."""
    log_probability: float
    before: S | None
    """The state before the last of `ids`, or before the start mark."""


def beam(decoder: Decoder[S], marks: Marks, most: int, width: int) -> list[Found[S]]:
    """The likeliest whole texts, likeliest first: at least one, at most `width`, which is 1 or more.

    Texts that go round and round or have no end after `most` tokens are given up; where nothing else is left, the
    greedy search says how such a text ends.
    """
    paths: list[_Path[S]] = [_Path((), 0.0, None)]
    ended: list[tuple[float, Found[S]]] = []
    for _ in range(most + 1):
        further = nlargest(width, chain.from_iterable(_steps(decoder, marks, path, width) for path in paths), key=_key)
        ended += [(path.log_probability, _ended(path)) for path in further if path.ids[-1] == marks.end]
        paths = [path for path in further if path.ids[-1] != marks.end and not _loops(path.ids)]
        if not paths or _is_decided(paths, ended, width):
            break
    best = nlargest(width, ended, key=lambda each: each[0])
    return [found for _, found in best] or [greedy(decoder, marks, most)]


def _steps(decoder: Decoder[S], marks: Marks, path: _Path[S], width: int) -> list[_Path[S]]:
    """`path` with each of its `width` likeliest next tokens."""
    logits, state = decoder.run(path.before, path.ids[-1:] or [marks.start])
    row = _log_probabilities(logits[-1])
    likeliest = np.argpartition(row, -width)[-width:]
    return [_Path((*path.ids, int(token)), path.log_probability + float(row[token]), state) for token in likeliest]


def _key(path: _Path[S]) -> tuple[float, tuple[int, ...]]:
    """The ids decide between equals, so that the same sound always gives the same text."""
    return path.log_probability, path.ids


def _ended(path: _Path[S]) -> Found[S]:
    assert path.before is not None
    return Found(path.ids[:-1], ended=True, state=path.before)


def _is_decided(paths: Sequence[_Path[S]], ended: Sequence[tuple[float, Found[S]]], width: int) -> bool:
    """Whether nothing that goes on can still be among the answers: it only gets less likely."""
    if len(ended) < width:
        return False
    least = nlargest(width, (log_probability for log_probability, _ in ended))[-1]
    return max(path.log_probability for path in paths) <= least


def _loops(ids: Sequence[int]) -> bool:
    return length_without_loop(ids) < len(ids)


def _log_probabilities(row: Row) -> Row:
    shifted = row - row.max()
    logs: Row = shifted - np.log(np.exp(shifted).sum())
    return logs
