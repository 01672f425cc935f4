"""Confidence that is as often right as it says: an engine's own probabilities, corrected by what recordings showed.

Words are wrong together: where the neighbours or the whole utterance are doubtful, a word is wrong more often than its
own probability says, and where all is clear less often.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

_MOST_LOG_ODDS = 8.0
_LEAST_LOG = -4.0
"""Below this a neighbour is as doubtful as can be."""


@dataclass(frozen=True)
class Signs:
    """What there is to go by for one word, from the confidences as the engine gives them."""

    own: float
    """Log-odds of its confidence."""
    near: float
    """Sum of the logarithms of both neighbours' confidences; 0.0: both sure, or none there."""
    whole: float
    """Mean of the logarithms over all words of the utterance."""


@dataclass(frozen=True)
class Calibration:
    """Weights of the signs: they add up to the log-odds of the word being right."""

    constant: float
    own: float
    near: float
    whole: float

    def of(self, confidences: Sequence[float]) -> list[float]:
        """How often the words of one utterance, in order, with these confidences (0 to 1) are right, 0 to 1."""
        return [self.confidence(signs) for signs in signs_of(confidences)]

    def confidence(self, signs: Signs) -> float:
        log_odds = self.constant + self.own * signs.own + self.near * signs.near + self.whole * signs.whole
        return 1 / (1 + math.exp(-log_odds))


def signs_of(confidences: Sequence[float]) -> list[Signs]:
    """For each word of one utterance; `confidences` 0 to 1, as the engine gives them."""
    logs = [_log(confidence) for confidence in confidences]
    around = [0.0, *logs, 0.0]
    return [
        Signs(_log_odds(confidence), around[place] + around[place + 2], fmean(logs))
        for place, confidence in enumerate(confidences)
    ]


def _log(confidence: float) -> float:
    return max(math.log(confidence), _LEAST_LOG) if confidence > 0 else _LEAST_LOG


def _log_odds(confidence: float) -> float:
    if not 0 < confidence < 1:
        return math.copysign(_MOST_LOG_ODDS, confidence - 0.5)
    return min(max(math.log(confidence / (1 - confidence)), -_MOST_LOG_ODDS), _MOST_LOG_ODDS)
