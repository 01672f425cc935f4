"""The engine that recognises nothing: it "hears" the lines it was given. For tests and demonstrations.

What it says has nothing to do with what was spoken, and its name in `Capabilities` says so to every client. It keeps
the manners of an engine: partials grow with the sound, silence has no text, and it can be told to be slow.
"""

import threading
import time

import numpy as np

from voice_ime.engine.base import SAMPLE_RATE, Capabilities, Engine, Hypothesis, Options, Samples, Utterance, Word
from voice_ime.engine.words import cut, has_han
from voice_ime.errors import LanguageNotSupported
from voice_ime.settings import ScriptSettings

WORDS_PER_S = 3.0
HAN_PER_S = 4.0
SILENCE = 0.001
"""Sound that never exceeds this (-60 dB) has no text."""


class ScriptEngine(Engine):
    """Utterance n hears line n, after the last line the first again; see the module."""

    def __init__(self, settings: ScriptSettings) -> None:
        self.capabilities = Capabilities(engine="script", languages=("en", "zh"), confidence=True)
        self._settings = settings
        self._next = 0
        self._lock = threading.Lock()

    def begin(self, options: Options) -> "ScriptUtterance":
        known = self.capabilities.languages
        if options.language is not None and options.language not in known:
            raise LanguageNotSupported(language=options.language, engine="script", known=known)
        with self._lock:
            number = self._next
            self._next += 1
        return ScriptUtterance(self, number, self._line(number), self._settings.decode_s)

    def give_back(self, number: int) -> None:
        """The utterance of this number heard nothing: its line is for the next one, unless that has begun already."""
        with self._lock:
            if number == self._next - 1:
                self._next = number

    def close(self) -> None:
        """Nothing to free."""

    def _line(self, number: int) -> str:
        lines = self._settings.lines
        return lines[number % len(lines)] if lines else ""


class ScriptUtterance(Utterance):
    def __init__(self, engine: ScriptEngine, number: int, line: str, decode_s: float) -> None:
        self._engine = engine
        self._number = number
        self._line = " ".join(line.split())
        self._decode_s = decode_s
        self._samples = 0
        self._sounded = False
        self._told = ""

    def feed(self, samples: Samples) -> None:
        self._samples += len(samples)
        self._sounded = self._sounded or bool(len(samples) and np.abs(samples).max() > SILENCE)

    def partial(self) -> Hypothesis | None:
        text = spoken_by(self._line, self._samples / SAMPLE_RATE) if self._sounded else ""
        if text == self._told:
            return None
        time.sleep(self._decode_s)
        self._told = text
        return _hypothesis(text, final=False, decode_s=self._decode_s)

    def finish(self) -> Hypothesis:
        if not self._sounded:
            self._engine.give_back(self._number)
            return Hypothesis("", final=True)
        time.sleep(self._decode_s)
        return _hypothesis(self._line, final=True, decode_s=self._decode_s)

    def cancel(self) -> None:
        self._engine.give_back(self._number)
        self._samples = 0
        self._sounded = False
        self._told = ""


def spoken_by(line: str, seconds: float) -> str:
    """The first words of `line`, as many as are spoken in `seconds`."""
    end = 0
    for word in cut(line):
        seconds -= 1 / (HAN_PER_S if has_han(word) else WORDS_PER_S)
        if seconds < 0:
            break
        end = line.index(word, end) + len(word)
    return line[:end]


def _hypothesis(text: str, *, final: bool, decode_s: float) -> Hypothesis:
    words = tuple(Word(word, confidence=1.0) for word in cut(text))
    return Hypothesis(text, words, final=final, timings={"decode_s": decode_s})
