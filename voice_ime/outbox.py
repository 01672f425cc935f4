"""What a client has said and may have to say again. Pure: no network."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from voice_ime.protocol import SAMPLE_RATE, AudioFrame

LONGEST_FRAME = SAMPLE_RATE
"""Samples in one frame when sound is sent again."""

MarkKind = Literal["finalize", "cancel"]


@dataclass(frozen=True)
class Mark:
    """Something to be said when the sound up to `sample` has been sent."""

    kind: MarkKind
    sample: int


class Outbox:
    """The sound from the last kept final on, and the marks without an answer.

    Bounded: sound older than `most_s` seconds goes, but only up to where the server has finished with it; what it still
    needs stays.
    """

    def __init__(self, most_s: float = 600) -> None:
        self._most = round(most_s * SAMPLE_RATE)
        self._pieces: deque[AudioFrame] = deque()
        self._marks: list[Mark] = []
        self._kept_end = 0
        self._finished = 0
        self.position = 0
        """Samples that were said so far."""

    @property
    def resume_from(self) -> int:
        """From here on everything can be said again."""
        return self._pieces[0].offset if self._pieces else self.position

    @property
    def kept_end(self) -> int:
        """The end of the last final that was kept."""
        return self._kept_end

    def add(self, pcm: bytes) -> AudioFrame:
        frame = AudioFrame(self.position, pcm)
        self.position = frame.end
        self._pieces.append(frame)
        self._drop()
        return frame

    def mark(self, kind: MarkKind) -> Mark:
        """A mark at the present position."""
        mark = Mark(kind, self.position)
        self._marks.append(mark)
        if kind == "cancel":
            self.kept(self.position)
        return mark

    def answered(self, kind: MarkKind, sample: int) -> None:
        self._marks = [mark for mark in self._marks if mark.kind != kind or mark.sample > sample]

    def kept(self, end: int) -> None:
        """A final that ends at `end` is safe, or everything before `end` is not wanted."""
        self._kept_end = max(self._kept_end, end)
        self._forget_before(self._kept_end)

    def finished(self, sample: int) -> None:
        """The server has finished with the sound before `sample`."""
        self._finished = max(self._finished, sample)
        self._drop()

    def again(self, start: int) -> Iterator[AudioFrame | Mark]:
        """Everything from sample `start` on, the marks in their places."""
        for mark in [*self._marks, None]:
            end = self.position if mark is None else mark.sample
            yield from self._frames(start, end)
            start = max(start, end)
            if mark is not None:
                yield mark

    def _frames(self, start: int, end: int) -> Iterator[AudioFrame]:
        sound = b"".join(_part(piece, start, end) for piece in self._pieces)
        start = max(start, self.resume_from)
        for offset in range(0, len(sound), 2 * LONGEST_FRAME):
            yield AudioFrame(start + offset // 2, sound[offset : offset + 2 * LONGEST_FRAME])

    def _drop(self) -> None:
        if self.position - self.resume_from > self._most:
            self._forget_before(min(self._finished, self.position - self._most))

    def _forget_before(self, sample: int) -> None:
        while self._pieces and self._pieces[0].end <= sample:
            self._pieces.popleft()
        if self._pieces and self._pieces[0].offset < sample:
            first = self._pieces[0]
            self._pieces[0] = AudioFrame(sample, first.pcm[2 * (sample - first.offset) :])


def _part(piece: AudioFrame, start: int, end: int) -> bytes:
    if piece.end <= start or piece.offset >= end:
        return b""
    return piece.pcm[2 * max(0, start - piece.offset) : 2 * (min(end, piece.end) - piece.offset)]
