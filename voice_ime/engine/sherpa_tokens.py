"""The tokens of a model for sherpa-onnx: which texts it can write, and in which tokens. Pure.

What the library does with phrases that it cannot spell makes this necessary: it leaves out the unknown part and makes
the rest likelier, writes the phrase to the terminal, or ends the process. It only ever gets what `usable` lets through.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from voice_ime.engine.sherpa_fields import fields, real_field, text_field
from voice_ime.engine.words import cut, has_han, without_han_blanks

BLANK = 0
"""Number of the token that stands for no text."""
_WORD_BEGIN = "▁"
_SYNTAX = re.compile(r"[/:#@\x00-\x1f\x7f]")
"""What means something else in the library's list of phrases."""
_LATIN = re.compile(r"[A-Za-z]+")
_SPECIAL = re.compile(r"<.*>|#\d+")
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
"""A token for one byte of a character that has no token of its own."""
_LEAST_HAN, _LEAST_LATIN = 20, 20
"""A model that writes a language has at least so many tokens of it."""
_PIECES, _PIECE, _WORTH = 1, 1, 2
"""Numbers of fields in models of SentencePiece."""
_MOST_PHRASE = 40
"""Characters."""
_LEFT_OUT = -100.0
"""What the last resorts are worth: bytes, and to leave out a mark that cannot be written."""


@dataclass(frozen=True)
class Tokens:
    """The table of a model: text to number, and what follows from it."""

    numbers: dict[str, int]
    pieces: Mapping[str, float] | None = None
    """The word pieces that the library spells words with, and what each is worth; None: it has no table of them."""

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Of Chinese and English, those with enough tokens."""
        latin = {piece for text in self.numbers if _LATIN.fullmatch(piece := text.strip(_WORD_BEGIN))}
        han = sum(has_han(text) for text in self.numbers)
        return ("zh",) * (han >= _LEAST_HAN) + ("en",) * (len(latin) >= _LEAST_LATIN)

    @cached_property
    def shouts(self) -> bool:
        """Whether it writes Latin letters as capitals only."""
        letters = "".join(text for text in self.numbers if not _SPECIAL.fullmatch(text))
        return any("A" <= letter <= "Z" for letter in letters) and not any("a" <= letter <= "z" for letter in letters)

    # --- phrases that the library can be given ---

    @cached_property
    def unit(self) -> str:
        """What the tokens are, as the library calls it."""
        if self.pieces is None:
            return "cjkchar"
        if any(has_han(piece) for piece in self.pieces) or not any(has_han(text) for text in self.numbers):
            return "bpe"
        return "cjkchar+bpe"

    @property
    def takes_phrases(self) -> bool:
        """Whether the library could spell any phrase."""
        return self.pieces is not None or any(has_han(text) for text in self.numbers)

    def usable(self, phrases: Iterable[str]) -> tuple[str, ...]:
        """Those of `phrases` that the library can spell from beginning to end, as it must be given them."""
        return tuple(" ".join(self._parts(phrase)) for phrase in phrases if self._is_usable(phrase))

    def _is_usable(self, phrase: str) -> bool:
        phrase = " ".join(phrase.split())
        if not phrase or len(phrase) > _MOST_PHRASE or _SYNTAX.search(phrase):
            return False
        return all(self._is_spelled_by_library(part) for part in self._parts(phrase))

    def _parts(self, phrase: str) -> list[str]:
        """Han characters one by one: each is a word to the library where it has pieces for them."""
        return [part for word in self._cased(phrase).split() for part in cut(word)]

    def _is_spelled_by_library(self, part: str) -> bool:
        if has_han(part):
            return (_WORD_BEGIN if self.unit == "bpe" else "") + part in self.numbers
        if self.pieces is None:
            return part in self.numbers and _LATIN.fullmatch(part) is not None
        if self.unit == "cjkchar+bpe" and not _LATIN.fullmatch(part):
            return False
        # However the library cuts the word, it can fall back on pieces of one letter each.
        single = all(letter in self.pieces for letter in part)
        return single and (_WORD_BEGIN in self.pieces or _WORD_BEGIN + part[0] in self.pieces)

    # --- texts to be scored ---

    def spell(self, text: str) -> list[int] | None:
        """The tokens of `text`; None where a letter of it cannot be written. Marks that cannot be are left out."""
        numbers: list[int] = []
        for word in self._cased(text).split():
            for number, part in enumerate(cut(word)):
                spelled = self._spell_part(part, begins_word=number == 0)
                if spelled is None:
                    return None
                numbers += spelled
        return numbers

    def _spell_part(self, part: str, *, begins_word: bool) -> list[int] | None:
        """The tokens that are worth most together; those whose worth is not known: few and long ones."""
        begins_word = begins_word or part[0].isascii() or has_han(part)
        best: list[tuple[float, list[int]] | None] = [(0.0, []), *[None] * len(part)]
        for at, letter in enumerate(part):
            if (here := best[at]) is None:
                continue
            ways = list(self._pieces_at(part, at, begin=begins_word and not here[1]))
            if (last_resort := self._bytes_of(letter)) or not letter.isalnum():
                ways.append((at + 1, last_resort, _LEFT_OUT))
            for end, tokens, worth in ways:
                way = (here[0] + worth, [*here[1], *tokens])
                if (there := best[end]) is None or way[0] > there[0]:
                    best[end] = way
        return None if (whole := best[-1]) is None else whole[1]

    def _pieces_at(self, text: str, at: int, *, begin: bool) -> Iterator[tuple[int, list[int], float]]:
        """(end, its token, worth) of each piece that `text` goes on with."""
        for end in range(at + 1, len(text) + 1):
            for piece in (_WORD_BEGIN + text[at:end], text[at:end]) if begin else (text[at:end],):
                if piece in self.numbers:
                    worth = -1.0 if self.pieces is None else self.pieces.get(piece, _LEFT_OUT)
                    yield end, [self.numbers[piece]], worth
                    break

    def _bytes_of(self, letter: str) -> list[int]:
        """A letter without a piece of its own, in bytes; empty where the model has no tokens for them."""
        names = [f"<0x{byte:02X}>" for byte in letter.encode()]
        return [self.numbers[name] for name in names] if all(name in self.numbers for name in names) else []

    # --- texts that were heard ---

    def number(self, token: str) -> int | None:
        """Of a token as the library tells it: with a blank in place of the sign for the beginning of a word."""
        begun = _WORD_BEGIN + token.removeprefix(" ")
        return self.numbers.get(token, self.numbers.get(begun) if token.startswith(" ") else None)

    def written(self, text: str) -> str:
        """What the library heard, as it is written: one blank between words, none beside Han, not all in capitals."""
        text = without_han_blanks(" ".join(text.replace(_WORD_BEGIN, " ").split()))
        return text.lower() if self.shouts else text

    def _cased(self, text: str) -> str:
        text = " ".join(text.split())
        return text.upper() if self.shouts else text


@dataclass(frozen=True)
class Place:
    """The tokens that a word is made of: numbers `first` to `last` (exclusive) of those that were heard."""

    first: int
    last: int


def places(words: Sequence[str], tokens: Sequence[str]) -> list[Place] | None:
    """Which tokens each word is made of; None where the tokens are not the text (as with tokens that are bytes)."""
    letters = _letters(tokens)
    if "".join(letters).casefold() != "".join(words).casefold():
        return None
    found: list[Place] = []
    token = used = 0
    for word in words:
        while token < len(letters) and used >= len(letters[token]):
            token, used = token + 1, 0
        first, left = token, len(word)
        while left:
            step = min(left, len(letters[token]) - used)
            left, used = left - step, used + step
            if left:
                token, used = token + 1, 0
        found.append(Place(first, token + 1))
    return found


def _letters(tokens: Sequence[str]) -> list[str]:
    """What each token writes; a character that is written in bytes comes with its last one."""
    letters: list[str] = []
    begun = b""
    for token in tokens:
        if (byte := _BYTE.fullmatch(token)) is None:
            letters.append(token.replace(_WORD_BEGIN, "").strip())
            continue
        begun += bytes.fromhex(byte[1])
        try:
            letters.append(begun.decode())
            begun = b""
        except UnicodeDecodeError:
            letters.append("")
    return letters


def read_tokens(path: Path, bpe: Path | None) -> Tokens:
    """The tables of a model. ValueError where a file is not such a table."""
    numbers: dict[str, int] = {}
    for line in path.read_text("utf-8").splitlines():
        text, _, number = line.rstrip().rpartition(" ")
        if line.strip():
            numbers[text or " "] = int(number)
    if BLANK not in numbers.values():
        raise ValueError("no blank")
    return Tokens(numbers, None if bpe is None else _trusted(read_pieces(bpe), numbers))


def read_pieces(path: Path) -> dict[str, float]:
    """Word pieces and what each is worth, from a table in text or from a model of SentencePiece. ValueError."""
    if path.suffix == ".model":
        with path.open("rb") as file:
            messages = list(fields(file, path.stat().st_size, _PIECES))
        return {text_field(message, _PIECE): real_field(message, _WORTH) for message in messages}
    lines = [line.rpartition("\t") for line in path.read_text("utf-8").splitlines() if line.strip()]
    return {piece: float(worth) for piece, _, worth in lines}


def _trusted(pieces: Mapping[str, float], numbers: Mapping[str, int]) -> dict[str, float] | None:
    """None where the model lacks one: then what the library spells might not be what the model writes."""
    known = {piece: worth for piece, worth in pieces.items() if not _SPECIAL.fullmatch(piece)}
    return known if known and known.keys() <= numbers.keys() else None
