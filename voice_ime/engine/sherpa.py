"""Models for sherpa-onnx from a folder on this machine: streaming and whole, transducers, CTC and others.

The library hears; what it does not tell is found out beside it (sherpa_model): where words end, from the sound, how
sure words of CTC models are and how likely other texts would have been (sherpa_scoring). It ends the process where it
does not like a model or a phrase, so a model is tried out in another process first (sherpa_check), and phrases are
spelled here before it gets them (sherpa_tokens).
"""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from voice_ime.engine.base import Engine, Hypothesis, Options, Samples, Substitution, Utterance, priced
from voice_ime.engine.sherpa_check import check
from voice_ime.engine.sherpa_folder import read_folder
from voice_ime.engine.sherpa_model import NAME, Model, is_silent
from voice_ime.engine.sherpa_recognizer import Heard, Pass
from voice_ime.engine.sherpa_scoring import Encoded
from voice_ime.errors import LanguageNotSupported, RecognitionFailed
from voice_ime.settings import SherpaSettings


class SherpaEngine(Engine):
    """One model. ModelNotFound, ModelDamaged, ModelKindUnknown."""

    def __init__(self, settings: SherpaSettings) -> None:
        folder = read_folder(settings.folder, settings.kind)
        check(folder, settings)
        model = Model.load(folder, settings)
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
    def model(self) -> Iterator[Model]:
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
        if is_silent(self._sound()):
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

    def _final(self, model: Model) -> Hypothesis:
        if self._prepared is None:
            begun = time.perf_counter()
            self._heard = self._caught_up(model).end()
            self._prepared = self._hypothesis(model, self._heard, begun)
        return self._prepared

    def _hypothesis(self, model: Model, heard: Heard, begun: float) -> Hypothesis:
        encoded = self._encoded_sound(model) if model.asks_scorer and heard.tokens else None
        return model.hypothesis(heard, self._sound(), self._options, begun, encoded, final=True)

    def _caught_up(self, model: Model) -> Pass:
        if self._pass is None:
            self._pass = model.recognizer.begin(model.usable(self._options.phrases))
        for piece in self._pieces[self._heard_pieces :]:
            self._pass.accept(piece)
        self._heard_pieces = len(self._pieces)
        return self._pass

    def _encoded_sound(self, model: Model) -> Encoded:
        if self._encoded is None:
            self._encoded = model.scorer.encode(self._sound())
        return self._encoded

    def _sound(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *self._pieces])
