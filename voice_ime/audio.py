"""Sound: recordings of any kind, block by block; 16-bit samples to and from floats. Never the network."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from voice_ime.engine.base import SAMPLE_RATE, Samples
from voice_ime.errors import AudioNotFound, AudioUnreadable, EmptyAudio, TruncatedAudio, UnsupportedAudio

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

_MISSING_S = 0.2
"""A file whose sound is this much shorter than its header says breaks off; less is rounding and padding."""
_LENGTH_UNKNOWN = 0x7FFF_0000
"""Programs that write WAV into a pipe declare 0 bytes, or at least this many."""
_LARGEST_OGG_PAGE = 65_307


def from_pcm16(pcm: bytes) -> Samples:
    """Floats [N] in [-1, 1) of 16-bit little-endian samples. ValueError where the last sample is not whole."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)


def to_pcm16(samples: Samples) -> bytes:
    """16-bit little-endian samples of floats [N]; what is outside [-1, 1] is clipped."""
    scaled = np.rint(samples * np.float32(32768))
    return bytes(np.clip(scaled, -32768, 32767).astype("<i2").tobytes())


def duration_s(path: Path) -> float | None:
    """How long the sound of a file is, in seconds, as far as its header tells; None where it does not.

    Errors as of `read_blocks`.
    """
    with _opened(path) as (_, container, stream):
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        return container.duration / 1e6 if container.duration else None


def read_blocks(path: Path, block_s: float = 1.0) -> Iterator[Samples]:
    """The sound of a local file as blocks of `block_s` seconds, the last shorter: float32 [N], mono, 16 kHz, [-1, 1].

    Holds one block at a time, however long the file is. Raises AudioNotFound, AudioUnreadable, UnsupportedAudio,
    EmptyAudio; TruncatedAudio after the last good block of a file that breaks off.
    """
    given = 0
    with _opened(path) as (file, container, stream):
        decoding = _Decoding(container, stream)
        for block in _cut_into(decoding.sound(), round(block_s * SAMPLE_RATE)):
            if not given and decoding.is_noise():
                raise UnsupportedAudio(path=str(path))
            given += len(block)
            yield block
        if not given:
            raise UnsupportedAudio(path=str(path)) if decoding.damaged else EmptyAudio(path=str(path))
        if decoding.broke_off(file):
            raise TruncatedAudio(path=str(path), seconds=round(given / SAMPLE_RATE, 1))


@contextmanager
def _opened(path: Path) -> "Iterator[tuple[BinaryIO, InputContainer, AudioStream]]":
    """The file, its container and its main audio stream. Errors of the system are translated here."""
    import av  # not at the top: the server needs this module for its samples only

    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise EmptyAudio(path=str(path))
            file.seek(0)
            # A file object, not a name: no name can then mean an address. No protocols: no playlist can lead elsewhere.
            with av.open(file, "r", options={"protocol_whitelist": "none"}) as container:
                stream = container.streams.best("audio")
                if not isinstance(stream, av.AudioStream):
                    raise UnsupportedAudio(path=str(path))
                yield file, container, stream
    except (AudioNotFound, AudioUnreadable, EmptyAudio, TruncatedAudio, UnsupportedAudio):
        raise
    except av.FFmpegError:
        raise UnsupportedAudio(path=str(path)) from None
    except FileNotFoundError:
        raise AudioNotFound(path=str(path)) from None
    except IsADirectoryError:
        raise UnsupportedAudio(path=str(path)) from None
    except OSError as error:
        raise AudioUnreadable(path=str(path), detail=error.strerror or type(error).__name__) from error


class _Decoding:
    """One audio stream being decoded, and what was noticed about its health."""

    def __init__(self, container: "InputContainer", stream: "AudioStream") -> None:
        self._container = container
        self._stream = stream
        self._good = 0
        self._decoded_s = 0.0
        self._incomplete = False
        self._damaged_last = False
        self.damaged = 0

    def sound(self) -> Iterator[Samples]:
        """Mono samples at 16 kHz, in pieces of any length. A damaged packet is left out and the next ones are tried."""
        mono = _Mono()
        for frame in self._frames():
            yield from mono.take(frame)
        yield from mono.rest()

    def is_noise(self) -> bool:
        """Whether there is more damage than sound: then this is not a recording at all."""
        return self.damaged > self._good

    def broke_off(self, file: BinaryIO) -> bool:
        """Whether sound is missing at the end of `file`."""
        kind = self._container.format.name
        if kind == "wav" and _wav_of_unknown_length(file):
            return False
        if kind == "ogg" and _ends_within_ogg_page(file):
            return True
        declared_s = self._declared_s(file)
        short = declared_s is not None and declared_s - self._decoded_s > _MISSING_S
        return self._incomplete or self._damaged_last or short

    def _frames(self) -> "Iterator[AudioFrame]":
        import av

        try:
            for packet in self._container.demux(self._stream):
                self._incomplete |= packet.is_corrupt
                try:
                    frames = packet.decode()
                except av.InvalidDataError:
                    self.damaged += 1
                    self._damaged_last = True
                    continue
                for frame in frames:
                    self._good += 1
                    self._damaged_last = False
                    self._decoded_s += frame.samples / frame.sample_rate
                    yield frame
        except av.InvalidDataError:  # the container itself is damaged from here on
            self._incomplete = True

    def _declared_s(self, file: BinaryIO) -> float | None:
        """What the header says; None where it is an estimate, or where it speaks of a picture that may be longer."""
        kind = self._container.format.name
        if kind == "aac" or (kind == "mp3" and not _mp3_tells_its_length(file)):
            return None
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        alone = len(self._container.streams) == 1
        return self._container.duration / 1e6 if alone and self._container.duration else None


class _Mono:
    """Any frames in, mono samples at 16 kHz out.

    The channels are averaged here: the resampler would make sound that is the same on both sides louder than 1.
    """

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._kind: object = None

    def take(self, frame: "AudioFrame") -> Iterator[Samples]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:  # some recordings change in the middle, e.g. several pasted together
            yield from self.rest()
            self._resampler, self._kind = self._new_resampler(), kind
        assert self._resampler is not None
        yield from map(_mono, self._resampler.resample(frame))

    def rest(self) -> Iterator[Samples]:
        """What the resampler still held back."""
        if self._resampler is not None:
            yield from map(_mono, self._resampler.resample(None))
            self._resampler = None

    def _new_resampler(self) -> "AudioResampler":
        import av

        return av.AudioResampler(format="fltp", layout=None, rate=SAMPLE_RATE)


def _mono(frame: "AudioFrame") -> Samples:
    channels = frame.to_ndarray()
    mean: Samples = channels.mean(axis=0, dtype=np.float32)
    return np.clip(np.nan_to_num(mean), np.float32(-1), np.float32(1))  # files of floats may hold anything


def _cut_into(pieces: Iterable[Samples], size: int) -> Iterator[Samples]:
    held: list[Samples] = []
    have = 0
    for piece in pieces:
        held.append(piece)
        have += len(piece)
        if have >= size:
            whole = np.concatenate(held)
            end = have - have % size
            yield from (whole[start : start + size] for start in range(0, end, size))
            held, have = [whole[end:].copy()], have % size
    if have:
        yield np.concatenate(held)


# --- what the containers say about their own length ------------------------------------------------------------------


def _wav_of_unknown_length(file: BinaryIO) -> bool:
    """Whether a WAV file was written by a program that could not know its length."""
    head = _piece(file, 0, 4096)
    at = head.find(b"data")
    declared = int.from_bytes(head[at + 4 : at + 8], "little")
    return at >= 0 and (declared == 0 or declared >= _LENGTH_UNKNOWN)


def _mp3_tells_its_length(file: BinaryIO) -> bool:
    """Whether an MP3 file has the header that counts its frames; without, its length can only be guessed."""
    head = _piece(file, 0, 65_536)
    return b"Xing" in head or b"Info" in head


def _ends_within_ogg_page(file: BinaryIO) -> bool:
    """Whether the last page of an Ogg file is not whole."""
    end = file.seek(0, 2)
    tail = _piece(file, max(0, end - _LARGEST_OGG_PAGE), _LARGEST_OGG_PAGE)
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def _piece(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)
