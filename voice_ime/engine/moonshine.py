"""Moonshine tiny: the embedded English engine. The model runs over onnxruntime, the decoding is ours."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from voice_ime.engine.base import SAMPLE_RATE, Capabilities, Engine, Hypothesis, Options, Samples, Utterance, Word
from voice_ime.engine.decoding import MARGIN, Choice, Decoding, Logits, Marks, greedy, log_probability
from voice_ime.engine.onnx import ONNX_ERRORS, open_session
from voice_ime.engine.store import MOONSHINE_TINY_EN, checked_files
from voice_ime.engine.tokens import Vocabulary
from voice_ime.errors import LanguageNotSupported, RecognitionFailed
from voice_ime.settings import MoonshineSettings

NAME = "moonshine-tiny-en"
MARKS = Marks(start=1, end=2)

_LAYERS = 6
_SHORTEST = 895
"""Samples below which the encoder has nothing to give."""
_SILENCE = 3e-4
"""A loudest sample below this (10 steps of 16 bits) is no sound at all."""
_TOKENS_PER_S = 6.5
"""More of them is a loop, not speech."""
_TOKENS_SPARE = 6

Arrays = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class DecoderState:
    """The decoder's memory of the ids so far: keys and values by layer, each [1, 8, length, 36]."""

    own: Arrays
    """Of the ids."""
    heard: Arrays
    """Of the sound; the same for all ids."""


@dataclass(frozen=True)
class Encoded:
    """Sound as the decoder wants it."""

    hidden: NDArray[np.float32]
    """[1, T, 288], about 41 a second."""
    mask: NDArray[np.int64]
    """[1, samples]: as long as the raw sound."""


class Model:
    """The two networks and the vocabulary; safe to use from several threads."""

    def __init__(self, encoder: Path, decoder: Path, vocabulary: Path, threads: int) -> None:
        self._encoder = open_session(encoder, threads, arena=False)
        self._decoder = open_session(decoder, threads, arena=False)
        self.vocabulary = Vocabulary.from_file(vocabulary)
        self.own = _names("decoder")
        self.heard = _names("encoder")

    def encode(self, samples: Samples) -> Encoded:
        """RecognitionFailed."""
        padded = np.pad(samples, (0, max(0, _SHORTEST - len(samples))))[np.newaxis]
        mask = np.ones(padded.shape, np.int64)
        (hidden,) = _run(self._encoder, None, {"input_values": padded, "attention_mask": mask})
        return Encoded(hidden, mask)

    def decode(self, outputs: list[str], inputs: dict[str, NDArray[np.generic]]) -> Sequence[NDArray[np.float32]]:
        """One run of the decoder. RecognitionFailed."""
        return _run(self._decoder, outputs, inputs)


def _names(of: str) -> tuple[str, ...]:
    return tuple(f"{layer}.{of}.{part}" for layer in range(_LAYERS) for part in ("key", "value"))


def _run(
    session: onnxruntime.InferenceSession, outputs: list[str] | None, inputs: dict[str, NDArray[np.generic]]
) -> Sequence[NDArray[np.float32]]:
    try:
        found: Sequence[NDArray[np.float32]] = session.run(outputs, inputs)
    except ONNX_ERRORS as error:
        raise RecognitionFailed(engine=NAME) from error
    return found


class MoonshineDecoder:
    """The decoder listening to one sound (`decoding.Decoder`)."""

    def __init__(self, model: Model, encoded: Encoded) -> None:
        self._model = model
        self._sound: dict[str, NDArray[np.generic]] = {
            "encoder_attention_mask": encoded.mask,
            "encoder_hidden_states": encoded.hidden,
        }

    def run(self, state: DecoderState | None, ids: Sequence[int]) -> tuple[Logits, DecoderState]:
        return self._first(ids) if state is None else self._next(state, ids)

    def cut(self, state: DecoderState, length: int) -> DecoderState:
        return DecoderState(tuple(np.ascontiguousarray(each[:, :, :length]) for each in state.own), state.heard)

    def _first(self, ids: Sequence[int]) -> tuple[Logits, DecoderState]:
        names = [*self._model.own, *self._model.heard]
        nothing = np.zeros((1, 8, 0, 36), np.float32)
        found = self._decode(names, ids, dict.fromkeys(names, nothing), cached=False)
        own = len(self._model.own)
        return found[0][0], DecoderState(tuple(found[1 : 1 + own]), tuple(found[1 + own :]))

    def _next(self, state: DecoderState, ids: Sequence[int]) -> tuple[Logits, DecoderState]:
        past = dict(zip((*self._model.own, *self._model.heard), (*state.own, *state.heard), strict=True))
        found = self._decode(list(self._model.own), ids, past, cached=True)
        return found[0][0], DecoderState(tuple(found[1:]), state.heard)

    def _decode(
        self, present: list[str], ids: Sequence[int], past: dict[str, NDArray[np.float32]], *, cached: bool
    ) -> Sequence[NDArray[np.float32]]:
        inputs: dict[str, NDArray[np.generic]] = {f"past_key_values.{name}": value for name, value in past.items()}
        inputs |= self._sound
        inputs["input_ids"] = np.array([ids], np.int64)
        inputs["use_cache_branch"] = np.array([cached])
        return self._model.decode(["logits", *(f"present.{name}" for name in present)], inputs)


class MoonshineEngine(Engine):
    """Moonshine tiny English, shared by everyone."""

    def __init__(self, settings: MoonshineSettings) -> None:
        """Checks and loads the model: some 0.3 s. ModelNotFound, ModelDamaged."""
        encoder, decoder, vocabulary = checked_files(MOONSHINE_TINY_EN, settings.folder)
        self._model: Model | None = Model(encoder, decoder, vocabulary, settings.threads)
        self.capabilities = Capabilities(
            engine=NAME,
            languages=("en",),
            word_times="none",
            confidence=True,
            alternatives=False,
            scores_text=True,
        )

    def begin(self, options: Options) -> "MoonshineUtterance":
        if options.language not in (None, *self.capabilities.languages):
            known = ", ".join(self.capabilities.languages)
            raise LanguageNotSupported(language=str(options.language), engine=NAME, known=known)
        if self._model is None:
            raise RecognitionFailed(engine=NAME)
        return MoonshineUtterance(self._model)

    def close(self) -> None:
        self._model = None  # utterances under way keep it until they end


class MoonshineUtterance(Utterance):
    """One utterance: sound gathers, and is decoded anew for each partial, with the last hypothesis as the draft."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._blocks: list[Samples] = []
        self._fresh = False
        self._draft: tuple[int, ...] = ()
        self._decoder: MoonshineDecoder | None = None

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._blocks.append(np.array(samples, np.float32))
            self._fresh = True

    def partial(self) -> Hypothesis | None:
        if not self._fresh:
            return None
        self._fresh = False
        return self._hear(final=False)

    def finish(self) -> Hypothesis:
        hypothesis = self._hear(final=True)
        self._blocks.clear()
        return hypothesis

    def cancel(self) -> None:
        self._blocks = []
        self._fresh = False
        self._draft = ()
        self._decoder = None

    def score(self, texts: list[str]) -> list[float]:
        decoder = self._decoder
        if decoder is None:
            return [0.0 if not text.strip() else -math.inf for text in texts]
        return [self._score(decoder, text) for text in texts]

    def _score(self, decoder: MoonshineDecoder, text: str) -> float:
        ids = self._model.vocabulary.ids(text) if text.strip() else []
        logits, _ = decoder.run(None, [MARKS.start, *ids])
        return log_probability(logits, [*ids, MARKS.end])

    def _hear(self, *, final: bool) -> Hypothesis:
        samples = self._samples()
        if not len(samples) or float(np.abs(samples).max()) < _SILENCE:
            return Hypothesis("", final=final, language="en", timings={"encode_s": 0.0, "decode_s": 0.0})
        began = time.perf_counter()
        self._decoder = MoonshineDecoder(self._model, self._model.encode(samples))
        encoded = time.perf_counter()
        most = int(len(samples) / SAMPLE_RATE * _TOKENS_PER_S) + _TOKENS_SPARE
        decoding = greedy(self._decoder, MARKS, most, self._draft, MARGIN if final else 0.0)
        decoded = time.perf_counter()
        self._draft = decoding.ids
        timings = {"encode_s": encoded - began, "decode_s": decoded - encoded}
        return self._hypothesis(decoding, timings, final=final)

    def _samples(self) -> Samples:
        if len(self._blocks) != 1:
            self._blocks = [np.concatenate(self._blocks)] if self._blocks else []
        return self._blocks[0] if self._blocks else np.zeros(0, np.float32)

    def _hypothesis(self, decoding: Decoding, timings: dict[str, float], *, final: bool) -> Hypothesis:
        return Hypothesis(
            text=self._model.vocabulary.text(decoding.ids),
            words=tuple(self._word(choices) for choices in self._by_word(decoding.choices)),
            final=final,
            log_probability=decoding.log_probability,
            language="en",
            timings=timings,
        )

    def _by_word(self, choices: Sequence[Choice]) -> list[list[Choice]]:
        """The choices of each word, in order."""
        groups: list[list[Choice]] = []
        for choice in choices:
            if not groups or self._model.vocabulary.starts_word(choice.token):
                groups.append([])
            groups[-1].append(choice)
        return [group for group in groups if self._text(group)]

    def _text(self, choices: Sequence[Choice]) -> str:
        return self._model.vocabulary.text([choice.token for choice in choices])

    def _word(self, choices: Sequence[Choice]) -> Word:
        mean = sum(choice.log_probability for choice in choices) / len(choices)
        return Word(self._text(choices), confidence=math.exp(mean))
