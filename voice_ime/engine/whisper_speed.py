"""Which kind of computation and how many threads are fastest here: tried out once, in about a second.

On a machine that is busy with other things nothing is tried: the outcome would say little.

What is tried is a slice of a Whisper, one layer of the encoder and one of the decoder of the width of the model, with
made-up weights: weights decide what is heard, not how long it takes. So the model itself need not be loaded several
times. int8 is not faster on every processor, and more threads than two are often not worth it.
"""

import json
import logging
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ctranslate2  # type: ignore[import-untyped]
import numpy as np
from ctranslate2.specs import whisper_spec  # type: ignore[import-untyped]

from voice_ime.errors import StoreError
from voice_ime.files import write_atomically

logger = logging.getLogger(__name__)

COMPUTE_TYPES = ("int8", "float32", "bfloat16", "float16")
"""Kinds of computation that are tried, in this order, as far as the processor has them."""
USUAL_THREADS, MOST_THREADS = 2, 8
TRIAL_S = 1.0
"""No further try is begun after this time."""
WORTH = 0.85
"""Another kind of computation, or more threads, must take less than this part of the time to be taken."""
WIDTHS = ((110, 384), (320, 512))
"""Width of the models whose `model.bin` is smaller than so many megabytes; of all larger ones WIDEST."""
WIDEST = 768
_SOUND_FRAMES, _STEPS = 500, 4
_RUNS, _RUNS_S = 4, 0.1


@dataclass(frozen=True)
class Speed:
    compute_type: str
    threads: int


@dataclass(frozen=True)
class Shape:
    """Measures of a Whisper model."""

    layers: int
    """Of the encoder, and as many of the decoder."""
    width: int
    heads: int
    vocabulary: int


def best_speed(
    folder: Path, compute_type: str, threads: int, kept: Path | None, is_busy: Callable[[], bool] | None = None
) -> Speed:
    """`compute_type` and `threads`, where they are "auto" and 0 by a trial; `kept`: file of the outcomes of trials."""
    if compute_type != "auto" and threads:
        return Speed(compute_type, threads)
    key = _key(folder, compute_type, threads)
    if (known := _kept(kept, key)) is not None:
        return known
    types = _types() if compute_type == "auto" else (compute_type,)
    counts = (threads,) if threads else thread_counts(_cores())
    usual = Speed(types[0], USUAL_THREADS if USUAL_THREADS in counts else counts[0])
    if (is_busy or _is_busy)():
        return usual
    try:
        found = _tried(_width(folder), types, counts)
    except (OSError, RuntimeError, ValueError):  # no room for the slice, or a kind of computation that fails here
        logger.warning("the speed of this machine could not be tried out")
        return usual
    _keep(kept, key, found)
    return found


def _tried(width: int, types: Sequence[str], counts: Sequence[int]) -> Speed:
    with tempfile.TemporaryDirectory() as folder:
        make(Shape(1, width, 6, 2000), Path(folder))
        return fastest(types, counts, lambda speed: seconds(folder, speed), deadline=time.monotonic() + TRIAL_S)


def fastest(
    types: Sequence[str], counts: Sequence[int], seconds: Callable[[Speed], float], *, deadline: float
) -> Speed:
    """The kind of computation first, with the fewest threads, then more threads as long as they are worth it."""
    best = Speed(types[0], counts[0])
    takes_s = seconds(best)
    for compute_type in types[1:]:
        best, takes_s = _better(best, takes_s, Speed(compute_type, counts[0]), seconds, deadline)
    for count in counts[1:]:
        more, more_s = _better(best, takes_s, Speed(best.compute_type, count), seconds, deadline)
        if more == best:
            break
        best, takes_s = more, more_s
    return best


def thread_counts(cores: int) -> tuple[int, ...]:
    """Numbers of threads to try on so many cores: 1, 2, 4, ... and all of them."""
    most = min(cores, MOST_THREADS)
    return tuple(sorted({count for count in (1, 2, 4, MOST_THREADS, most) if count <= most}))


def seconds(folder: str, speed: Speed) -> float:
    """What a slice in `folder` takes at this speed."""
    model = ctranslate2.models.Whisper(
        folder, device="cpu", compute_type=speed.compute_type, intra_threads=speed.threads
    )
    sound = ctranslate2.StorageView.from_array(np.full((1, 80, _SOUND_FRAMES), 0.1, np.float32))

    def hear() -> None:
        model.generate(model.encode(sound), [[START, NO_TIMESTAMPS]], beam_size=1, max_length=2 * _STEPS)

    return _least_s(hear)


def _least_s(call: Callable[[], object]) -> float:
    """Seconds of the quickest of a few runs, after one that does not count; fewer runs where they take long."""
    call()
    times: list[float] = []
    while len(times) < _RUNS and sum(times) < _RUNS_S:
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)


def _better(
    best: Speed, takes_s: float, other: Speed, seconds: Callable[[Speed], float], deadline: float
) -> tuple[Speed, float]:
    if time.monotonic() >= deadline:
        return best, takes_s
    others_s = seconds(other)
    return (other, others_s) if others_s < takes_s * WORTH else (best, takes_s)


def _types() -> tuple[str, ...]:
    supported = ctranslate2.get_supported_compute_types("cpu")
    return tuple(each for each in COMPUTE_TYPES if each in supported) or ("default",)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_busy() -> bool:
    """Whether so much else runs here that a trial says little; more threads then look slower than they are."""
    try:
        return os.getloadavg()[0] > _cores()
    except OSError:
        return False


def _width(folder: Path) -> int:
    megabytes = (folder / "model.bin").stat().st_size / 1e6
    return next((width for most, width in WIDTHS if megabytes < most), WIDEST)


# --- what is kept of trials ---


def _key(folder: Path, compute_type: str, threads: int) -> str:
    """What the outcome depends on: the model, the machine, the library and what is asked for."""
    size = (folder / "model.bin").stat().st_size
    machine = f"{platform.machine()} {_processor()} x{_cores()}"
    return f"{folder.name} {size} | {machine} | ctranslate2 {ctranslate2.__version__} | {compute_type} {threads}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _kept(file: Path | None, key: str) -> Speed | None:
    match _all_kept(file).get(key):
        case {"compute_type": str(compute_type), "threads": int(threads)}:
            known = Speed(compute_type, threads)
            return known if compute_type in (*_types(), *key.split()) and 1 <= threads <= MOST_THREADS else None
    return None


def _all_kept(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        kept = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(file: Path | None, key: str, speed: Speed) -> None:
    if file is None:
        return
    try:
        write_atomically(file, json.dumps(_all_kept(file) | {key: asdict(speed)}, indent=1).encode())
    except StoreError:
        logger.info("the outcome of the trial could not be kept; it will be made again at the next start")


# --- a model with made-up weights ---

END, START, NO_TIMESTAMPS = 0, 1, 5
_SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")
"""The first tokens of a model that is made up; then the times, then all others."""
_FRAMES, _POSITIONS, _BANDS = 3000, 448, 80


def make(shape: Shape, folder: Path, quantization: str | None = None) -> None:
    """Writes a model of this shape into `folder`, in CTranslate2's format."""
    spec = whisper_spec.WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    weights = _Weights(shape.width)
    _fill_encoder(spec.encoder, weights, shape.width)
    _fill_decoder(spec.decoder, weights, shape)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [_SPECIAL.index("<|en|>")]
    spec.config.alignment_heads = [(shape.layers - 1, 0)]
    others = (f"t{number}" for number in range(len(_SPECIAL) + 1, shape.vocabulary))
    spec.register_vocabulary([*_SPECIAL, "<|0.00|>", *others])
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))


def _fill_encoder(encoder: Any, weights: "_Weights", width: int) -> None:
    for convolution, inputs in ((encoder.conv1, _BANDS), (encoder.conv2, width)):
        convolution.weight = weights(width, inputs, 3)
        convolution.bias = weights(width)
    encoder.position_encodings.encodings = weights(_FRAMES // 2, width)
    weights.norm(encoder.layer_norm)
    for layer in encoder.layer:
        weights.attention(layer.self_attention, (3, 1))
        weights.feed_forward(layer.ffn)


def _fill_decoder(decoder: Any, weights: "_Weights", shape: Shape) -> None:
    decoder.position_encodings.encodings = weights(_POSITIONS, shape.width)
    decoder.embeddings.weight = weights(shape.vocabulary, shape.width)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.scale_embeddings = False
    weights.norm(decoder.layer_norm)
    for layer in decoder.layer:
        weights.attention(layer.self_attention, (3, 1))
        weights.attention(layer.attention, (1, 2, 1))
        weights.feed_forward(layer.ffn)


class _Weights:
    """Random weights of one width, cut from the same block."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._block = np.random.default_rng(0).normal(0, width**-0.5, 1 << 18).astype(np.float32)

    def __call__(self, *shape: int) -> Any:
        return np.resize(self._block, shape)

    def norm(self, spec: Any) -> None:
        spec.gamma = np.ones(self._width, np.float32)
        spec.beta = np.zeros(self._width, np.float32)

    def linear(self, spec: Any, outputs: int, inputs: int) -> None:
        spec.weight = self(outputs, inputs)
        spec.bias = np.zeros(outputs, np.float32)

    def attention(self, spec: Any, outputs: Iterable[int]) -> None:
        self.norm(spec.layer_norm)
        for linear, times in zip(spec.linear, outputs, strict=True):
            self.linear(linear, times * self._width, self._width)

    def feed_forward(self, spec: Any) -> None:
        self.norm(spec.layer_norm)
        self.linear(spec.linear_0, 4 * self._width, self._width)
        self.linear(spec.linear_1, self._width, 4 * self._width)
