"""Models for sherpa-onnx from a folder on this machine: streaming and whole, transducers, CTC and others.

The library hears; what it does not tell is found out beside it: where words end (from the sound), how sure words of
CTC models are and how likely other texts would have been (sherpa_scoring). It ends the process where it does not like
a model or a phrase, so a model is tried out in another process first (sherpa_check), and phrases are spelled here
before it gets them (sherpa_tokens).
"""

import math
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from voice_ime.engine.base import (
    SAMPLE_RATE,
    Capabilities,
    Engine,
    Hypothesis,
    Options,
    Samples,
    Substitution,
    Utterance,
    priced,
)
from voice_ime.engine.sherpa_check import check
from voice_ime.engine.sherpa_folder import ModelFolder, read_folder
from voice_ime.engine.sherpa_recognizer import Heard, Pass, Recognizer, StreamingRecognizer, open_recognizer
from voice_ime.engine.sherpa_scoring import Encoded, Scorer, Written, ctc_token_scores, open_scorer
from voice_ime.engine.sherpa_tokens import Tokens, read_tokens
from voice_ime.engine.sherpa_words import words_of
from voice_ime.errors import LanguageNotSupported, RecognitionFailed
from voice_ime.settings import SherpaSettings

NAME = "sherpa"
FOLDER = Path("~/voice-ime-models/x-asr-480ms")
"""Where the model is looked for if the settings name no folder."""
_QUIET = 0.001
"""Sound that never exceeds this (-60 dB) has no text."""
_LANGUAGES_OF_KIND = {"sense-voice": ("zh", "en", "ja", "ko"), "parakeet-tdt": ("en",), "moonshine": ("en",)}


class SherpaEngine(Engine):
    """One model. ModelNotFound, ModelDamaged, ConfigError (what kind of model it is cannot be told)."""

    def __init__(self, settings: SherpaSettings) -> None:
        model = Model.load(settings)
        self._model: Model | None = model
        self.capabilities = model.capabilities

    def begin(self, options: Options) -> "SherpaUtterance":
        """Of `options.phrases` those are used that `usable_phrases` gives back; `options.context` is left."""
        known = self.capabilities.languages
        if options.language is not None and options.language not in known:
            raise LanguageNotSupported(language=options.language, engine=NAME, known=known)
        return SherpaUtterance(self, options)

    def usable_phrases(self, phrases: Iterable[str]) -> tuple[str, ...]:
        """Those of `phrases` that can be made likelier; the others have a part that the model cannot write."""
        with self.model() as model:
            return tuple(phrase for phrase in phrases if model.usable((phrase,)))

    def writes(self, text: str) -> bool:
        return self._model is not None and self._model.writes(text)

    def close(self) -> None:
        """The memory is free once decodings under way have ended."""
        self._model = None

    @contextmanager
    def model(self) -> Iterator["Model"]:
        """The model, for any thread. What fails within raises RecognitionFailed, also after `close`."""
        if self._model is None:
            raise RecognitionFailed(engine=NAME)
        try:
            yield self._model
        except Exception as error:  # the library raises plain RuntimeError, onnxruntime its own kinds
            raise RecognitionFailed(engine=NAME) from error


class SherpaUtterance(Utterance):
    """Keeps the sound, to hear it again with phrases and to score texts."""

    def __init__(self, engine: SherpaEngine, options: Options) -> None:
        self._engine = engine
        self._options = options
        self._pieces: list[Samples] = []
        self._heard_pieces = 0
        self._pass: Pass | None = None
        self._prepared: Hypothesis | None = None
        self._encoded: Encoded | None = None
        self._heard = Heard()

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._pieces.append(np.array(samples, np.float32))
            self._prepared = self._encoded = None
            self._heard = Heard()

    def partial(self) -> Hypothesis | None:
        if self._heard_pieces == len(self._pieces):
            return None
        with self._engine.model() as model:
            begun = time.perf_counter()
            return model.hypothesis(self._caught_up(model).so_far(), self._sound(), self._options, begun)

    def prepare(self) -> Hypothesis | None:
        """Streaming models hear what is there, but cannot tell the end: silence put in cannot be taken out again.

        Where texts are scored, what that needs is made ready here, too.
        """
        with self._engine.model() as model:
            if not model.streaming:
                return self._final(model)
            self._caught_up(model).so_far()
            if model.scores:
                self._encoded_sound(model)
            return None

    def finish(self) -> Hypothesis:
        with self._engine.model() as model:
            final = self._final(model)
        self._pass = None
        return final

    def cancel(self) -> None:
        self._pieces = []
        self._heard_pieces = 0
        self._pass = self._prepared = self._encoded = None
        self._heard = Heard()

    def score(self, texts: list[str]) -> list[float]:
        """-inf for a text that the model cannot write, and for every text where there was only silence."""
        if _is_silent(self._sound()):
            return [-math.inf if text.strip() else 0.0 for text in texts]
        with self._engine.model() as model:
            return model.score(self._encoded_sound(model), texts, self._heard)

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> Sequence[float | None]:
        """None for what the model has no tokens for, such as a name with a rare character: the sound says nothing."""
        with self._engine.model() as model:
            writes = model.writes
        price = super().price
        return priced(substitutions, writes, lambda asked: price(final, asked))

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        with self._engine.model() as model:
            begun = time.perf_counter()
            again = model.recognizer.begin(model.usable(phrases))
            again.accept(self._sound())
            return self._hypothesis(model, again.end(), begun)

    def _final(self, model: "Model") -> Hypothesis:
        if self._prepared is None:
            begun = time.perf_counter()
            self._heard = self._caught_up(model).end()
            self._prepared = self._hypothesis(model, self._heard, begun)
        return self._prepared

    def _hypothesis(self, model: "Model", heard: Heard, begun: float) -> Hypothesis:
        encoded = self._encoded_sound(model) if model.asks_scorer and heard.tokens else None
        return model.hypothesis(heard, self._sound(), self._options, begun, encoded, final=True)

    def _caught_up(self, model: "Model") -> Pass:
        if self._pass is None:
            self._pass = model.recognizer.begin(model.usable(self._options.phrases))
        for piece in self._pieces[self._heard_pieces :]:
            self._pass.accept(piece)
        self._heard_pieces = len(self._pieces)
        return self._pass

    def _encoded_sound(self, model: "Model") -> Encoded:
        if self._encoded is None:
            self._encoded = model.scorer.encode(self._sound())
        return self._encoded

    def _sound(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *self._pieces])


@dataclass(frozen=True)
class Model:
    """What is loaded; for any thread."""

    settings: SherpaSettings
    folder: ModelFolder
    tokens: Tokens
    recognizer: Recognizer
    lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def load(settings: SherpaSettings, *, checked: bool = False) -> "Model":
        """`checked`: do not try the model out in another process first."""
        folder = read_folder(settings.folder or FOLDER, settings.kind)
        try:
            tokens = read_tokens(folder.tokens, folder.bpe)
        except ValueError as error:
            raise folder.damaged from error
        if not checked:
            check(folder, settings)
        phrases = _takes_phrases(folder, tokens, settings)
        try:
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
        if not text or _is_silent(sound):
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


def _is_silent(sound: Samples) -> bool:
    return not len(sound) or float(np.abs(sound).max()) < _QUIET


def _takes_phrases(folder: ModelFolder, tokens: Tokens, settings: SherpaSettings) -> bool:
    return folder.facts.transducer and settings.paths > 1 and tokens.takes_phrases
