"""Who speaks on a faulty day, and what its engine hears: given lines, or real sound through a real engine."""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.live import BLOCK
from benchmarks.recordings import Clip, clips, spread
from tests.desktop.dictation import two_cities
from voice_ime.audio import from_pcm16, to_pcm16
from voice_ime.engine.base import SAMPLE_RATE, Engine, Options, Samples
from voice_ime.engine.engines import Engines
from voice_ime.engine.listener import FinalStep, Listener
from voice_ime.engine.speech import SpeechDetector
from voice_ime.errors import ConfigError
from voice_ime.settings import Settings

SHORTEST_S, LONGEST_S = 1.0, 1.6
"""How long one speaks for the engine that hears given lines."""
SPEECH_FROM_S = (1.4, 3.0, 5.0, 6.7)
"""Beginnings of clauses in the recording: shorter pieces from elsewhere may be mere pauses."""
LINES = 400
LONGEST_CLIP_S = 6.0
MOST_CLIPS = 12
BEFORE_S, AFTER_S = 0.4, 0.3
"""Silence around recordings that are heard alone."""


@dataclass(frozen=True)
class Words:
    """What is said with one press of the key: things break between `first` and `rest`. 16 kHz, mono, 16 bit."""

    first: bytes
    rest: bytes
    texts: tuple[str, ...] = ()
    """What the engine makes of them when nothing breaks, in one piece and in several; empty: it does not listen."""


class Voice(Protocol):
    """Somebody who speaks, and the engine that hears it."""

    name: str
    """The engine's."""
    longest_s: float
    """How long one speaks at most."""

    def settings(self, generation: int) -> Mapping[str, Any]:
        """What the next server hears with; `generation`: none had this number before."""

    def speak(self, chance: random.Random) -> Words: ...

    def hear(self, sound: bytes) -> str:
        """What the engine makes of it alone; empty: it does not listen."""


class GivenLines:
    """Each utterance is heard as another line, whatever was said."""

    name = "script"
    longest_s = LONGEST_S

    def settings(self, generation: int) -> Mapping[str, Any]:
        """English and Chinese in turn; each line differs from every other, also from those of other servers."""
        lines = [
            f"第{number}句，第{generation}天。" if number % 3 == 0 else f"Utterance {number} of day {generation}."
            for number in range(1, LINES + 1)
        ]
        return {"name": "script", "script": {"lines": lines}}

    def speak(self, chance: random.Random) -> Words:
        start, length = chance.choice(SPEECH_FROM_S), chance.uniform(SHORTEST_S, LONGEST_S)
        words = two_cities()[_bytes(start) : _bytes(start + length)]
        half = len(words) // 4 * 2
        return Words(words[:half], words[half:])

    def hear(self, sound: bytes) -> str:
        return ""


@dataclass(frozen=True)
class Sentence:
    sound: Samples
    text: str
    """What the engine makes of it alone."""


class Recordings:
    """Two recordings with each press of the key, heard by a real engine.

    Some are always said first and the others always second, so that no two texts that stand one after the other in a
    field look like a third one.
    """

    def __init__(self, settings: Settings, manifest: Path, language: str) -> None:
        """ConfigError where there are not enough short recordings in which the engine hears different things."""
        self.name = settings.engine.name
        self._settings = {"name": self.name} | _elsewhere(settings.engine.model_dump(exclude_defaults=True))
        self._alone = _Alone(Engines(settings.engines), SpeechDetector(settings.speech.detector), settings, language)
        sentences = self._alone.sentences(clips(manifest, ["read"], [language]))
        if len(sentences) < 4:
            raise ConfigError(where=str(manifest), detail=f"{len(sentences)} < 4")
        self._pairs = [self._pair(*both) for both in itertools.product(sentences[::2], sentences[1::2])]
        self.longest_s = max(len(words.first + words.rest) for words in self._pairs) / (2 * SAMPLE_RATE)

    def settings(self, generation: int) -> Mapping[str, Any]:
        return self._settings

    def speak(self, chance: random.Random) -> Words:
        return chance.choice(self._pairs)

    def hear(self, sound: bytes) -> str:
        return self._alone.hear(from_pcm16(sound))

    def _pair(self, first: Sentence, second: Sentence) -> Words:
        whole = self._alone.hear(np.concatenate([first.sound, second.sound]))
        return Words(to_pcm16(first.sound), to_pcm16(second.sound), (whole, f"{first.text} {second.text}"))


@dataclass(frozen=True)
class _Alone:
    """What the engine hears where nothing breaks: behind the detector, as in dictation with a key."""

    engine: Engine
    detector: SpeechDetector
    settings: Settings
    language: str

    def sentences(self, recordings: Sequence[Clip]) -> list[Sentence]:
        """Short ones in which something is heard that is no part of what is heard in another; at most `MOST_CLIPS`."""
        found: list[Sentence] = []
        for clip in spread([clip for clip in recordings if clip.seconds <= LONGEST_CLIP_S], MOST_CLIPS):
            text = self.hear(clip.sound)
            if text and not any(text in one.text or one.text in text for one in found):
                found.append(Sentence(clip.sound, text))
        return found

    def hear(self, sound: Samples) -> str:
        options = Options(language=self.language)
        listener = Listener(self.detector, self.engine, options, self.settings.speech, endpoints=False, partials=False)
        whole = np.concatenate([_silence(BEFORE_S), sound, _silence(AFTER_S)])
        pieces = (listener.accept(whole[begin : begin + BLOCK]) for begin in range(0, len(whole), BLOCK))
        steps = itertools.chain(itertools.chain.from_iterable(pieces), listener.finalize())
        return " ".join(step.run().text for step in steps if isinstance(step, FinalStep)).strip()


def _elsewhere(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Settings for a program in another folder."""
    return {name: _elsewhere(value) if isinstance(value, Mapping) else _whole(value) for name, value in tree.items()}


def _whole(value: object) -> object:
    return str(value.resolve()) if isinstance(value, Path) else value


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def _bytes(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE) * 2
