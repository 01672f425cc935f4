"""Makes the short sounds of the desktop client: python -m scripts.make_sounds

Each can be told from the others by pitch and rhythm alone: start rises, stop falls, inserted is one high tick, held is
two equal knocks, refused is one long low buzz.
"""

import argparse
import array
import math
import sys
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RATE = 22_050
PEAK = 12_000
"""Of 32,767: clear, but softer than speech."""
EDGE_S = 0.006
"""Each tone fades in and out this long, so that it does not click."""
FOLDER = Path(__file__).resolve().parents[1] / "clients" / "voice_ime_desktop" / "sounds"


@dataclass(frozen=True)
class Tone:
    hertz: float
    """0: silence."""
    seconds: float
    overtones: Sequence[float] = (1.0,)
    """Strength of the tone and of its multiples: small loudspeakers do not give low tones without them."""


SOUNDS = {
    "start": (Tone(660, 0.05), Tone(990, 0.07)),
    "stop": (Tone(990, 0.05), Tone(660, 0.07)),
    "inserted": (Tone(1480, 0.045),),
    "held": (Tone(520, 0.07, (1, 0.4)), Tone(0, 0.09), Tone(520, 0.07, (1, 0.4))),
    "refused": (Tone(185, 0.32, (1, 0.8, 0.7, 0.5, 0.3)),),
}


def samples(tones: Sequence[Tone]) -> list[int]:
    """At `RATE`, 16 bits."""
    return [round(PEAK * value) for tone in tones for value in _shaped(tone)]


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, tones in SOUNDS.items():
        values = array.array("h", samples(tones))
        if sys.byteorder == "big":
            values.byteswap()
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(values.tobytes())


def _shaped(tone: Tone) -> list[float]:
    count = round(tone.seconds * RATE)
    if not tone.hertz:
        return [0.0] * count
    edge = EDGE_S * RATE
    loudest = sum(tone.overtones)
    return [_wave(tone, at) / loudest * min(1.0, at / edge, (count - 1 - at) / edge) for at in range(count)]


def _wave(tone: Tone, at: int) -> float:
    angle = 2 * math.pi * tone.hertz * at / RATE
    return sum(strength * math.sin(angle * number) for number, strength in enumerate(tone.overtones, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    write(parser.parse_args().folder)


if __name__ == "__main__":
    main()
