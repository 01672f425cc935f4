"""Whisper models in CTranslate2's format, through faster-whisper, from a folder on this machine.

Nothing is ever asked from the network: faster-whisper would fetch a model that is given by name, and the tokenizer
where `tokenizer.json` is missing, so a folder is required and its files are looked for first.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf

import ctranslate2  # type: ignore[import-untyped]
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
    replaced,
)
from voice_ime.engine.han import Script, Writing
from voice_ime.engine.whisper_files import FOLDER, damaged, whole_folder
from voice_ime.engine.whisper_hearing import Heard, Search, agreed, glance, hear, hear_with, hypothesis, score
from voice_ime.engine.whisper_model import Model, load
from voice_ime.engine.whisper_speed import best_speed
from voice_ime.errors import ConfigError, LanguageNotSupported, RecognitionFailed
from voice_ime.settings import WhisperSettings

NAME = "whisper"
SURE_OF_LANGUAGE_S = 3.0
"""Sound from which the language that a partial heard is taken for the next partials."""


class WhisperEngine(Engine):
    """One Whisper model. ModelNotFound, ModelDamaged, ConfigError (the kind of computation)."""

    def __init__(self, settings: WhisperSettings) -> None:
        self._model: Model | None = _open(settings)
        texts = 1 + settings.alternatives
        self._writings: dict[Script, Writing] = {}
        self.search = Search(max(settings.beam_size, texts), texts)
        self.capabilities = Capabilities(
            engine=NAME,
            languages=self._model.languages,
            word_times="aligned",
            confidence=True,
            alternatives=settings.alternatives > 0,
            scores_text=True,
            takes_phrases=True,
        )

    def begin(self, options: Options) -> "WhisperUtterance":
        """`options.context` is left: as a prompt it comes out as text. EngineUnavailable (OpenCC, for a script)."""
        known = self.capabilities.languages
        if options.language is not None and options.language not in known:
            raise LanguageNotSupported(language=options.language, engine=NAME, known=known)
        return WhisperUtterance(self, options, self._writing(options.script))

    def writes(self, text: str) -> bool:
        return self._model is not None and self._model.writes(text)

    def close(self) -> None:
        """The memory is free once decodings under way have ended."""
        self._model = None

    def _writing(self, script: Script | None) -> Writing | None:
        """Kept: reading the tables takes a tenth of a second."""
        if script is not None and script not in self._writings:
            self._writings[script] = Writing(script)
        return self._writings[script] if script is not None else None

    @contextmanager
    def model(self) -> Iterator[Model]:
        """The model, for any thread. What fails within raises RecognitionFailed, also after `close`."""
        if self._model is None:
            raise RecognitionFailed(engine=NAME)
        try:
            yield self._model
        except Exception as error:  # the libraries below raise plain RuntimeError, ValueError and Exception
            raise RecognitionFailed(engine=NAME) from error


class WhisperUtterance(Utterance):
    """Collects the sound; each partial hears all of it again, the final does not depend on them."""

    def __init__(self, engine: WhisperEngine, options: Options, writing: Writing | None) -> None:
        self._engine = engine
        self._options = options
        self._writing = writing
        self._pieces: list[Samples] = []
        self._fresh = False
        self._seen = _Seen()
        self._prepared: Hypothesis | None = None
        self._heard: list[Heard] = []

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._pieces.append(np.array(samples, np.float32))
            self._fresh = True
            self._prepared = None

    def partial(self) -> Hypothesis | None:
        if not self._fresh:
            return None
        self._fresh = False
        sound = self._sound()
        with self._engine.model() as model:
            heard = glance(model, sound, self._options.language or self._seen.language, self._seen.stable)
        if heard is None:
            self._seen = _Seen(self._seen.language)
            return None
        self._seen = self._seen.after(heard, len(sound) / SAMPLE_RATE)
        return self._written(hypothesis(heard, final=False))

    def prepare(self) -> Hypothesis:
        prepared = self._prepared  # `cancel` may come meanwhile
        if prepared is None:
            prepared = self._prepared = self._final()
            self._fresh = False
        return prepared

    def finish(self) -> Hypothesis:
        final = self.prepare()
        self._pieces = []
        return final

    def cancel(self) -> None:
        self._pieces = []
        self._fresh = False
        self._seen = _Seen()
        self._prepared = None
        self._heard = []

    def score(self, texts: list[str]) -> list[float]:
        """RecognitionFailed where the sound was longer than the model's window (30 s)."""
        with self._engine.model() as model:
            return [score(model, self._heard, self._as_heard(text)) for text in texts]

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> list[float | None]:
        """One quick pass of the decoder for each text, a longer one where the last word changes.

        -inf where the sound was longer than the model's window (30 s).
        """
        with self._engine.model() as model:
            writes = model.writes
        return priced(substitutions, writes, lambda asked: self._prices(final, asked))

    def _prices(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> list[float]:
        if len(self._heard) != 1 or self._heard[0].encoded is None:
            return [-inf] * len(substitutions)
        without: dict[bool, float] = {}
        with self._engine.model() as model:
            return [self._price(model, final, each, without) for each in substitutions]

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        """With the first 20 of `phrases`, and of them no more than 100 tokens."""
        with self._engine.model() as model:
            return self._written(hypothesis(self._with(model, phrases), final=True))

    def _price(self, model: Model, final: Hypothesis, change: Substitution, without: dict[bool, float]) -> float:
        """`without`: the scores of the text as it is, kept from one substitution to the next."""
        end = change.last == len(final.words)
        if end not in without:
            without[end] = score(model, self._heard, self._as_heard(final.text), end=end)
        texts = dict.fromkeys(replaced(final, change.first, change.last, text) for text in change.texts)
        prices = (score(model, self._heard, self._as_heard(text), end=end) - without[end] for text in texts)
        return max(prices, default=-inf)

    def _final(self) -> Hypothesis:
        with self._engine.model() as model:
            self._heard = hear(model, self._sound(), self._options.language, self._engine.search)
            self._heard = self._with(model, self._options.phrases)
        return self._written(hypothesis(self._heard, final=True))

    def _with(self, model: Model, phrases: tuple[str, ...]) -> list[Heard]:
        """What was heard, heard again with `phrases` likelier."""
        asked = tuple(self._as_heard(phrase) for phrase in phrases if phrase.strip())
        if not asked:
            return self._heard
        return [hear_with(model, window, asked, self._engine.search) for window in self._heard]

    def _written(self, heard: Hypothesis) -> Hypothesis:
        return self._writing.hypothesis(heard) if self._writing is not None else heard

    def _as_heard(self, text: str) -> str:
        """`text` in the script that the model itself wrote: the other one would seem unlikely to it."""
        raw = "".join(window.text for window in self._heard)
        if self._writing is None or self._writing.text(raw) == raw:
            return text
        return self._writing.back(text)

    def _sound(self) -> Samples:
        pieces = self._pieces  # `cancel` may come meanwhile
        if len(pieces) > 1:
            pieces[:] = [np.concatenate(pieces)]
        return pieces[0] if pieces else np.zeros(0, np.float32)


class _Seen:
    """What the partials so far have shown, for the next one."""

    def __init__(self, language: str | None = None, stable: tuple[int, ...] = (), tokens: tuple[int, ...] = ()) -> None:
        self.language = language
        self.stable = stable
        """Tokens that two partials, one after the other, began with."""
        self._tokens = tokens

    def after(self, heard: list[Heard], seconds: float) -> "_Seen":
        language = heard[-1].language if heard and heard[-1].text and seconds >= SURE_OF_LANGUAGE_S else None
        if len(heard) != 1:
            return _Seen(language)
        return _Seen(language, agreed(self._tokens, heard[0].tokens), heard[0].tokens)


def _open(settings: WhisperSettings) -> Model:
    if settings.compute_type not in ctranslate2.get_supported_compute_types("cpu") | {"default", "auto"}:
        raise ConfigError(where="engine.whisper.compute_type", detail=settings.compute_type)
    folder = whole_folder(settings.folder or FOLDER)
    speed = best_speed(folder, settings.compute_type, settings.threads, settings.speed_file)
    try:
        return load(folder, speed, settings.least_window_s, settings.languages)
    except Exception as error:  # tokenizers raises plain Exception, CTranslate2 RuntimeError and UnicodeDecodeError
        raise damaged(folder, "model.bin") from error
