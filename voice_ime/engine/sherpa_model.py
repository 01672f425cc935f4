"""A model for sherpa-onnx that is loaded: what it hears, how sure of it it is, and how likely other texts would be."""

import math
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from voice_ime.engine.base import SAMPLE_RATE, Capabilities, Hypothesis, Options, Samples
from voice_ime.engine.sherpa_folder import ModelFolder
from voice_ime.engine.sherpa_recognizer import Heard, Recognizer, StreamingRecognizer, open_recognizer
from voice_ime.engine.sherpa_scoring import Encoded, Scorer, Written, ctc_token_scores, open_scorer
from voice_ime.engine.sherpa_tokens import Tokens, read_tokens
from voice_ime.engine.sherpa_words import words_of
from voice_ime.settings import SherpaSettings

NAME = "sherpa"
_QUIET = 0.001
"""Sound that never exceeds this (-60 dB) has no text."""
_LANGUAGES_OF_KIND = {"sense-voice": ("zh", "en", "yue", "ja", "ko"), "parakeet-tdt": ("en",), "moonshine": ("en",)}


@dataclass(frozen=True)
class Model:
    """What is loaded; for any thread."""

    settings: SherpaSettings
    folder: ModelFolder
    tokens: Tokens
    recognizer: Recognizer
    lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def load(folder: ModelFolder, settings: SherpaSettings) -> "Model":
        """ModelDamaged; with some damage the library ends the process: see sherpa_check."""
        try:
            tokens = read_tokens(folder.tokens, folder.bpe)
            phrases = _takes_phrases(folder, tokens, settings)
            recognizer = open_recognizer(folder, settings, tokens if phrases else None)
            model = Model(settings, folder, tokens, recognizer)
            return model.warmed()
        except Exception as error:  # pybind11 turns what the library throws into RuntimeError and others
            raise folder.damaged from error

    def warmed(self) -> "Model":
        """So that the first utterance need not wait."""
        if self.asks_scorer:
            self.scorer.encode(np.zeros(SAMPLE_RATE, np.float32))
        return self

    @property
    def streaming(self) -> bool:
        return self.folder.facts.streaming

    @property
    def asks_scorer(self) -> bool:
        """Whether how sure words are comes from the scorer."""
        return self.folder.facts.ctc and self.settings.ctc_confidence

    @property
    def takes_phrases(self) -> bool:
        return _takes_phrases(self.folder, self.tokens, self.settings)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        return self.settings.languages or _LANGUAGES_OF_KIND.get(self.folder.kind) or self.tokens.languages

    @property
    def capabilities(self) -> Capabilities:
        facts = self.folder.facts
        return Capabilities(
            engine=NAME,
            languages=self.languages,
            word_times="aligned" if facts.ran_here else "estimated",
            confidence=facts.transducer or self.asks_scorer,
            scores_text=facts.transducer or facts.ctc,
            takes_phrases=self.takes_phrases,
            streaming=facts.streaming,
        )

    @property
    def scores(self) -> bool:
        """Whether the scorer was ever asked for."""
        return "_scorer" in self.__dict__

    @property
    def scorer(self) -> Scorer:
        """Opened when it is first asked for: it has the main graph in memory once more."""
        with self.lock:
            return self._scorer

    @cached_property
    def _scorer(self) -> Scorer:
        tail_s = self.recognizer.tail_s if isinstance(self.recognizer, StreamingRecognizer) else 0.0
        return open_scorer(self.folder, self.settings.threads, tail_s)

    def usable(self, phrases: Iterable[str]) -> tuple[str, ...]:
        """Spelled as the library wants them; other ones would end the process."""
        return self.tokens.usable(phrases) if self.takes_phrases else ()

    def writes(self, text: str) -> bool:
        """Whether it has tokens for each letter, or for the bytes that make it."""
        return bool(self.tokens.spell(text))

    def samples_of_phrases(self) -> list[tuple[str, ...]]:
        """None, and one that the model can write: to try it out with."""
        return [(), self.usable(token for token in self.tokens.numbers if token.isalnum())[:1]]

    def score(self, encoded: Encoded, texts: Sequence[str], heard: Heard) -> list[float]:
        """`heard`: what the library made of the same sound; empty: not known."""
        spelled = [self.tokens.spell(text) for text in texts]
        known = [text for text in spelled if text is not None]
        scores = iter(self.scorer.score(encoded, known, self._written(heard)))
        return [-math.inf if text is None else min(next(scores), 0.0) for text in spelled]

    def hypothesis(
        self,
        heard: Heard,
        sound: Samples,
        options: Options,
        begun: float,
        encoded: Encoded | None = None,
        *,
        final: bool = False,
    ) -> Hypothesis:
        """`begun`: when the work on it began; `encoded`: where the scorer tells how sure words are."""
        text = self.tokens.written(heard.text)
        if not text or is_silent(sound):
            return Hypothesis("", final=final)
        sure = heard.log_probabilities if encoded is None else self._sure(heard, encoded)
        known = (options.language, heard.language, self.languages[0] if len(self.languages) == 1 else None)
        return Hypothesis(
            text,
            words_of(text, heard, sure, sound),
            final=final,
            log_probability=None if encoded is None else self.score(encoded, [text], heard)[0],
            language=next((each for each in known if each in self.languages), None),
            timings={"decode_s": time.perf_counter() - begun},
        )

    def _sure(self, heard: Heard, encoded: Encoded) -> Sequence[float]:
        written = self._written(heard)
        if written is None or not len(encoded.frames):
            return ()
        return ctc_token_scores(encoded, written.tokens, written.starts)

    def _written(self, heard: Heard) -> Written | None:
        numbers = [number for token in heard.tokens if (number := self.tokens.number(token)) is not None]
        return Written(numbers, heard.starts) if numbers and len(numbers) == len(heard.starts) else None


def is_silent(sound: Samples) -> bool:
    return not len(sound) or float(np.abs(sound).max()) < _QUIET


def _takes_phrases(folder: ModelFolder, tokens: Tokens, settings: SherpaSettings) -> bool:
    return folder.facts.transducer and settings.paths > 1 and tokens.takes_phrases
