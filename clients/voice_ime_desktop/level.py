"""How loud somebody speaks into the microphone."""

import array
import math
from dataclasses import dataclass
from typing import Literal

from voice_ime_desktop.microphone import BLOCK_BYTES

FULL_SCALE = 32_768
QUIET_DB, LOUD_DB = -40, -9
"""Speech that is softer, or louder, is recognised less well."""
CUT_OFF = 0.001
"""Share of samples at the very limit from which on the sound is distorted."""
SPOKEN_SHARE = 0.1
"""Share of the time in which somebody surely spoke, if anybody spoke at all."""

Judgement = Literal["mute", "quiet", "good", "loud"]


@dataclass(frozen=True)
class Level:
    decibels: float
    """Of the loud parts, against the loudest possible: 0 at most; -inf for perfect silence."""
    cut_off: float
    """Share of samples at the limit."""

    @property
    def judgement(self) -> Judgement:
        if self.decibels == -math.inf:
            return "mute"
        if self.decibels > LOUD_DB or self.cut_off > CUT_OFF:
            return "loud"
        return "quiet" if self.decibels < QUIET_DB else "good"


def level_of(pcm: bytes) -> Level:
    """Of 16-bit mono sound at 16 kHz."""
    powers = sorted(_power(pcm[at : at + BLOCK_BYTES]) for at in range(0, len(pcm) - BLOCK_BYTES + 1, BLOCK_BYTES))
    power = powers[int(len(powers) * (1 - SPOKEN_SHARE))] if powers else 0.0
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    at_limit = sum(abs(sample) >= FULL_SCALE - 8 for sample in samples)
    decibels = 10 * math.log10(power / FULL_SCALE**2) if power else -math.inf
    return Level(decibels, at_limit / max(1, len(samples)))


def _power(block: bytes) -> float:
    samples = array.array("h", block)
    return sum(sample * sample for sample in samples) / len(samples)
