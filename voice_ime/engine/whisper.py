"""Whisper models in CTranslate2's format, through faster-whisper, from a folder on this machine.

Nothing is ever asked from the network: faster-whisper would fetch a model that is given by name, and the tokenizer
where `tokenizer.json` is missing, so a folder is required and its files are looked for first.

Its `transcribe` is not used but the calls below it: `transcribe` encodes the sound twice where the language is not
given, may hear what follows the last word once more as if it were new speech, and leaves out text whose words all got
the same time. See docs/adr/0006-whisper-through-the-calls-below-transcribe.md.
"""

import json
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf, log
from pathlib import Path
from typing import Any

import ctranslate2  # type: ignore[import-untyped]
import numpy as np
from faster_whisper import WhisperModel  # type: ignore[import-untyped]
from faster_whisper.audio import pad_or_trim  # type: ignore[import-untyped]
from faster_whisper.tokenizer import Tokenizer  # type: ignore[import-untyped]
from faster_whisper.transcribe import get_suppressed_tokens, merge_punctuations  # type: ignore[import-untyped]
from faster_whisper.vad import VadOptions, get_speech_timestamps  # type: ignore[import-untyped]

from voice_ime.engine.base import SAMPLE_RATE, Capabilities, Engine, Hypothesis, Options, Samples, Utterance, Word
from voice_ime.engine.words import cut
from voice_ime.errors import ConfigError, LanguageNotSupported, ModelDamaged, ModelNotFound, RecognitionFailed
from voice_ime.settings import WhisperSettings

NAME = "whisper"
MODEL = "faster-whisper-small"
FOLDER = Path("~/voice-ime-models") / MODEL
"""Where the model is looked for if the settings name no folder."""
OWNER, OWNERS = "Systran", {"faster-whisper-large-v3-turbo": "mobiuslabsgmbh"}
"""Who offers a model of a given name."""
_MODEL_NAME = re.compile(r"faster-(distil-)?whisper-[\w.-]+")
TOKENS_PER_S = 30
"""More than anyone says in a second, in any script; beyond it the decoder is in a loop."""
MOST_TOKENS = 220
NO_SPEECH = 0.6
UNSURE = -1.0
"""Nothing was said where the model says so with NO_SPEECH and its text is less likely than this per token."""
SHORTEST_S = 0.1
"""Less sound than this has no word in it."""
CUT_WITHIN_S = 4
"""Sound that is longer than the model's window is cut at the quietest place of these last seconds of it."""
OPENING = "\"'“¿([{-"
CLOSING = "\"'.。,，!！?？:：”)]}、"
LEAST_PROBABILITY = 1e-10


class WhisperEngine(Engine):
    """One Whisper model. ModelNotFound, ModelDamaged, ConfigError (the kind of computation)."""

    def __init__(self, settings: WhisperSettings) -> None:
        self._model: Model | None = _load(_whole_folder(settings.folder or FOLDER), settings)
        self.capabilities = Capabilities(
            engine=NAME, languages=self._model.languages, word_times="aligned", confidence=True, scores_text=True
        )

    def begin(self, options: Options) -> "WhisperUtterance":
        """`options.phrases` and `options.context` are left: as prompts they come out as text where nothing is said."""
        known = self.capabilities.languages
        if options.language is not None and options.language not in known:
            raise LanguageNotSupported(language=options.language, engine=NAME, known=", ".join(known))
        return WhisperUtterance(self, options.language)

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
        except Exception as error:  # the libraries below raise plain RuntimeError, ValueError and Exception
            raise RecognitionFailed(engine=NAME) from error


class WhisperUtterance(Utterance):
    """Collects the sound; each partial hears all of it again."""

    def __init__(self, engine: WhisperEngine, language: str | None) -> None:
        self._engine = engine
        self._language = language
        self._pieces: list[Samples] = []
        self._fresh = False
        self._heard: list[Heard] = []

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._pieces.append(np.array(samples, np.float32))
            self._fresh = True

    def partial(self) -> Hypothesis | None:
        if not self._fresh:
            return None
        self._fresh = False
        with self._engine.model() as model:
            return _hypothesis(_hear(model, self._sound(), self._language, align=False), final=False)

    def finish(self) -> Hypothesis:
        with self._engine.model() as model:
            self._heard = _hear(model, self._sound(), self._language, align=True)
        self._pieces = []
        return _hypothesis(self._heard, final=True)

    def cancel(self) -> None:
        self._pieces = []
        self._fresh = False
        self._heard = []

    def score(self, texts: list[str]) -> list[float]:
        """RecognitionFailed where the sound was longer than the model's window (30 s)."""
        with self._engine.model() as model:
            if len(self._heard) > 1:
                raise ValueError("longer than the window of the model")
            return [_score(model, self._heard, text) for text in texts]

    def _sound(self) -> Samples:
        self._pieces = [np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.float32)]
        return self._pieces[0]


# --- hearing ---


@dataclass(frozen=True)
class Encoded:
    """Sound as the decoder sees it."""

    states: Any
    frames: int
    """Frames of 10 ms that are sound and not padding."""


@dataclass(frozen=True)
class Heard:
    """What one window of sound gave."""

    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None
    log_probability: float = 0.0
    timings: Mapping[str, float] = field(default_factory=dict)
    encoded: Encoded | None = None
    """None where there was no speech."""


class Model:
    """The calls of faster-whisper that are used, one window of sound at a time. For any thread."""

    def __init__(self, model: WhisperModel, beam_size: int) -> None:
        self._model = model
        self._beam_size = beam_size
        self.window: int = model.feature_extractor.n_samples
        self.languages = _languages(model)

    def encode(self, sound: Samples) -> Encoded:
        features = self._model.feature_extractor(sound)
        frames = min(features.shape[-1] - 1, self._model.feature_extractor.nb_max_frames)
        return Encoded(self._model.encode(pad_or_trim(features[:, :frames])), frames)

    def detect(self, encoded: Encoded) -> str:
        """The likeliest of the languages of this model."""
        token: str = self._model.model.detect_language(encoded.states)[0][0][0]
        return token[2:-2]

    def decode(self, encoded: Encoded, language: str) -> tuple[list[int], float]:
        """The tokens of the text and the log-probability of them and their end; no tokens where nothing was said."""
        tokenizer = self._tokenizer(language)
        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True)
        most = min(MOST_TOKENS, TOKENS_PER_S * (1 + encoded.frames // 100))
        result = self._model.model.generate(
            encoded.states,
            [prompt],
            beam_size=self._beam_size,
            max_length=len(prompt) + most,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        log_probability = result.scores[0] * len(result.sequences_ids[0])
        if result.no_speech_prob > NO_SPEECH and log_probability < UNSURE * (len(tokens) + 1):
            return [], log_probability
        return tokens, log_probability

    def text(self, tokens: list[int], language: str) -> str:
        """Without blanks around it, and one blank between words."""
        return " ".join(self._tokenizer(language).decode(tokens).split())

    def align(self, encoded: Encoded, language: str, tokens: list[int]) -> list[dict[str, Any]]:
        """Words of the tokens as {word, start, end, probability}, in seconds of this window."""
        found = self._model.find_alignment(self._tokenizer(language), [tokens], encoded.states, encoded.frames)
        words: list[dict[str, Any]] = found[0] if found else []
        merge_punctuations(words, OPENING, CLOSING)
        return words

    def score(self, encoded: Encoded, language: str, text: str) -> float:
        """Log-probability of the tokens of `text`, without that of its end, which CTranslate2 does not tell."""
        tokenizer = self._tokenizer(language)
        tokens = tokenizer.encode(_blank(language) + text.strip())
        aligned = self._model.model.align(encoded.states, tokenizer.sot_sequence, [tokens], encoded.frames)
        return sum(log(max(probability, LEAST_PROBABILITY)) for probability in aligned[0].text_token_probs)

    def _tokenizer(self, language: str) -> Tokenizer:
        model = self._model
        return Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language)


def _hear(model: Model, sound: Samples, language: str | None, *, align: bool) -> list[Heard]:
    """One answer for each window of the sound, words timed from the beginning of the sound."""
    heard: list[Heard] = []
    begin = 0
    for end in _window_ends(sound, model.window):
        heard.append(_hear_window(model, sound[begin:end], language, begin / SAMPLE_RATE, align=align))
        language = language or heard[-1].language  # a later window of the same breath is in the same language
        begin = end
    return heard


def _hear_window(model: Model, sound: Samples, language: str | None, offset_s: float, *, align: bool) -> Heard:
    begun = time.perf_counter()
    # Whisper makes up sentences where nothing is said, often without a sign of it in its own figures.
    speech = _speech(sound)
    if speech is None:
        return Heard("", language=language)
    encoded = model.encode(sound)
    language = language or model.detect(encoded)
    encoded_at = time.perf_counter()
    tokens, log_probability = model.decode(encoded, language)
    text = model.text(tokens, language) if tokens else ""
    words = _words(text, model.align(encoded, language, tokens) if align and text else [], speech, offset_s)
    timings = {"encode_s": encoded_at - begun, "decode_s": time.perf_counter() - encoded_at}
    return Heard(text, words, language, log_probability, timings, encoded)


def _score(model: Model, heard: Sequence[Heard], text: str) -> float:
    if not text.strip():
        return 0.0
    for window in heard:
        if window.encoded is not None and window.language is not None:
            return model.score(window.encoded, window.language, text)
    return -inf


def _speech(sound: Samples) -> tuple[float, float] | None:
    """Seconds of the first and the last speech in `sound`; None where there is none."""
    if len(sound) < SHORTEST_S * SAMPLE_RATE:
        return None
    spans = get_speech_timestamps(sound, VadOptions(speech_pad_ms=50))
    return (spans[0]["start"] / SAMPLE_RATE, spans[-1]["end"] / SAMPLE_RATE) if spans else None


def _words(
    text: str, aligned: Sequence[Mapping[str, Any]], speech: tuple[float, float], offset_s: float
) -> tuple[Word, ...]:
    """The words of `text`, in order and within the speech; without times where what was aligned is not the text."""
    words: list[Word] = []
    earliest, latest = speech
    for word in aligned:
        # Alignment gives the silence before speech to the first word, and may reach into the padding.
        start = min(max(float(word["start"]), earliest), latest)
        earliest = min(max(float(word["end"]), start), latest)
        if written := _without_blanks(word["word"]):
            words.append(Word(written, offset_s + start, offset_s + earliest, min(float(word["probability"]), 1.0)))
    if "".join(word.text for word in words) == _without_blanks(text):
        return tuple(words)
    return tuple(Word(word) for word in cut(text))


def _hypothesis(heard: Sequence[Heard], *, final: bool) -> Hypothesis:
    said = [window for window in heard if window.text]
    timings: dict[str, float] = {}
    for window in heard:
        for stage, seconds in window.timings.items():
            timings[stage] = timings.get(stage, 0.0) + seconds
    language = next((window.language for window in said), None)
    return Hypothesis(
        _blank(language).join(window.text for window in said),
        tuple(word for window in said for word in window.words),
        final=final,
        log_probability=sum(window.log_probability for window in said) if said else None,
        language=language,
        timings=timings,
    )


def _window_ends(sound: Samples, window: int) -> Iterator[int]:
    begin = 0
    while len(sound) - begin > window:
        begin += _quietest(sound[begin : begin + window])
        yield begin
    if begin < len(sound):
        yield len(sound)


def _quietest(sound: Samples) -> int:
    """The middle of the quietest tenth of a second near the end of `sound`."""
    step = SAMPLE_RATE // 10
    first = max(step, len(sound) - CUT_WITHIN_S * SAMPLE_RATE)
    blocks = sound[first : first + (len(sound) - first) // step * step].reshape(-1, step)
    return first + int(np.square(blocks).mean(axis=1).argmin()) * step + step // 2


def _blank(language: str | None) -> str:
    """What is between two sentences of `language`."""
    return "" if language in ("zh", "ja", "yue") else " "


def _without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)


# --- the model on disk ---


def _whole_folder(folder: Path) -> Path:
    """`folder` with `~` filled in, with all files in it. ModelNotFound, ModelDamaged (a file of text that is none)."""
    folder = folder.expanduser()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        _require(folder, (name,))
    _require(folder, ("vocabulary.json", "vocabulary.txt"))
    for path in sorted(folder.glob("*.json")):
        if not _is_json(path):
            raise ModelDamaged(model=folder.name, file=path.name, command=_command(folder, again=True))
    return folder


def _require(folder: Path, names: tuple[str, ...]) -> None:
    if not any((folder / name).is_file() for name in names):
        where = folder / names[0] if folder.is_dir() else folder
        raise ModelNotFound(model=folder.name, where=str(where), command=_command(folder))


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict | list)
    except ValueError:
        return False


def _command(folder: Path, *, again: bool = False) -> str:
    """What gets the model of this name, or else a small one, into `folder`; `again`: over files that are there."""
    model = folder.name if _MODEL_NAME.fullmatch(folder.name) else MODEL
    command = f"{_downloader()} download {OWNERS.get(model, OWNER)}/{model} --local-dir {shlex.quote(str(folder))}"
    return f"{command} --force-download" if again else command


def _downloader() -> str:
    """The program that comes with faster-whisper; with its folder where a terminal would not find it by name."""
    beside = Path(sys.executable).with_name("hf")
    return "hf" if shutil.which("hf") or not beside.exists() else shlex.quote(str(beside))


def _load(folder: Path, settings: WhisperSettings) -> Model:
    if settings.compute_type not in ctranslate2.get_supported_compute_types("cpu") | {"default", "auto"}:
        raise ConfigError(where="engine.whisper.compute_type", detail=settings.compute_type)
    try:
        model = WhisperModel(
            str(folder),
            device="cpu",
            compute_type=settings.compute_type,
            cpu_threads=settings.threads,
            local_files_only=True,
        )
        _try_out(model)
        return Model(model, settings.beam_size)
    except Exception as error:  # tokenizers raises plain Exception, CTranslate2 RuntimeError and UnicodeDecodeError
        command = _command(folder, again=True)
        raise ModelDamaged(model=folder.name, file="model.bin", command=command) from error


def _try_out(model: WhisperModel) -> None:
    """One step of decoding over a moment of silence: fails if the files do not belong together."""
    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
    features = model.feature_extractor(np.zeros(SAMPLE_RATE // 10, np.float32))
    sound = ctranslate2.StorageView.from_array(np.expand_dims(features, 0))
    prompt = tokenizer.sot_sequence
    model.model.generate(sound, [prompt], max_length=len(prompt) + 1)


def _languages(model: WhisperModel) -> tuple[str, ...]:
    """Those the model has a token for: supported_languages names all of Whisper's for every multilingual model."""
    if not model.model.is_multilingual:
        return ("en",)
    known = model.hf_tokenizer.get_vocab()
    return tuple(code for code in model.supported_languages if f"<|{code}|>" in known)
