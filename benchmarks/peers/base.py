"""What another recogniser is to a benchmark: a loaded model, and one stream for each speaker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from voice_ime.engine.base import Samples


@dataclass(frozen=True)
class Told:
    """What a stream tells. Positions in seconds of its sound."""

    kind: Literal["partial", "final"]
    text: str
    utterance: str
    start_s: float | None = None
    end_s: float | None = None
    work_s: float | None = None
    """Seconds that the peer itself says it took."""


class PeerStream(Protocol):
    """One speaker. Calls block, and come from one thread."""

    def feed(self, samples: Samples) -> Sequence[Told]:
        """Takes 20 ms of sound; what there is to tell after it."""

    def stop(self) -> Sequence[Told]:
        """The key was released: what remains is to be told."""

    def close(self) -> None: ...


class Peer(Protocol):
    """The model, shared by all streams; `stream` may be called from several threads."""

    def stream(self) -> PeerStream: ...
