"""Taking a model's files out of a tar archive that may be damaged or hostile.

Nothing is ever unpacked to a place that the archive names: only files of the model are read, and written under the
names that the list of models gives. An archive that holds links, devices or ways out of its folder is refused as a
whole all the same, so tarfile's own filter, which Pythons before 3.11.4 lack, is not needed. How much comes out of the
compressed stream is bounded before it is read.
"""

import bz2
import gzip
import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from voice_ime.errors import ArchiveRefused
from voice_ime.models.manifest import Model

MEMBERS = 2000
"""More parts than this no model has."""
SPARE_BYTES = 64_000_000
"""For recordings, read-me files and the like, beside the files of the model."""
TIMES = 8
"""Weights are hardly compressible: an archive of files whose sizes are unknown may hold so many times its own size."""
BLOCK = 1 << 20
_DAMAGED = (
    tarfile.TarError,
    EOFError,
    lzma.LZMAError,
    zlib.error,
    struct.error,
    ValueError,
    ArithmeticError,
    LookupError,
)


class Hostile(Exception):
    """The text is the name of the part that gave it away, or empty."""


def unpack(archive: Path, model: Model, folder: Path, where: str) -> None:
    """Writes those files of `model` that the archive holds into `folder`. ArchiveRefused; OSError where it cannot
    write. `where`: what people are told of the archive's origin."""
    try:
        with _limited(archive, most_bytes(archive, model)) as stream:
            _take(stream, model, folder)
    except Hostile as error:
        raise ArchiveRefused(model=model.id, where=where, member=_shown(str(error))) from None
    except _DAMAGED:
        raise ArchiveRefused(model=model.id, where=where, member="") from None


def most_bytes(archive: Path, model: Model) -> int:
    """What may come out of it at most."""
    known = model.known_bytes
    # an archive may hold a model in several precisions
    size = archive.stat().st_size
    return max(2 * known, TIMES * size) + SPARE_BYTES if known is not None else TIMES * size + SPARE_BYTES


def _shown(name: str) -> str:
    """The name of a part of a hostile archive, harmless on a terminal and in speech."""
    return "".join(character if character.isprintable() else "?" for character in name[:80])


def _take(stream: "_Bounded", model: Model, folder: Path) -> None:
    sizes = {file.name: file.bytes for file in model.files}
    taken: set[str] = set()
    with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]
        for member in _members(tar):
            name = PurePosixPath(member.name).name
            if not member.isfile() or name not in sizes or len(PurePosixPath(member.name).parts) > 2:
                continue
            if name in taken or sizes[name] not in (None, member.size):
                raise Hostile(member.name)
            taken.add(name)
            _write(tar, member, folder / name)
    while stream.read(BLOCK):  # to its end, where its own checksum is
        pass


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for count, member in enumerate(tar):
        path = PurePosixPath(member.name)
        plain = (member.isfile() and not member.issparse()) or member.isdir()
        if count >= MEMBERS or not plain or path.is_absolute() or ".." in path.parts or "\\" in member.name:
            raise Hostile(member.name)
        yield member


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise Hostile(member.name)
    written = 0
    with path.open("wb") as target:
        while block := source.read(BLOCK):
            target.write(block)
            written += len(block)
    if written != member.size:
        raise EOFError


@contextmanager
def _limited(archive: Path, most: int) -> Iterator["_Bounded"]:
    with archive.open("rb") as raw:
        start = raw.read(6)
        raw.seek(0)
        with closing(_decompressed(raw, start)) as stream:
            yield _Bounded(stream, most)


def _decompressed(raw: IO[bytes], start: bytes) -> bz2.BZ2File | gzip.GzipFile | lzma.LZMAFile:
    if start.startswith(b"BZh"):
        return bz2.open(raw, "rb")
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(raw, "rb")
    if start.startswith(b"\xfd7zXZ"):
        return lzma.open(raw, "rb")
    raise Hostile("")


class _Bounded:
    """Read by tarfile. Hostile once more than `most` bytes were read, ValueError where the stream is damaged."""

    def __init__(self, stream: bz2.BZ2File | gzip.GzipFile | lzma.LZMAFile, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int) -> bytes:
        try:
            block = self._stream.read(min(size, BLOCK))
        except OSError as error:  # what bz2 and gzip say of bytes that they did not write
            raise ValueError from error
        self._left -= len(block)
        if self._left < 0:
            raise Hostile("")
        return block
