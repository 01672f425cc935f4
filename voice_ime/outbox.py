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
    start: int = 0
    """cancel: the first sample that is to be forgotten."""


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
        self._cancelled = 0
        """Cancels up to here are answered."""
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

    def finalize(self) -> Mark:
        """A release at the present position."""
        return self._mark(Mark("finalize", self.position))

    def cancel(self, start: int) -> Mark:
        """The sound from `start` on is not wanted: it is forgotten at once."""
        start = min(max(start, self._kept_end), self.position)
        before = [_part(piece, 0, start) for piece in self._pieces]
        offsets = [piece.offset for piece in self._pieces]
        kept = [AudioFrame(offset, pcm) for offset, pcm in zip(offsets, before, strict=True) if pcm]
        self._pieces = deque(kept)
        return self._mark(Mark("cancel", self.position, start))

    def finalized(self, sample: int) -> None:
        """All releases up to `sample` are answered."""
        self._marks = [mark for mark in self._marks if mark.kind == "cancel" or mark.sample > sample]

    def cancelled(self, sample: int) -> None:
        """All cancels up to `sample` are answered."""
        self._cancelled = max(self._cancelled, sample)
        self._forget_marks()

    def _mark(self, mark: Mark) -> Mark:
        self._marks.append(mark)
        self._forget_marks()
        return mark

    def kept(self, end: int) -> None:
        """A final that ends at `end` is safe."""
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

    def _forget_marks(self) -> None:
        """A cancelled stretch leaves a hole in the sound: its mark is needed as long as there is sound before it."""
        self._marks = [mark for mark in self._marks if mark.kind == "finalize" or self._is_needed(mark)]

    def _is_needed(self, mark: Mark) -> bool:
        return mark.sample > self._cancelled or (bool(self._pieces) and self._pieces[0].offset < mark.start)

    def _forget_before(self, sample: int) -> None:
        while self._pieces and self._pieces[0].end <= sample:
            self._pieces.popleft()
        if self._pieces and self._pieces[0].offset < sample:
            first = self._pieces[0]
            self._pieces[0] = AudioFrame(sample, first.pcm[2 * (sample - first.offset) :])
        self._forget_marks()


def _part(piece: AudioFrame, start: int, end: int) -> bytes:
    if piece.end <= start or piece.offset >= end:
        return b""
    return piece.pcm[2 * max(0, start - piece.offset) : 2 * (min(end, piece.end) - piece.offset)]
