"""Moonshine's vocabulary: from token ids to text and back."""

from collections.abc import Sequence
from pathlib import Path

_BLANK = "▁"
_MUSIC = "♪"
_FIRST_BYTE = 3
"""Id of the byte 0; the other 255 follow. Before it stand the marks for unknown, start and end."""
_FIRST_PIECE = _FIRST_BYTE + 256


class Vocabulary:
    """Pieces of text by token id."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        """`pieces`: UTF-8, by id; "▁" stands for a blank."""
        self._pieces = tuple(pieces)
        self._ids = {piece: number for number, piece in enumerate(pieces) if number >= _FIRST_PIECE}

    @classmethod
    def from_file(cls, path: Path) -> "Vocabulary":
        """Read a tokenizer.bin: byte strings, each after its length (128 or more: in two bytes)."""
        content = path.read_bytes()
        pieces: list[bytes] = []
        place = 0
        while place < len(content):
            length = content[place]
            place += 1
            if length >= 128:
                length = content[place] * 128 + length - 128
                place += 1
            pieces.append(content[place : place + length])
            place += length
        return cls(pieces)

    def text(self, ids: Sequence[int]) -> str:
        """The text of `ids`, without blanks at its ends. A character cut in the middle becomes "�".

        Notes of music, which the model writes for what is no speech, are left out.
        """
        return " ".join(self._raw(ids).replace(_MUSIC, " ").replace(_BLANK, " ").split())

    def starts_word(self, token: int) -> bool:
        """Whether a blank stands before the piece."""
        return self._pieces[token].startswith(_BLANK.encode())

    def has_sound(self, token: int) -> bool:
        """Whether the piece is part of something spoken, not punctuation. Parts of characters count."""
        text = self._raw([token])
        return any(character.isalnum() or character == "\N{REPLACEMENT CHARACTER}" for character in text)

    def covers(self, text: str) -> bool:
        """Whether no letter or digit of `text` must be put together from bytes."""
        return all(character.encode() in self._ids for character in text if character.isalnum())

    def ids(self, text: str) -> list[int]:
        """The pieces that the model itself uses for `text`: neighbours are joined, lowest resulting id first."""
        marked = _BLANK + text.strip().replace(" ", _BLANK)
        pieces = [piece for character in marked for piece in self._smallest(character.encode())]
        while (best := self._best_pair(pieces)) is not None:
            pieces[best : best + 2] = [pieces[best] + pieces[best + 1]]
        return [self._id(piece) for piece in pieces]

    def _raw(self, ids: Sequence[int]) -> str:
        return b"".join(self._pieces[number] for number in ids if number >= _FIRST_BYTE).decode(errors="replace")

    def _smallest(self, character: bytes) -> list[bytes]:
        return [character] if character in self._ids else [character[i : i + 1] for i in range(len(character))]

    def _best_pair(self, pieces: list[bytes]) -> int | None:
        pairs = [(self._ids.get(pieces[i] + pieces[i + 1]), i) for i in range(len(pieces) - 1)]
        known = [(number, place) for number, place in pairs if number is not None]
        return min(known)[1] if known else None

    def _id(self, piece: bytes) -> int:
        number = self._ids.get(piece)
        return _FIRST_BYTE + piece[0] if number is None else number
