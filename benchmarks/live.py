"""Playing recordings in real time to whoever listens, and writing down what comes back and when.

The clock of a track starts with its first sample: a block of 20 ms is there when its last sample was spoken, so a
moment on the clock is a position in the sound, and delays are differences. Every system gets the same blocks.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from benchmarks.recordings import Clip
from voice_ime.engine.base import SAMPLE_RATE, Samples
from voice_ime.errors import MeasuredEnded

BLOCK = SAMPLE_RATE // 50
BLOCK_S = BLOCK / SAMPLE_RATE


@dataclass(frozen=True)
class Slot:
    """A recording at its place in a track, in seconds from the start of the track."""

    clip: Clip
    begin_s: float
    end_s: float
    """Of the recording, without the silence behind it."""


@dataclass(frozen=True)
class Track:
    """What one speaker says: recordings with silence before, between and after them."""

    clips: tuple[Clip, ...]
    lead_s: float = 0.3
    gap_s: float = 1.0
    """After each recording."""
    start_s: float = 0.0
    """When this speaker begins, from the start of the run."""
    stop_s: float | None = None
    """End of the track; None: after the last silence."""
    release: bool = False
    """The key is released at the end, and only that ends the utterance."""
    paced: bool = True
    """False: handed over as quickly as it is taken, for what does not depend on the clock."""

    @property
    def seconds(self) -> float:
        whole = self.lead_s + sum(clip.seconds + self.gap_s for clip in self.clips)
        return whole if self.stop_s is None else min(whole, self.stop_s)

    @property
    def slots(self) -> list[Slot]:
        slots, position = [], self.lead_s
        for clip in self.clips:
            slots.append(Slot(clip, position, position + clip.seconds))
            position += clip.seconds + self.gap_s
        return slots

    @property
    def sound(self) -> Samples:
        pieces = [_silence(self.lead_s)]
        for clip in self.clips:
            pieces += [clip.sound, _silence(self.gap_s)]
        whole = np.concatenate(pieces)
        whole = whole if self.stop_s is None else whole[: round(self.stop_s * SAMPLE_RATE)]
        return np.concatenate([whole, np.zeros(-len(whole) % BLOCK, np.float32)])


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@dataclass(frozen=True)
class Said:
    """Something that a system said. Moments and positions in seconds on the clock of its track."""

    kind: Literal["partial", "final", "released"]
    text: str
    at_s: float
    utterance: str = ""
    """Partials and the final of one utterance have the same."""
    needed_s: float | None = None
    """Final: the end of the last block that was needed to decide the end of the utterance."""
    start_s: float | None = None
    end_s: float | None = None
    reason: str = "endpoint"
    work_s: float | None = None
    """What the system itself says about the time that the final took."""


@dataclass(frozen=True)
class Played:
    """What one system did with one run."""

    said: tuple[tuple[Said, ...], ...]
    """By track."""
    sound_s: float
    """Of all tracks."""
    cpu_s: float
    """Of the process that recognises."""
    peak_rss_mb: float
    rss_mb: float
    late_s: float = 0.0
    """How late the latest block was handed over: the player itself was too slow."""
    refused: int = 0
    """Tracks that the system did not take."""
    errors: tuple[str, ...] = ()
    """Codes of the errors it told."""
    loop_late_ms: Mapping[str, float] | None = None
    """How late its event loop was, {p50, p99, max}; None: not asked."""


class Player(Protocol):
    """A system that tracks can be played to."""

    name: str

    async def play(self, tracks: Sequence[Track]) -> Played: ...


@contextlib.contextmanager
def still_running(name: str) -> Iterator[None]:
    """MeasuredEnded where the process that is asked for its sound, or for what it has used, is gone."""
    try:
        yield
    except (FileNotFoundError, ProcessLookupError, ConnectionError) as error:
        raise MeasuredEnded(name=name) from error


@dataclass
class Usage:
    """What a process has used, from the system's own books."""

    process_id: int
    cpu_before_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.cpu_before_s = cpu_s(self.process_id)

    @property
    def cpu_s(self) -> float:
        return cpu_s(self.process_id) - self.cpu_before_s


def cpu_s(process_id: int) -> float:
    """Seconds of all its threads, in user code and in the kernel."""
    fields = Path(f"/proc/{process_id}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(process_id: int) -> tuple[float, float]:
    """(most so far, now), resident."""
    lines = Path(f"/proc/{process_id}/status").read_text("utf-8").splitlines()
    sizes: dict[str, Any] = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return int(sizes["VmHWM"]) / 1024, int(sizes["VmRSS"]) / 1024
