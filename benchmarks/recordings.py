"""The recordings that benchmarks are run over: a manifest of JSON lines with path, text, lang, kind, speaker."""

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from voice_ime.audio import read_blocks
from voice_ime.engine.base import SAMPLE_RATE, Samples
from voice_ime.engine.speech import FRAME, SpeechDetector
from voice_ime.errors import AudioError, ConfigError, Languages, ManifestWrong, NoRecordings, TruncatedAudio
from voice_ime.messages import Messages

T = TypeVar("T")

NO_WORDS = "none"
"""The language of recordings in which nobody speaks."""

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
    """Those of `kinds` and `langs`; at most `limit` of each kind, spread over the manifest.

    ConfigError where it cannot be read, ManifestWrong where a line cannot be understood, NoRecordings where there are
    none of one of the kinds.
    """
    everything = _everything(manifest)
    chosen: list[Clip] = []
    for kind in kinds:
        wanted = [clip for clip in everything if clip.kind == kind and clip.lang in langs]
        if not wanted:
            raise NoRecordings(path=str(manifest), kinds=(kind,), languages=_spoken(langs))
        chosen += spread(wanted, limit)
    if not chosen:
        raise NoRecordings(path=str(manifest), kinds=tuple(kinds), languages=_spoken(langs))
    return chosen


def _spoken(langs: Sequence[str]) -> Languages:
    return Languages(lang for lang in langs if lang != NO_WORDS)


def readable(recordings: Sequence[Clip], messages: Messages) -> tuple[list[Clip], list[str]]:
    """Those whose sound can be read to its end, and the names of the others, which are told on standard error.

    They are read now and not in the midst of an hour of measuring. AudioError where not one can be read.
    """
    good: list[Clip] = []
    bad: list[str] = []
    for clip in with_progress(recordings, "audio"):
        try:
            clip.seconds  # noqa: B018  # keeps the sound
        except AudioError as error:
            if len(bad) == len(recordings) - 1:
                raise
            bad.append(clip.path.name)
            print(_left_out(error, messages), file=sys.stderr, flush=True)
        else:
            good.append(clip)
    return good, bad


def _left_out(error: AudioError, messages: Messages) -> str:
    """For people a recording that breaks off is better than none; for figures it is not."""
    reason, _ = messages.error(error)
    if isinstance(error, TruncatedAudio):
        reason = messages("bench.breaks_off", **error.values)
    return messages("bench.left_out", reason=reason)


def names(text: str) -> list[str]:
    """Of several with commas between, on the command line."""
    return [name for part in text.split(",") if (name := part.strip())]


def spread(items: Sequence[T], limit: int | None) -> list[T]:
    """At most `limit` of them, at even distances."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[number * len(items) // limit] for number in range(limit)]


def _everything(manifest: Path) -> list[Clip]:
    try:
        lines = manifest.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(where=str(manifest), detail=str(error)) from error
    return [_clip(manifest, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _clip(manifest: Path, number: int, line: bytes) -> Clip:
    try:
        row = _Row.model_validate_json(line.removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        place = error.errors(include_input=False, include_url=False)[0]["loc"]
        detail = str(place[0]) if place else "JSON"
        raise ManifestWrong(path=str(manifest), line=number, detail=detail) from None
    speaker = row.path if row.speaker is None else str(row.speaker)
    return Clip(manifest.parent / row.path, row.text, row.lang or "en", row.kind or "read", speaker)


class _Row(BaseModel):
    """A line of a manifest."""

    path: str
    text: str
    lang: str | None = None
    kind: str | None = None
    speaker: str | int | None = None


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
