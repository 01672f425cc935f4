"""How likely given texts are for a sound, from the same graphs that sherpa-onnx runs: it does not tell that itself.

The features are those of the library (kaldi-native-fbank is the part of it that makes them), the graphs are run by
onnxruntime. CTC models: the sum over all alignments. Transducers with a stateless decoder: the sum over all alignments
with at most one token in a frame, which is how the library decodes.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import kaldi_native_fbank  # type: ignore[import-untyped]
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from voice_ime.engine.base import SAMPLE_RATE, Samples
from voice_ime.engine.onnx import open_session
from voice_ime.engine.sherpa_folder import ModelFolder
from voice_ime.engine.sherpa_tokens import BLANK

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]
Text = Sequence[int]
"""Numbers of tokens."""

_MELS = 80
_FRAME_S = 0.01
_MARGIN_S = 0.4
"""A token may have been written so much earlier or later than it was heard."""
_TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}


@dataclass(frozen=True)
class Encoded:
    """A sound as the model sees it."""

    frames: Floats
    """[time, width]: log-probabilities of the tokens (CTC), or what the joiner takes (transducer)."""
    frame_s: float
    """Seconds from one frame to the next."""


@dataclass(frozen=True)
class Written:
    """What the library heard: texts that are mostly the same need not be looked for everywhere."""

    tokens: Text
    starts: Sequence[float]
    """Seconds at which each token was written."""


class Scorer(ABC):
    """For any thread; an `Encoded` is for one at a time."""

    @abstractmethod
    def encode(self, sound: Samples) -> Encoded: ...

    @abstractmethod
    def score(self, encoded: Encoded, texts: Sequence[Text], written: Written | None = None) -> list[float]:
        """Natural logarithm of the probability of each text."""


def open_scorer(folder: ModelFolder, threads: int, tail_s: float) -> Scorer:
    """For kinds with `transducer` or `ctc`. `tail_s`: silence to put after a sound."""
    encoder = _Encoder(folder, threads, tail_s)
    if folder.facts.ctc:
        return CtcScorer(encoder)
    return TransducerScorer(encoder, folder, threads)


class CtcScorer(Scorer):
    def __init__(self, encoder: "_Encoder") -> None:
        self._encoder = encoder

    def encode(self, sound: Samples) -> Encoded:
        return self._encoder.run(sound)

    def score(self, encoded: Encoded, texts: Sequence[Text], written: Written | None = None) -> list[float]:
        """All of it is cheap enough without `written`."""
        return ctc_scores(encoded.frames, texts)


class TransducerScorer(Scorer):
    def __init__(self, encoder: "_Encoder", folder: ModelFolder, threads: int) -> None:
        self._encoder = encoder
        self._decoder = open_session(folder.parts["decoder"], threads, arena=True)
        self._joiner = open_session(folder.parts["joiner"], threads, arena=True)
        self._context = int(self._decoder.get_modelmeta().custom_metadata_map["context_size"])

    def encode(self, sound: Samples) -> Encoded:
        return self._encoder.run(sound)

    def score(self, encoded: Encoded, texts: Sequence[Text], written: Written | None = None) -> list[float]:
        rows = [self._places(encoded, text, written) for text in texts]
        told = self._told(encoded.frames, [place for row in rows for place in row])
        blank = np.full((len(encoded.frames), len(texts), max(map(len, rows), default=0)), -np.inf)
        write = blank.copy()
        for row, places in enumerate(rows):
            for column, place in enumerate(places):
                here = slice(place.begin, place.end)
                first, likely = told[place.after]
                there = slice(place.begin - first, place.end - first)
                blank[here, row, column] = likely[BLANK][there]
                write[here, row, column] = likely[place.token][there]
        return transducer_scores(blank, write, [len(text) for text in texts])

    def _places(self, encoded: Encoded, text: Text, written: Written | None) -> list["_Place"]:
        """Each token with what the decoder sees before it, and the blank that ends the text."""
        whole = (*(-1,) * (self._context - 1), BLANK, *text)
        spans = spans_of(text, written, encoded.frame_s, len(encoded.frames))
        return [
            _Place(whole[at : at + self._context], token, *span)
            for at, (token, span) in enumerate(zip((*text, BLANK), spans, strict=True))
        ]

    def _told(self, frames: Floats, places: Sequence["_Place"]) -> dict[Text, tuple[int, dict[int, Floats]]]:
        """For what the decoder sees: a first frame, and from there the log-probabilities of the tokens asked for."""
        by_context: dict[Text, list[_Place]] = {}
        for place in places:
            by_context.setdefault(place.after, []).append(place)
        told: dict[Text, tuple[int, dict[int, Floats]]] = {}
        for after, wanted in by_context.items():
            first, last = min(place.begin for place in wanted), max(place.end for place in wanted)
            tokens = {BLANK, *(place.token for place in wanted)}
            told[after] = first, self._after(frames[first:last], after, tokens)
        return told

    def _after(self, frames: Floats, after: Text, tokens: set[int]) -> dict[int, Floats]:
        """[time] for each token: its log-probability after these."""
        decoded = _run(self._decoder, [np.array([after], np.int64)])[0]
        logits: Floats = _run(self._joiner, [frames, np.repeat(decoded, len(frames), axis=0)])[0]
        top = logits.max(axis=1, initial=-np.inf)
        total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return {token: logits[:, token] - total for token in tokens}


@dataclass(frozen=True)
class _Place:
    """One place of a text: what may be written next, and when."""

    after: Text
    """What the decoder sees: the last tokens."""
    token: int
    begin: int
    end: int
    """Frames worth looking at."""


def spans_of(text: Text, written: Written | None, frame_s: float, count: int) -> list[tuple[int, int]]:
    """For each place of `text`, and its end: the frames (first, last exclusive) at which it may have come that far.

    Where `text` is as what was heard, around the moment at which that was written; elsewhere anywhere between.
    """
    if written is None or not written.starts:
        return [(0, count)] * (len(text) + 1)
    heard, moments = list(written.tokens), [round(start / frame_s) for start in written.starts]
    most = min(len(text), len(heard))
    before = next((at for at in range(most) if text[at] != heard[at]), most)
    behind = next((at for at in range(most - before) if text[-1 - at] != heard[-1 - at]), most - before)
    margin = round(_MARGIN_S / frame_s)
    first_changed, first_behind = before, len(text) - behind
    ends = [*moments[:before], *[None] * (first_behind - first_changed), *moments[len(moments) - behind :]]
    latest = [min((each for each in ends[at:] if each is not None), default=count) for at in range(len(ends))]
    earliest = [max((each for each in ends[:at] if each is not None), default=0) for at in range(len(ends) + 1)]
    return [
        (max(0, begin - margin), min(count, end + margin + 1))
        for begin, end in zip(earliest, [*latest, count], strict=True)
    ]


# --- the encoder ---


class _Encoder:
    """Runs the main graph over a whole sound: in one go, or piece by piece where it keeps states between pieces."""

    def __init__(self, folder: ModelFolder, threads: int, tail_s: float) -> None:
        path = folder.parts["model" if folder.facts.ctc else "encoder"]
        self._session = open_session(path, threads, arena=False)
        self._tail = np.zeros(round(tail_s * SAMPLE_RATE), np.float32)
        says = self._session.get_modelmeta().custom_metadata_map
        self._piece = (int(says["T"]), int(says["decode_chunk_len"])) if folder.facts.streaming else None

    def run(self, sound: Samples) -> Encoded:
        frames = features(np.concatenate([sound, self._tail]))
        if self._piece is None:
            out, lengths = _run(self._session, [frames[None], np.array([len(frames)], np.int64)])[:2]
            out = out[0, : lengths[0]]
            return Encoded(out, round(len(frames) / max(1, len(out))) * _FRAME_S)
        window, step = self._piece
        outs = self._pieces(frames, window, step)
        width = len(outs[0]) if outs else 1
        return Encoded(np.concatenate(outs) if outs else np.zeros((0, 1), np.float32), step / width * _FRAME_S)

    def _pieces(self, frames: Floats, window: int, step: int) -> list[Floats]:
        states = [_zeros(each) for each in self._session.get_inputs()[1:]]
        outs: list[Floats] = []
        for begin in range(0, len(frames) - window + 1, step):
            out, *states = _run(self._session, [frames[None, begin : begin + window], *states])
            outs.append(out[0])
        return outs


def features(sound: Samples) -> Floats:
    """[frames of 10 ms, 80]: the same as inside sherpa-onnx."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = _MELS
    options.mel_opts.high_freq = -400
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(SAMPLE_RATE, sound)
    bank.input_finished()
    frames = [bank.get_frame(number) for number in range(bank.num_frames_ready)]
    return np.stack(frames) if frames else np.zeros((0, _MELS), np.float32)


def _run(session: onnxruntime.InferenceSession, values: Sequence[NDArray[Any]]) -> list[Any]:
    """By the order of the inputs: their names differ from model to model."""
    names = [each.name for each in session.get_inputs()]
    return list(session.run(None, dict(zip(names, values, strict=True))))


def _zeros(declared: Any) -> NDArray[Any]:
    shape = [size if isinstance(size, int) else 1 for size in declared.shape]
    return np.zeros(shape, _TYPES[declared.type])


# --- sums over alignments, in the log domain ---


def ctc_scores(log_probabilities: Floats, texts: Sequence[Text]) -> list[float]:
    """[time, tokens] and texts: the log-probability of each, over all ways to write it with blanks and repetitions."""
    if not len(log_probabilities):
        return [-np.inf if len(text) else 0.0 for text in texts]
    states = np.full((len(texts), 2 * max(map(len, texts), default=0) + 1), BLANK)
    for row, text in enumerate(texts):
        states[row, 1 : 2 * len(text) : 2] = text
    may_skip = np.zeros(states.shape, bool)
    may_skip[:, 2:] = (states[:, 2:] != BLANK) & (states[:, 2:] != states[:, :-2])
    reached = np.full(states.shape, -np.inf)
    reached[:, :2] = log_probabilities[0][states[:, :2]]
    for frame in log_probabilities[1:].astype(np.float64):
        reached = _moved(reached, may_skip) + frame[states]
    return [_at_end(reached[row], 2 * len(text)) for row, text in enumerate(texts)]


def _moved(reached: Reals, may_skip: NDArray[np.bool_]) -> Reals:
    """Stay, go one state on, or go over the blank between two different tokens."""
    moved = reached.copy()
    moved[:, 1:] = np.logaddexp(moved[:, 1:], reached[:, :-1])
    skipped = np.where(may_skip[:, 2:], reached[:, :-2], -np.inf)
    moved[:, 2:] = np.logaddexp(moved[:, 2:], skipped)
    return moved


def _at_end(reached: Reals, last: int) -> float:
    return float(reached[last] if last == 0 else np.logaddexp(reached[last], reached[last - 1]))


def transducer_scores(blank: Reals, write: Reals, lengths: Sequence[int]) -> list[float]:
    """[time, texts, places]: log-probability, at each place of each text, of writing nothing and of its next token."""
    reached = np.full(blank.shape[1:], -np.inf)
    reached[:, :1] = 0
    for nothing, next_token in zip(blank, write, strict=True):
        moved = reached + nothing
        moved[:, 1:] = np.logaddexp(moved[:, 1:], reached[:, :-1] + next_token[:, :-1])
        reached = moved
    return [float(reached[row, length]) for row, length in enumerate(lengths)]


def ctc_token_scores(encoded: Encoded, tokens: Text, starts: Sequence[float]) -> list[float]:
    """Log-probability of each token where it stands out most, between its start and that of the next one."""
    count = len(encoded.frames)
    firsts = [min(round(start / encoded.frame_s), count - 1) for start in starts]
    return [
        float(encoded.frames[first : max(after, first + 1), token].max())
        for token, (first, after) in zip(tokens, pairwise([*firsts, count]), strict=True)
    ]
