"""Honest stand-ins with a small vocabulary, for tests that are not about recognition."""

from dataclasses import dataclass, field

import numpy as np

from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Utterance, Word

FRAME = 512


def loud(seconds: float) -> Samples:
    """Sound that the detector below takes for speech."""
    return np.full(round(seconds * 16000), 0.5, np.float32)


def silent(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16000), np.float32)


class LevelDetector:
    """Takes for speech what is loud."""

    frame = FRAME

    def stream(self) -> "LevelStream":
        return LevelStream()


class LevelStream:
    def __init__(self) -> None:
        self._rest = silent(0)

    def probabilities(self, samples: Samples) -> list[float]:
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // FRAME * FRAME
        self._rest = sound[whole:]
        return [float(np.abs(frame).mean() > 0.1) for frame in sound[:whole].reshape(-1, FRAME)]


@dataclass
class EchoEngine(Engine):
    """Hears how long the sound was and how much of it was loud, in samples: "8000 samples, 6000 loud"."""

    capabilities = Capabilities(engine="echo", languages=("en", "zh"), confidence=True)
    begun: list[Options] = field(default_factory=list)

    def begin(self, options: Options) -> "EchoUtterance":
        self.begun.append(options)
        return EchoUtterance()

    def close(self) -> None:
        pass


class EchoUtterance(Utterance):
    def __init__(self) -> None:
        self._sound = silent(0)

    def feed(self, samples: Samples) -> None:
        self._sound = np.concatenate([self._sound, samples])

    def partial(self) -> Hypothesis:
        return self._hypothesis(final=False)

    def finish(self) -> Hypothesis:
        return self._hypothesis(final=True)

    def cancel(self) -> None:
        self._sound = silent(0)

    def _hypothesis(self, final: bool) -> Hypothesis:
        text = f"{len(self._sound)} samples, {int((np.abs(self._sound) > 0.1).sum())} loud"
        return Hypothesis(text, tuple(Word(word, confidence=1.0) for word in text.split()), final=final)
