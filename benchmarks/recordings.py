"""The recordings that benchmarks are run over: a manifest of JSON lines with path, text, lang, kind, speaker."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from voice_ime.audio import read_blocks
from voice_ime.engine.base import SAMPLE_RATE, Samples
from voice_ime.engine.speech import FRAME, SpeechDetector
from voice_ime.errors import ConfigError

T = TypeVar("T")

SURE = 0.5
"""Probability from which a frame of the detector counts as speech."""
IN_A_ROW = 3
"""So many sure frames are an onset."""


@dataclass(frozen=True)
class Clip:
    """One recording and what is said in it."""

    path: Path
    text: str
    lang: str
    kind: str
    speaker: str

    @cached_property
    def sound(self) -> Samples:
        return np.concatenate(list(read_blocks(self.path)))

    @property
    def seconds(self) -> float:
        return len(self.sound) / SAMPLE_RATE


@dataclass(frozen=True)
class Speech:
    """Where the speech in a recording is, in seconds from its start."""

    onset_s: float
    end_s: float


def clips(manifest: Path, kinds: Sequence[str], langs: Sequence[str], limit: int | None = None) -> list[Clip]:
    """Those of `kinds` and `langs`; at most `limit` of each kind, spread over the manifest. ConfigError."""
    everything = [_clip(manifest.parent, row) for row in _rows(manifest)]
    chosen: list[Clip] = []
    for kind in kinds:
        wanted = [clip for clip in everything if clip.kind == kind and clip.lang in langs]
        chosen += spread(wanted, limit)
    if not chosen:
        raise ConfigError(where=str(manifest), detail=f"{', '.join(kinds)}; {', '.join(langs)}: 0")
    return chosen


def spread(items: Sequence[T], limit: int | None) -> list[T]:
    """At most `limit` of them, at even distances."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[number * len(items) // limit] for number in range(limit)]


def _rows(manifest: Path) -> list[dict[str, str]]:
    try:
        return [json.loads(line) for line in manifest.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise ConfigError(where=str(manifest), detail=str(error)) from error


def _clip(folder: Path, row: dict[str, str]) -> Clip:
    try:
        path, text = folder / row["path"], row["text"]
    except KeyError as error:
        raise ConfigError(where="manifest", detail=f"{error} ?") from error
    return Clip(path, text, row.get("lang", "en"), row.get("kind", "read"), row.get("speaker", row["path"]))


def speech_of(sound: Samples, detector: SpeechDetector) -> Speech | None:
    """From the first of three sure frames to the end of the last sure one; None where there are none."""
    padded = np.concatenate([sound, np.zeros(-len(sound) % FRAME, np.float32)])
    sure = np.array(detector.stream().probabilities(padded)) >= SURE
    runs = [place for place in range(len(sure) - IN_A_ROW + 1) if sure[place : place + IN_A_ROW].all()]
    if not runs:
        return None
    last = int(np.flatnonzero(sure)[-1]) + 1
    return Speech(runs[0] * FRAME / SAMPLE_RATE, min(last * FRAME, len(sound)) / SAMPLE_RATE)


def with_progress(items: Sequence[T], label: str) -> Iterator[T]:
    """The same items, with a bar on a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, desc=label, file=sys.stderr, leave=False)


@contextlib.contextmanager
def pinned(cores: str) -> Iterator[int]:
    """This process, and those it starts, on `cores` ("0,1"; "all") only; how many they are. ConfigError."""
    before = os.sched_getaffinity(0)
    try:
        wanted = before if cores == "all" else {int(core) for core in cores.split(",")}
        os.sched_setaffinity(0, wanted)
    except (ValueError, OSError) as error:
        raise ConfigError(where="--cores", detail=f"{cores} ({', '.join(map(str, sorted(before)))})") from error
    try:
        yield len(wanted)
    finally:
        os.sched_setaffinity(0, before)


def first_cores(number: int = 2) -> str:
    """The first cores that we may use, as `pinned` wants them."""
    return ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[:number])
