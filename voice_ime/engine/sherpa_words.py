"""The words of what sherpa-onnx heard: when each was said and how sure it is. Pure."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voice_ime.engine.base import SAMPLE_RATE, Samples, Word
from voice_ime.engine.sherpa_recognizer import Heard
from voice_ime.engine.sherpa_tokens import Place, places
from voice_ime.engine.words import cut

_FRAME = 320
"""Samples of the frames that are called loud or soft."""
_SOFT = 0.001
"""Power of a soft frame, of that of the loudest: 30 dB less."""
_PAUSE = 5
"""Soft frames in a row that end a word: fewer are a stop within it."""


def words_of(text: str, heard: Heard, sure: Sequence[float], sound: Samples) -> tuple[Word, ...]:
    """The words of `text`; times and confidence where the tokens tell: `sure` are log-probabilities, or empty."""
    words = cut(text)
    found = places(words, heard.tokens)
    if found is None:
        return tuple(Word(word) for word in words)
    starts, ends = _times(found, heard.starts, sound)
    return tuple(
        Word(word, start, end, _confidence(sure[place.first : place.last]))
        for word, place, start, end in zip(words, found, starts, ends, strict=True)
    )


def _times(
    found: Sequence[Place], starts: Sequence[float], sound: Samples
) -> tuple[list[float | None], list[float | None]]:
    """A word begins with its first token and ends where the sound falls quiet, or else where the next one begins."""
    if not starts:
        return [None] * len(found), [None] * len(found)
    duration = len(sound) / SAMPLE_RATE
    begins = [min(starts[place.first], duration) for place in found]
    quiet = _pauses(sound)
    ends = [
        min(next((pause for pause in quiet if pause >= begin), after), after)
        for begin, after in zip(begins, [*begins[1:], duration], strict=True)
    ]
    return list(begins), list(ends)


def _pauses(sound: Samples) -> list[float]:
    """Seconds at which it falls quiet for a while."""
    whole = len(sound) // _FRAME * _FRAME
    power = np.square(sound[:whole].reshape(-1, _FRAME)).mean(axis=1) if whole else np.zeros(0, np.float32)
    soft: NDArray[np.bool_] = power <= power.max(initial=0) * _SOFT
    edge = np.ones(_PAUSE, bool)  # silence follows the sound
    stretches = np.lib.stride_tricks.sliding_window_view(np.concatenate([soft, edge]), _PAUSE)
    long = np.asarray(stretches.all(axis=1))
    falls = long & ~np.concatenate([[True], soft])[: len(long)]
    return [float(at) * _FRAME / SAMPLE_RATE for at in np.nonzero(falls)[0]]


def _confidence(sure: Sequence[float]) -> float | None:
    """Of a word of several tokens: the one that is least sure."""
    return math.exp(min(sure)) if len(sure) else None
