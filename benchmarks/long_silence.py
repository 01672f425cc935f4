"""Is speech noticed after long silence as soon as after a short one?

    .venv/bin/python -m benchmarks.long_silence MANIFEST [--json FILE]

Recordings of speech (at most 100, their first four seconds) are heard after a second of nothing, and after 13 to 29
seconds of nothing, of white noise and of the manifest's recordings of noise; by the detector as it is, and as it would
be if it were never put back. Speech begins with the first of three frames in a row with at least 0.5.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recordings import IN_A_ROW, SURE, clips, spread
from benchmarks.start import facts, tell
from voice_ime.engine.base import SAMPLE_RATE, Samples
from voice_ime.engine.speech import FRAME, SpeechDetector

KINDS = ("read", "command", "digits", "letters", "spontaneous")
LANGUAGES = ("en", "zh", "zh-en")
MOST = 100
SHORTEST, LONGEST = SAMPLE_RATE, 4 * SAMPLE_RATE
SECOND = 32
FRAMES = 400, 900
"""Of a long silence, at least and at most."""
LOUDNESS = -3.0, -1.0
"""Of noise, as powers of ten."""

Hear = Callable[[Samples], list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    spoken = [clip.sound for clip in spread(clips(arguments.manifest, KINDS, LANGUAGES), MOST)]
    spoken = [sound[:LONGEST] for sound in spoken if len(sound) >= SHORTEST]
    rooms = [clip.sound for clip in clips(arguments.manifest, ("noise",), ("none",)) if np.ptp(clip.sound) > 0]
    detector, random = SpeechDetector(), np.random.default_rng(1)
    silences = {
        "nothing": [silent(random) for _ in spoken],
        "white noise": [louder(random.normal(size=len(silent(random))), random) for _ in spoken],
        "rooms": [louder(np.resize(rooms[random.integers(len(rooms))], len(silent(random))), random) for _ in spoken],
    }
    ways: dict[str, Hear] = {
        "as_it_is": lambda sound: detector.stream().probabilities(sound),
        "never_put_back": lambda sound: never_put_back(detector, sound),
    }
    figures = {
        name: {way: measured(hear, spoken, before) for way, hear in ways.items()} for name, before in silences.items()
    }
    tell(facts() | {"recordings": len(spoken), "after": figures}, arguments.json)
    return 0


def silent(random: np.random.Generator) -> Samples:
    return np.zeros(int(random.integers(*FRAMES)) * FRAME, np.float32)


def louder(noise: "np.typing.NDArray[Any]", random: np.random.Generator) -> Samples:
    """With a peak that is drawn."""
    return np.asarray(noise / np.abs(noise).max() * 10 ** random.uniform(*LOUDNESS), np.float32)


def never_put_back(detector: SpeechDetector, sound: Samples) -> list[float]:
    hidden = cell = np.zeros((1, 1, 128), np.float32)
    context = 64
    sound = np.concatenate([np.zeros(context, np.float32), sound])
    found = []
    for first in range(0, len(sound) - context - FRAME + 1, FRAME):
        probability, hidden, cell = detector.run(sound[first : first + context + FRAME], hidden, cell)
        found.append(probability)
    return found


def measured(hear: Hear, spoken: Sequence[Samples], silences: Sequence[Samples]) -> dict[str, float]:
    """How much later speech begins than after a second of nothing; `speech_in_silence`: silences in which it began."""
    soon = [begin(hear, np.zeros(SECOND * FRAME, np.float32), sound) for sound in spoken]
    late = [begin(hear, before, sound) for sound, before in zip(spoken, silences, strict=True)]
    both = [
        after - at_once for at_once, after in zip(soon, late, strict=True) if at_once is not None and after is not None
    ]
    milliseconds = 1000 * FRAME / SAMPLE_RATE
    return {
        "later_ms_mean": round(float(np.mean(both)) * milliseconds, 1),
        "later_ms_p95": round(float(np.percentile(both, 95)) * milliseconds, 1),
        "never_after_a_second": soon.count(None),
        "never": late.count(None),
        "speech_in_silence": sum(onset(hear(before)) is not None for before in silences),
    }


def begin(hear: Hear, before: Samples, sound: Samples) -> int | None:
    """The frame of `sound` with which speech begins."""
    return onset(hear(np.concatenate([before, sound]))[len(before) // FRAME :])


def onset(probabilities: Sequence[float]) -> int | None:
    sure = np.convolve(np.array(probabilities) >= SURE, np.ones(IN_A_ROW), "valid") == IN_A_ROW
    return int(np.argmax(sure)) if sure.any() else None


if __name__ == "__main__":
    sys.exit(main())
