"""Moonshine's streaming models, English, through their own library moonshine-voice, from a folder on this machine.

**The streaming models never ran where this was written.** What was run is everything around them, with the model "tiny"
inside the package: the same calls, but it hears the whole utterance anew for each partial. Nothing is fetched: the
library does so only where it is asked for a model by its language.

The library cuts speech by a detector of its own. With a threshold of 0 all sound is speech to it, so that the utterance
stays one line; lines are joined nevertheless. By its source it holds what a streaming model heard of one utterance:
where two people speak at once, each change from one to the other makes it hear from the beginning again.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from moonshine_voice.errors import MoonshineError  # type: ignore[import-untyped]
from moonshine_voice.transcriber import ModelArch, Transcriber  # type: ignore[import-untyped]

from voice_ime.engine.base import SAMPLE_RATE, Capabilities, Engine, Hypothesis, Options, Samples, Utterance, Word
from voice_ime.engine.store import MOONSHINE_TINY_EN, checked_files
from voice_ime.errors import EngineUnavailable, LanguageNotSupported, ModelDamaged, ModelNotFound, RecognitionFailed
from voice_ime.settings import MoonshineStreamingSettings

NAME = "moonshine-streaming"
PACKAGE = "moonshine-voice"
MODELS = Path("~/voice-ime-models")
GRAPHS = ("frontend.ort", "encoder.ort", "adapter.ort", "cross_kv.ort", "decoder_kv.ort")
FILES = (*GRAPHS, "streaming_config.json", "tokenizer.bin")
"""What the folder of a streaming model holds."""
OPTIONS = {"vad_threshold": "0", "vad_max_segment_duration": "60", "return_audio_data": "false"}
"""The library's own: an utterance is one line, and its sound is not given back with its text."""
_ARCHITECTURES = {
    "tiny": ModelArch.TINY,
    "tiny-streaming": ModelArch.TINY_STREAMING,
    "small-streaming": ModelArch.SMALL_STREAMING,
    "medium-streaming": ModelArch.MEDIUM_STREAMING,
}
_TAIL = np.zeros(round(0.8 * SAMPLE_RATE), np.float32)
"""Silence after the sound: streaming models hear a word only once they have some of what comes after it, and the
library does not look again at the end where nothing new has come."""
_LEAST = 1600
"""Samples below which no word can have been said; the library fails on very short sound."""
_SILENCE = 3e-4
"""A loudest sample below this (10 steps of 16 bits) is no sound at all."""


class MoonshineStreamingEngine(Engine):
    """One model. ModelNotFound, ModelDamaged, EngineUnavailable (the library cannot be loaded on this machine)."""

    def __init__(self, settings: MoonshineStreamingSettings, transcriber: Callable[..., Any] = Transcriber) -> None:
        folder = _whole_folder(settings)
        self._model: _Model | None = _Model(_open(transcriber, folder, settings.kind))
        self.capabilities = Capabilities(engine=NAME, languages=("en",), streaming=settings.kind.endswith("-streaming"))

    def begin(self, options: Options) -> "MoonshineStreamingUtterance":
        known = self.capabilities.languages
        if options.language not in (None, *known):
            raise LanguageNotSupported(language=options.language, engine=NAME, known=known)
        if self._model is None:
            raise RecognitionFailed(engine=NAME)
        return MoonshineStreamingUtterance(self._model)

    def close(self) -> None:
        self._model = None  # utterances under way keep it until they end


class MoonshineStreamingUtterance(Utterance):
    """Keeps the sound: where the library fails on a partial, the next call begins again with all of it."""

    def __init__(self, model: "_Model") -> None:
        self._model = model
        self._stream: Any = None
        self._pieces: list[Samples] = []
        self._given = 0
        """Pieces that the stream has."""
        self._length = 0
        self._loudest = 0.0

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._pieces.append(np.array(samples, np.float32))
            self._length += len(samples)
            self._loudest = max(self._loudest, float(np.abs(samples).max()))

    def partial(self) -> Hypothesis | None:
        if self._given == len(self._pieces) or self._is_silent():
            return None
        try:
            return self._hear(final=False)
        except RecognitionFailed:  # told when the final fails, too
            return None

    def finish(self) -> Hypothesis:
        hypothesis = Hypothesis("", final=True, language="en") if self._is_silent() else self._hear(final=True)
        self.cancel()
        return hypothesis

    def cancel(self) -> None:
        self._pieces = []
        self._given = self._length = 0
        self._loudest = 0.0
        self._let_go()

    def __del__(self) -> None:
        self._let_go()

    def _is_silent(self) -> bool:
        return self._length < _LEAST or self._loudest < _SILENCE

    def _hear(self, *, final: bool) -> Hypothesis:
        """RecognitionFailed."""
        begun = time.perf_counter()
        pieces, self._given = self._pieces[self._given :], len(self._pieces)
        try:
            with self._model.library() as transcriber:
                if self._stream is None:
                    self._stream = transcriber.create_stream(update_interval=math.inf)
                    self._stream.start()
                text = _text(self._stream, np.concatenate([*pieces, _TAIL] if final else pieces))
        except MoonshineError as error:
            self._given = 0
            self._let_go()
            raise RecognitionFailed(engine=NAME) from error
        words = tuple(Word(word) for word in text.split())
        return Hypothesis(text, words, final=final, language="en", timings={"decode_s": time.perf_counter() - begun})

    def _let_go(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            self._model.discard(stream)


class _Model:
    """The library's transcriber, for one thread at a time: its streams share what they work with."""

    def __init__(self, transcriber: Any) -> None:
        self._transcriber = transcriber
        self._lock = Lock()
        self._discarded: deque[Any] = deque()

    @contextmanager
    def library(self) -> Iterator[Any]:
        with self._lock:
            try:
                yield self._transcriber
            finally:
                self._close_discarded()

    def discard(self, stream: Any) -> None:
        """Never waits: where the library is at work, the stream is closed after that."""
        self._discarded.append(stream)
        if self._lock.acquire(blocking=False):
            try:
                self._close_discarded()
            finally:
                self._lock.release()

    def _close_discarded(self) -> None:
        while self._discarded:
            self._discarded.popleft().close()


def _text(stream: Any, sound: Samples) -> str:
    """What the stream has heard with `sound`, in one line; empty where that is no word."""
    stream.add_audio(sound.tolist(), SAMPLE_RATE)
    transcript = stream.update_transcription(Transcriber.MOONSHINE_FLAG_FORCE_UPDATE)
    text = " ".join(word for line in transcript.lines for word in line.text.split())
    return text if any(character.isalnum() for character in text) else ""


def _whole_folder(settings: MoonshineStreamingSettings) -> Path:
    if settings.kind == "tiny":
        folder = settings.folder.expanduser() if settings.folder is not None else None
        return checked_files(MOONSHINE_TINY_EN, folder)[0].parent
    folder = (settings.folder or MODELS / f"moonshine-{settings.kind}-en").expanduser()
    for name in FILES:
        if not (folder / name).is_file():
            where = folder / name if folder.is_dir() else folder
            raise ModelNotFound(model=folder.name, where=str(where), command=_command(settings.kind))
    return folder


def _open(transcriber: Callable[..., Any], folder: Path, kind: str) -> Any:
    try:
        return transcriber(str(folder), _ARCHITECTURES[kind], options=OPTIONS)
    except (MoonshineError, AttributeError) as error:  # AttributeError: its library failed to load before, too
        if isinstance(error, AttributeError) or isinstance(error.__cause__, OSError):
            raise EngineUnavailable(engine=NAME, package=PACKAGE) from error
        raise ModelDamaged(model=folder.name, file=str(folder), command=_command(kind)) from error


def _command(kind: str) -> str:
    """What brings the model, and brings it again."""
    return MOONSHINE_TINY_EN.command if kind == "tiny" else f"voice-ime models pull moonshine-{kind}-en"
