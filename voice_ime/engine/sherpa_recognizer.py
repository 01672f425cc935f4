"""sherpa-onnx as it is called here: opening a model of any kind, and one pass over one person's sound.

Kinds with `ran_here` False in sherpa_folder.KINDS never ran where this was written, for want of their weights: their
calls follow the documentation of the library.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import sherpa_onnx  # type: ignore[import-untyped]

from voice_ime.engine.base import SAMPLE_RATE, Samples
from voice_ime.engine.sherpa_folder import ModelFolder
from voice_ime.engine.sherpa_tokens import Tokens
from voice_ime.settings import SherpaKind, SherpaSettings

SHORTEST_S = 0.1
"""Less sound than this has no word in it; some models fail on it."""
_STEP = SAMPLE_RATE // 100
_MOST_TAIL_S = 10
_KNOWN_FAMILIES = ("conformer", "lstm", "zipformer", "zipformer2")
"""What the library need not find out by loading the model twice."""


@dataclass(frozen=True)
class Heard:
    """What a pass over the sound gave, as the library tells it."""

    text: str = ""
    tokens: tuple[str, ...] = ()
    starts: tuple[float, ...] = ()
    """Seconds at which each token was written; empty: not told."""
    log_probabilities: tuple[float, ...] = ()
    """Of each token, natural; empty: not told."""
    language: str = ""
    """Empty: not told."""


class Pass(ABC):
    """One hearing of one sound. Not for two threads at once."""

    @abstractmethod
    def accept(self, samples: Samples) -> None:
        """Further sound."""

    @abstractmethod
    def so_far(self) -> Heard: ...

    @abstractmethod
    def end(self) -> Heard:
        """All of it. Afterwards nothing more can be accepted where the model is a streaming one."""


class Recognizer(ABC):
    """A loaded model; for any thread."""

    @abstractmethod
    def begin(self, phrases: Sequence[str]) -> Pass:
        """`phrases` must be spelled as the library wants them (Tokens.usable): other ones may end the process."""


def open_recognizer(folder: ModelFolder, settings: SherpaSettings, phrases: Tokens | None) -> Recognizer:
    """`phrases`: what spells phrases that are to be made likelier; None: there are to be none.

    The library exits the process on some bad files: try `folder` out in another process first (sherpa_check).
    """
    with _table_of(phrases) as table:
        opened = _OPENERS[folder.kind](folder, _Call(settings, phrases, table))
    return StreamingRecognizer(opened) if folder.facts.streaming else WholeRecognizer(opened)


@contextmanager
def _table_of(tokens: Tokens | None) -> Iterator[Path | None]:
    """The word pieces in a file, as the library reads them while it opens a model."""
    if tokens is None or tokens.pieces is None:
        yield None
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pieces.vocab"
        lines = [f"{piece}\t{worth}\n" for piece, worth in tokens.pieces.items()]
        path.write_text("".join(["<unk>\t0.0\n", *lines]), "utf-8")
        yield path


# --- streaming models ---


class StreamingRecognizer(Recognizer):
    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer
        self._tail = np.zeros(_tail_samples(recognizer), np.float32)

    @property
    def tail_s(self) -> float:
        """Silence that the model must be given after the last sound so that it writes the last word."""
        return len(self._tail) / SAMPLE_RATE

    def begin(self, phrases: Sequence[str]) -> Pass:
        stream = self._recognizer.create_stream("/".join(phrases)) if phrases else self._recognizer.create_stream()
        return StreamingPass(self._recognizer, stream, self._tail)


class StreamingPass(Pass):
    def __init__(self, recognizer: Any, stream: Any, tail: Samples) -> None:
        self._recognizer = recognizer
        self._stream = stream
        self._tail = tail

    def accept(self, samples: Samples) -> None:
        """In parts, because the library lets no other thread of Python run meanwhile: 4 ms for a second of sound."""
        for begin in range(0, len(samples), SAMPLE_RATE):
            self._stream.accept_waveform(SAMPLE_RATE, samples[begin : begin + SAMPLE_RATE])

    def so_far(self) -> Heard:
        self._decode()
        result = self._recognizer.get_result_all(self._stream)
        return _heard(result, result.ys_probs)

    def end(self) -> Heard:
        self._stream.accept_waveform(SAMPLE_RATE, self._tail)
        self._stream.input_finished()
        return self.so_far()

    def _decode(self) -> None:
        while self._recognizer.is_ready(self._stream):
            self._recognizer.decode_stream(self._stream)


def _tail_samples(recognizer: Any) -> int:
    """How much sound the model wants to see at a time: found out by giving it silence until it works."""
    stream = recognizer.create_stream()
    given = 0
    while not recognizer.is_ready(stream) and given < _MOST_TAIL_S * SAMPLE_RATE:
        stream.accept_waveform(SAMPLE_RATE, np.zeros(_STEP, np.float32))
        given += _STEP
    return given


# --- models that hear whole utterances ---


class WholeRecognizer(Recognizer):
    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer

    def begin(self, phrases: Sequence[str]) -> Pass:
        return WholePass(self._recognizer, "/".join(phrases))


class WholePass(Pass):
    def __init__(self, recognizer: Any, phrases: str) -> None:
        self._recognizer = recognizer
        self._phrases = phrases
        self._pieces: list[Samples] = []

    def accept(self, samples: Samples) -> None:
        self._pieces.append(samples)

    def so_far(self) -> Heard:
        self._pieces = [np.concatenate(self._pieces)] if self._pieces else []
        if not self._pieces or len(self._pieces[0]) < SHORTEST_S * SAMPLE_RATE:
            return Heard()
        create = self._recognizer.create_stream
        stream = create(self._phrases) if self._phrases else create()
        stream.accept_waveform(SAMPLE_RATE, self._pieces[0])
        self._recognizer.decode_stream(stream)
        return _heard(stream.result, stream.result.ys_log_probs)

    def end(self) -> Heard:
        return self.so_far()


def _heard(result: Any, log_probabilities: Sequence[float]) -> Heard:
    tokens = tuple(result.tokens)
    starts = tuple(max(float(start), 0.0) for start in result.timestamps)
    sure = tuple(min(float(value), 0.0) for value in log_probabilities)
    return Heard(
        result.text,
        tokens,
        starts if len(starts) == len(tokens) and all(map(math.isfinite, starts)) else (),
        sure if len(sure) == len(tokens) and not any(map(math.isnan, sure)) else (),
        getattr(result, "lang", "").strip("<|>"),
    )


# --- the calls, one for each kind ---


@dataclass(frozen=True)
class _Call:
    settings: SherpaSettings
    phrases: Tokens | None
    table: Path | None

    @property
    def search(self) -> dict[str, Any]:
        if self.phrases is None:
            return {"decoding_method": "greedy_search"}
        return {
            "decoding_method": "modified_beam_search",
            "max_active_paths": self.settings.paths,
            "hotwords_score": self.settings.phrase_score,
            "modeling_unit": self.phrases.unit,
            "bpe_vocab": "" if self.table is None else str(self.table),
        }


def _common(folder: ModelFolder, call: _Call) -> dict[str, Any]:
    return {"tokens": str(folder.tokens), "num_threads": call.settings.threads}


def _parts(folder: ModelFolder, *roles: str) -> dict[str, str]:
    return {role: str(folder.parts[role]) for role in roles}


def _transducer_parts(folder: ModelFolder, call: _Call) -> dict[str, Any]:
    return _common(folder, call) | _parts(folder, "encoder", "decoder", "joiner") | call.search


def _streaming_transducer(folder: ModelFolder, call: _Call) -> Any:
    family = folder.family if folder.family in _KNOWN_FAMILIES else ""
    # The library divides by this before it tells how likely a token was; 1: it tells what the model says.
    arguments = _transducer_parts(folder, call) | {"model_type": family, "temperature_scale": 1.0}
    return sherpa_onnx.OnlineRecognizer.from_transducer(**arguments)


def _streaming_ctc(folder: ModelFolder, call: _Call) -> Any:
    return sherpa_onnx.OnlineRecognizer.from_zipformer2_ctc(**_common(folder, call), **_parts(folder, "model"))


def _streaming_paraformer(folder: ModelFolder, call: _Call) -> Any:
    """Never run here."""
    parts = _parts(folder, "encoder", "decoder")
    return sherpa_onnx.OnlineRecognizer.from_paraformer(**_common(folder, call), **parts)


def _transducer(folder: ModelFolder, call: _Call) -> Any:
    return sherpa_onnx.OfflineRecognizer.from_transducer(**_transducer_parts(folder, call))


def _ctc(folder: ModelFolder, call: _Call) -> Any:
    return sherpa_onnx.OfflineRecognizer.from_zipformer_ctc(**_common(folder, call), **_parts(folder, "model"))


def _paraformer(folder: ModelFolder, call: _Call) -> Any:
    """Never run here."""
    model = str(folder.parts["model"])
    return sherpa_onnx.OfflineRecognizer.from_paraformer(paraformer=model, **_common(folder, call))


def _sense_voice(folder: ModelFolder, call: _Call) -> Any:
    """Never run here. `use_itn`: with punctuation and numbers in figures."""
    arguments = _common(folder, call) | _parts(folder, "model")
    return sherpa_onnx.OfflineRecognizer.from_sense_voice(**arguments, use_itn=True)


def _parakeet(folder: ModelFolder, call: _Call) -> Any:
    """Never run here."""
    arguments = _common(folder, call) | _parts(folder, "encoder", "decoder", "joiner")
    return sherpa_onnx.OfflineRecognizer.from_transducer(**arguments, model_type="nemo_transducer")


def _moonshine(folder: ModelFolder, call: _Call) -> Any:
    """Never run here."""
    return sherpa_onnx.OfflineRecognizer.from_moonshine(
        preprocessor=str(folder.parts["preprocess"]),
        encoder=str(folder.parts["encode"]),
        uncached_decoder=str(folder.parts["uncached_decode"]),
        cached_decoder=str(folder.parts["cached_decode"]),
        **_common(folder, call),
    )


_OPENERS: Mapping[SherpaKind, Callable[[ModelFolder, _Call], Any]] = {
    "streaming-transducer": _streaming_transducer,
    "streaming-ctc": _streaming_ctc,
    "transducer": _transducer,
    "ctc": _ctc,
    "streaming-paraformer": _streaming_paraformer,
    "paraformer": _paraformer,
    "sense-voice": _sense_voice,
    "parakeet-tdt": _parakeet,
    "moonshine": _moonshine,
}
