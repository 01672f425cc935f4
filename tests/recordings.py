"""Recordings made for tests: a tone, in any format, whole or broken."""

import struct
from pathlib import Path

import numpy as np

from voice_ime.engine.base import Samples

LOUDNESS = 0.3


def tone(seconds: float, rate: int = 16_000) -> Samples:
    """440 Hz at a constant loudness: easy to know again after any conversion."""
    return (LOUDNESS * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write(
    path: Path,
    codec: str,
    seconds: float = 3.0,
    *,
    rate: int = 16_000,
    layout: str = "mono",
    options: dict[str, str] | None = None,
) -> Path:
    """A tone on every channel, in the container that the name of `path` asks for."""
    import av

    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        sound = tone(seconds, rate)
        resampler = av.AudioResampler(stream.format, layout, rate)
        frame = av.AudioFrame.from_ndarray(np.tile(sound, (stream.channels, 1)), "fltp", layout)
        frame.sample_rate = rate
        for size in resampler.resample(frame):
            container.mux(stream.encode(size))
        container.mux(stream.encode(None))
    return path


def write_wav(path: Path, pcm: bytes, *, declared: int | None = None) -> Path:
    """16-bit mono WAV at 16 kHz whose header claims `declared` bytes of sound; None: the truth."""
    size = len(pcm) if declared is None else declared
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16) + b"data" + struct.pack("<I", size)
    path.write_bytes(b"RIFF" + struct.pack("<I", min(len(head) + size, 0xFFFF_FFFF)) + head + pcm)
    return path


def write_film(path: Path) -> Path:
    """A picture without sound."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for at in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
            frame.pts = at
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def cut(path: Path, share: float = 0.6, *, odd: bool = False) -> Path:
    """The same file without its end."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share) | odd])
    return path
