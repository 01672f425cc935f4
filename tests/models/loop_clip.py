"""Makes the recording on which tiny-en goes round and round: a tenth of a second of a word, again and again.

    .venv/bin/python -m tests.models.loop_clip FILE.wav

Left to itself the decoder repeats one phrase to the token limit. Found by trying repeated, stretched, reversed, clipped
and noisy parts of the recordings beside this file: repeating a part of a syllable does it nearly always.
"""

import sys
import wave
from pathlib import Path

import numpy as np

from voice_ime.audio import read_blocks, to_pcm16
from voice_ime.engine.base import SAMPLE_RATE, Samples

SOURCE = Path(__file__).parent / "en-delete.flac"
PARTS = (0.08, 0.16, 0.24)
"""Lengths of the parts that are repeated, in seconds."""


def loop_clip(part_s: float = 0.16, seconds: float = 6.0, source: Path = SOURCE) -> Samples:
    """The loudest part of `source` of that length, again and again with 50 ms of silence between."""
    sound = np.concatenate(list(read_blocks(source)))
    size = round(part_s * SAMPLE_RATE)
    energy = np.cumsum(np.concatenate([[0.0], np.square(sound, dtype=np.float64)]))
    begin = int(np.argmax(energy[size:] - energy[:-size]))
    once = np.concatenate([sound[begin : begin + size], np.zeros(SAMPLE_RATE // 20, np.float32)])
    return np.resize(once, round(seconds * SAMPLE_RATE)).astype(np.float32)


def main() -> None:
    with wave.open(sys.argv[1], "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_pcm16(loop_clip()))


if __name__ == "__main__":
    main()
