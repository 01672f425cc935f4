"""Single fields out of files in the format of protobuf, passing over the rest: no schema, nothing large is read."""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO


def fields(file: BinaryIO, end: int, wanted: int) -> Iterator[bytes]:
    """The contents of every field of this number from here to byte `end`. ValueError where it is no such file."""
    while file.tell() < end:
        key = _number(file)
        size = _size(file, key & 7)
        if key >> 3 == wanted:
            yield file.read(size)
        else:
            file.seek(size, 1)


def text_field(message: bytes, field: int) -> str:
    """A field of a message as text; empty where it is not there."""
    return next(fields(BytesIO(message), len(message), field), b"").decode()


def real_field(message: bytes, field: int) -> float:
    """A field of a message as a number of 32 bits; 0 where it is not there."""
    content = next(fields(BytesIO(message), len(message), field), b"")
    return float(struct.unpack("<f", content)[0]) if len(content) == 4 else 0.0


def _size(file: BinaryIO, kind: int) -> int:
    match kind:
        case 0:
            _number(file)
            return 0
        case 1:
            return 8
        case 2:
            return _number(file)
        case 5:
            return 4
    raise ValueError("not in this format")


def _number(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("ends in the middle")
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise ValueError("not in this format")
