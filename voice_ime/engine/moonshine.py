"""Moonshine tiny: the embedded English engine. The model runs over onnxruntime, the decoding is ours."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from voice_ime.engine.alternatives import Alternative, alternatives, likeliest
from voice_ime.engine.base import (
    SAMPLE_RATE,
    Capabilities,
    Engine,
    Hypothesis,
    Options,
    Samples,
    Substitution,
    Utterance,
    Word,
    priced,
    replaced,
)
from voice_ime.engine.beam import beam
from voice_ime.engine.calibration import Calibration
from voice_ime.engine.decoding import MARGIN, Found, Logits, Marks, greedy
from voice_ime.engine.onnx import ONNX_ERRORS, open_session
from voice_ime.engine.pricing import Asked, Pricing
from voice_ime.engine.reading import Choice, Reading, read, score
from voice_ime.engine.store import MOONSHINE_TINY_EN, checked_files
from voice_ime.engine.tokens import Vocabulary
from voice_ime.engine.word_times import Seen, Times, from_halves, from_partials, speech_edges
from voice_ime.engine.words import is_latin
from voice_ime.errors import LanguageNotSupported, RecognitionFailed
from voice_ime.settings import MoonshineSettings

NAME = "moonshine-tiny-en"
MARKS = Marks(start=1, end=2)

_DECODER_THREADS = 1
"""A step is too little work to be shared: with two threads it takes no less time and a tenth more of the processors."""
_LAYERS = 6
_SHORTEST = 895
"""Samples that the encoder needs for one frame."""
_LEAST = 1600
"""Samples below which no word can have been said."""
_SURROUNDINGS = 1600
"""Samples of silence put before and after the sound: this model hears a tenth better with them."""
_FRAME = 384
"""Samples of one frame of the encoder: 24 ms."""
_MOMENT = 6
"""Frames between the moments at which word times are looked for."""
_SILENCE = 3e-4
"""A loudest sample below this (10 steps of 16 bits) is no sound at all."""
_TOKENS_PER_S = 6.5
"""More of them is a loop, not speech."""
_TOKENS_SPARE = 6
_ENDS = (".", "?", "!")
_MOST_TEXTS = 2
"""Whole texts offered as alternatives."""
CALIBRATION = Calibration(constant=1.008, own=0.609, near=0.489, whole=0.467)
"""From 2,008 words of 171 speakers (docs/adr/0001); `bench accuracy` finds it anew."""

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
        self._decoder = open_session(decoder, _DECODER_THREADS, arena=False)
        self.vocabulary = Vocabulary.from_file(vocabulary)
        self.own = _names("decoder")
        self.heard = _names("encoder")

    def writes(self, text: str) -> bool:
        """It has pieces of other scripts, too, but was taught English only."""
        return is_latin(text) and self.vocabulary.covers(text)

    def encode(self, samples: Samples) -> Encoded:
        """RecognitionFailed."""
        heard = np.pad(samples, _SURROUNDINGS)[np.newaxis]
        mask = np.ones(heard.shape, np.int64)
        (hidden,) = _run(self._encoder, None, {"input_values": heard, "attention_mask": mask})
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
        self._encoded = encoded
        self._sound: dict[str, NDArray[np.generic]] = {
            "encoder_attention_mask": encoded.mask,
            "encoder_hidden_states": encoded.hidden,
        }

    @property
    def frames(self) -> int:
        """Frames of the encoder."""
        return int(self._encoded.hidden.shape[1])

    def run(self, state: DecoderState | None, ids: Sequence[int]) -> tuple[Logits, DecoderState]:
        return self._first(ids) if state is None else self._next(state, ids)

    def part(self, state: DecoderState, first: int, last: int) -> tuple["MoonshineDecoder", DecoderState]:
        """The decoder listening to frames `first` to `last` (exclusive) only, and its state before any id."""
        hidden = np.ascontiguousarray(self._encoded.hidden[:, first:last])
        mask = np.ones((1, _SHORTEST + (last - first - 1) * _FRAME), np.int64)
        heard = tuple(np.ascontiguousarray(each[:, :, first:last]) for each in state.heard)
        return MoonshineDecoder(self._model, Encoded(hidden, mask)), DecoderState(self.cut(state, 0).own, heard)

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

    calibration: Calibration | None = CALIBRATION

    def __init__(self, settings: MoonshineSettings) -> None:
        """Checks and loads the model: some 0.3 s. ModelNotFound, ModelDamaged."""
        encoder, decoder, vocabulary = checked_files(MOONSHINE_TINY_EN, settings.folder)
        self._model: Model | None = Model(encoder, decoder, vocabulary, settings.threads)
        self._word_times = settings.word_times
        self._beam_size = settings.beam_size
        self.capabilities = Capabilities(
            engine=NAME,
            languages=("en",),
            word_times="estimated",
            confidence=True,
            alternatives=True,
            scores_text=True,
        )

    def begin(self, options: Options) -> "MoonshineUtterance":
        if options.language not in (None, *self.capabilities.languages):
            known = self.capabilities.languages
            raise LanguageNotSupported(language=options.language, engine=NAME, known=known)
        if self._model is None:
            raise RecognitionFailed(engine=NAME)
        return MoonshineUtterance(
            self._model, word_times=self._word_times, beam_size=self._beam_size, calibration=self.calibration
        )

    def writes(self, text: str) -> bool:
        return self._model is not None and self._model.writes(text)

    def close(self) -> None:
        self._model = None  # utterances under way keep it until they end


class MoonshineUtterance(Utterance):
    """One utterance: sound gathers, and is decoded anew for each partial, with the last hypothesis as the draft."""

    def __init__(
        self,
        model: Model,
        *,
        word_times: bool = False,
        beam_size: int = 1,
        calibration: Calibration | None = None,
    ) -> None:
        self._model = model
        self._word_times = word_times
        self._beam_size = beam_size
        self._calibration = calibration
        self._seen: list[Seen] = []
        self._blocks: list[Samples] = []
        self._fresh = False
        self._draft: tuple[int, ...] = ()
        self._prepared: Hypothesis | None = None
        self._heard: _Heard | None = None

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._blocks.append(np.array(samples, np.float32))
            self._fresh = True
            self._prepared = None
            self._heard = None

    def partial(self) -> Hypothesis | None:
        if not self._fresh:
            return None
        self._fresh = False
        samples = self._samples()
        if _is_silent(samples):
            return Hypothesis("", language="en")
        found, timings = self._so_far(samples)
        hypothesis = partial_hypothesis(self._model.vocabulary, found, timings)
        self._seen.append(Seen(len(samples) / SAMPLE_RATE, tuple(word.text for word in hypothesis.words)))
        return hypothesis

    def prepare(self) -> Hypothesis:
        prepared = self._prepared  # `cancel` may come meanwhile
        if prepared is None:
            prepared, self._heard = self._final()
            self._prepared = prepared
            self._fresh = False
        return prepared

    def completeness(self) -> float | None:
        self.prepare()
        heard = self._heard
        return None if heard is None else _completeness(self._model.vocabulary, heard.reading)

    def finish(self) -> Hypothesis:
        hypothesis = self.prepare()
        self._blocks = []
        return hypothesis

    def cancel(self) -> None:
        self._blocks = []
        self._seen = []
        self._fresh = False
        self._draft = ()
        self._prepared = None
        self._heard = None

    def score(self, texts: list[str]) -> list[float]:
        if self._heard is None:
            return [-math.inf if text.strip() else 0.0 for text in texts]
        ids = self._model.vocabulary.ids
        decoder, reading = self._heard.decoder, self._heard.reading
        return [score(decoder, MARKS, reading, ids(text) if text.strip() else []) for text in texts]

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> list[float | None]:
        return priced(substitutions, self._model.writes, lambda asked: self._prices(final, asked))

    def _prices(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> list[float]:
        heard = self._heard
        if heard is None or heard.reading.logits is None:
            return [-math.inf] * len(substitutions)
        pricing = Pricing(heard.decoder, MARKS, heard.reading, heard.reading.logits)
        known: dict[str, list[int]] = {}
        return pricing.prices([self._asked(final, each, known) for each in substitutions])

    def _asked(self, final: Hypothesis, change: Substitution, known: dict[str, list[int]]) -> Asked:
        """`known`: the tokens of words, which are found word by word."""
        texts = dict.fromkeys(replaced(final, change.first, change.last, text) for text in change.texts)
        return Asked(change.first, change.last, tuple(self._ids(text, known) for text in texts), change.at_least)

    def _ids(self, text: str, known: dict[str, list[int]]) -> tuple[int, ...]:
        words = text.split()
        for word in words:
            if word not in known:
                known[word] = self._model.vocabulary.ids(word)
        return tuple(token for word in words for token in known[word])

    def _final(self) -> tuple[Hypothesis, "_Heard | None"]:
        samples = self._samples()
        if _is_silent(samples):
            return _nothing(), None
        decoder, encode_s = self._encode(samples)
        began = time.perf_counter()
        best = self._best(decoder, _most_tokens(samples))
        decoded = time.perf_counter()
        heard = _Heard(decoder, best.reading)
        timings = {"encode_s": encode_s, "decode_s": decoded - began}
        hypothesis = self._calibrated(final_hypothesis(self._model.vocabulary, best))
        if not any(character.isalnum() for character in hypothesis.text):
            return _nothing(), None
        words = self._timed(hypothesis.words, samples, heard)
        timings["times_s"] = time.perf_counter() - decoded
        return replace(hypothesis, words=words, timings=timings), heard

    def _timed(self, words: tuple[Word, ...], samples: Samples, heard: "_Heard") -> tuple[Word, ...]:
        """`words` with their times, as far as there is evidence."""
        if self._word_times:
            times = times_from_halves(self._model.vocabulary, heard, len(samples) / SAMPLE_RATE)
        else:
            times = from_partials([word.text for word in words], self._seen, speech_edges(samples))
        return tuple(replace(word, start_s=start, end_s=end) for word, (start, end) in zip(words, times, strict=True))

    def _so_far(self, samples: Samples) -> tuple[Found[DecoderState], dict[str, float]]:
        decoder, encode_s = self._encode(samples)
        began = time.perf_counter()
        found = greedy(decoder, MARKS, _most_tokens(samples), self._draft, margin=0.0)
        self._draft = found.ids
        return found, {"encode_s": encode_s, "decode_s": time.perf_counter() - began}

    def _encode(self, samples: Samples) -> tuple[MoonshineDecoder, float]:
        """The decoder listening to `samples`, and the seconds it took."""
        began = time.perf_counter()
        decoder = MoonshineDecoder(self._model, self._model.encode(samples))
        return decoder, time.perf_counter() - began

    def _best(self, decoder: MoonshineDecoder, most: int) -> "_Best":
        pieces = self._model.vocabulary
        if self._beam_size == 1:
            found = greedy(decoder, MARKS, most, self._draft, MARGIN)
            self._draft = found.ids
            return _Best(*likeliest(decoder, MARKS, read(decoder, MARKS, found), pieces))
        found, *others = beam(decoder, MARKS, most, self._beam_size)
        self._draft = found.ids
        reading = read(decoder, MARKS, found)
        return _Best(reading, alternatives(decoder, MARKS, reading, pieces), [other.ids for other in others])

    def _calibrated(self, hypothesis: Hypothesis) -> Hypothesis:
        return hypothesis if self._calibration is None else calibrated(hypothesis, self._calibration)

    def _samples(self) -> Samples:
        blocks = self._blocks  # `cancel` may come meanwhile
        if len(blocks) > 1:
            blocks[:] = [np.concatenate(blocks)]
        return blocks[0] if blocks else np.zeros(0, np.float32)


def _most_tokens(samples: Samples) -> int:
    return int(len(samples) / SAMPLE_RATE * _TOKENS_PER_S) + _TOKENS_SPARE


def _is_silent(samples: Samples) -> bool:
    return len(samples) < _LEAST or float(np.abs(samples).max()) < _SILENCE


def _nothing() -> Hypothesis:
    timings = {"encode_s": 0.0, "decode_s": 0.0, "times_s": 0.0}
    return Hypothesis("", final=True, language="en", timings=timings)


@dataclass(frozen=True)
class _Heard:
    """What `score` needs of a finished utterance."""

    decoder: MoonshineDecoder
    reading: Reading[DecoderState]


def partial_hypothesis(vocabulary: Vocabulary, found: Found[DecoderState], timings: dict[str, float]) -> Hypothesis:
    """The words so far, as they are: what could be said about them is not worth its time."""
    words = tuple(Word(vocabulary.text(found.ids[first:last])) for first, last in _spans(vocabulary, found.ids))
    return Hypothesis(vocabulary.text(found.ids), words, language="en", timings=timings)


@dataclass(frozen=True)
class _Best:
    """The likeliest text."""

    reading: Reading[DecoderState]
    others: Sequence[Alternative]
    """What could stand in the place of some of its words, likeliest first."""
    texts: Sequence[tuple[int, ...]] = ()
    """Other whole texts that were followed to their end, likeliest first."""


def final_hypothesis(vocabulary: Vocabulary, best: _Best) -> Hypothesis:
    """The words of a finished text with what else they could have been."""
    text, reading = vocabulary.text, best.reading
    ids = reading.ids
    by_span: dict[tuple[int, int], list[str]] = {}
    for other in best.others:
        by_span.setdefault((other.first, other.last), []).append(text(other.ids))
    words = tuple(
        Word(
            text(ids[first:last]),
            confidence=_confidence(vocabulary, reading.choices[first:last]),
            alternatives=_different(text(ids[first:last]), by_span.get((first, last), ())),
            log_probability=_log_probability(vocabulary, reading.choices[first:last]),
        )
        for first, last in _spans(vocabulary, ids)
    )
    texts = [*best.texts, *(other.inside(ids) for other in best.others)]
    return Hypothesis(
        text=text(ids),
        words=words,
        alternatives=_different(text(ids), [text(other) for other in texts])[:_MOST_TEXTS],
        final=True,
        log_probability=reading.log_probability,
        language="en",
    )


def calibrated(hypothesis: Hypothesis, calibration: Calibration) -> Hypothesis:
    """`hypothesis`, all of whose words have a confidence, with those that recordings have shown to be true."""
    raw = [word.confidence for word in hypothesis.words if word.confidence is not None]
    words = zip(hypothesis.words, calibration.of(raw), strict=True)
    return replace(hypothesis, words=tuple(replace(word, confidence=sure) for word, sure in words))


def times_from_halves(vocabulary: Vocabulary, heard: _Heard, duration_s: float) -> list[Times]:
    """When each word was said, by how well it goes with the sound before and after some moments."""
    reading, frames = heard.reading, heard.decoder.frames
    moments = range(_MOMENT, frames, _MOMENT)  # the first is within the silence before the sound
    spans = _spans(vocabulary, reading.ids)

    def by_word(first: int, last: int) -> list[float]:
        decoder, state = heard.decoder.part(reading.state, first, last)
        choices = read(decoder, MARKS, Found(reading.ids, ended=True, state=state)).choices
        return [_log_probability(vocabulary, choices[begin:end]) for begin, end in spans]

    return from_halves(
        before=np.array([by_word(0, moment) for moment in moments]),
        after=np.array([by_word(moment, frames) for moment in moments]),
        whole=np.array(by_word(0, frames)),
        at_s=[(moment * _FRAME - _SURROUNDINGS) / SAMPLE_RATE for moment in moments],
        duration_s=duration_s,
    )


def _spans(vocabulary: Vocabulary, ids: Sequence[int]) -> list[tuple[int, int]]:
    """First and last (exclusive) token of each word that can be seen."""
    borders = [place for place, token in enumerate(ids) if place == 0 or vocabulary.starts_word(token)]
    spans = zip(borders, [*borders[1:], len(ids)], strict=True)
    return [(first, last) for first, last in spans if vocabulary.text(ids[first:last])]


def _confidence(vocabulary: Vocabulary, choices: Sequence[Choice]) -> float:
    """The probability of the word without its punctuation: the best sign of a wrong word, and about as often right."""
    return math.exp(_log_probability(vocabulary, choices))


def _completeness(vocabulary: Vocabulary, reading: Reading[DecoderState]) -> float:
    """The probability of the mark that ends the sentence; 0.0 where there is none."""
    if not reading.choices:
        return 0.0
    last = reading.choices[-1]
    return math.exp(last.log_probability) if vocabulary.text([last.token]).strip("\"'") in _ENDS else 0.0


def _log_probability(vocabulary: Vocabulary, choices: Sequence[Choice]) -> float:
    heard = [choice for choice in choices if vocabulary.has_sound(choice.token)] or choices
    return sum(choice.log_probability for choice in heard)


def _different(said: str, others: Sequence[str]) -> tuple[str, ...]:
    """Those of `others` that differ from `said` and from each other in more than punctuation and capitals."""
    seen = {_letters(said)}
    found: list[str] = []
    for other in others:
        if _letters(other) not in seen:
            seen.add(_letters(other))
            found.append(other)
    return tuple(found)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum() or character == " ").strip()
