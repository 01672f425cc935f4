"""Chinese words and how common they are, and how expected a piece of text is."""

import lzma
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

DATA = Path(__file__).parent / "data" / "mandarin"
_UNKNOWN = -20.0
"""Logarithm of the probability of a character that no word has."""
_FIRST_CODE = 33


def pack(codes: Mapping[str, int]) -> str:
    """`codes` (word -> twice the logarithm of its count, rounded) as `unpack` reads them."""
    words = sorted(codes)
    return "\n".join([*words, "", "".join(chr(_FIRST_CODE + codes[word]) for word in words)])


def unpack(text: str) -> dict[str, int]:
    *words, _, codes = text.split("\n")
    return {word: ord(code) - _FIRST_CODE for word, code in zip(words, codes, strict=True)}


@dataclass(frozen=True)
class Reading:
    """How a text falls into words most probably. Numbers are logarithms of probabilities."""

    text: str
    words: tuple[tuple[int, int], ...]
    """First and last (exclusive) character of each word."""
    before: tuple[float, ...]
    """For each place: the best way to read all before it. One more than characters."""
    after: tuple[float, ...]
    """For each place: the best way to read all from it on."""

    def surprise(self, first: int, last: int) -> float:
        """How unexpected characters `first` to `last` (exclusive) are where they stand, in nats.

        It is what the whole text costs less what its two sides would cost alone, so a piece that cuts a word in two
        is expected.
        """
        return self.before[first] + self.after[last] - self.before[-1]

    def cuts(self, first: int, last: int) -> bool:
        """Whether an edge of `first` to `last` (exclusive) is inside a word."""
        return any(begin < edge < end for begin, end in self.words for edge in (first, last))


class ChineseWords:
    """Words with the logarithm of their probability. Never changed; safe to use from several threads."""

    def __init__(self, codes: Mapping[str, int]) -> None:
        total = math.log(sum(math.exp(code / 2) for code in codes.values()))
        self._logs = {word: code / 2 - total for word, code in codes.items()}
        self._longest = max(map(len, codes), default=1)

    def __contains__(self, word: str) -> bool:
        return word in self._logs

    def all(self) -> Iterable[str]:
        return self._logs

    def begins(self, text: str) -> bool:
        """Whether some word begins with `text`."""
        at = bisect_left(self._sorted, text)
        return at < len(self._sorted) and self._sorted[at].startswith(text)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._logs)

    def log_probability(self, word: str) -> float:
        return self._logs.get(word, _UNKNOWN * len(word))

    def read(self, text: str) -> Reading:
        """How `text`, Chinese characters without blanks or marks, falls into words."""
        before, origin = self._forwards(text)
        words: list[tuple[int, int]] = []
        end = len(text)
        while end:
            words.append((origin[end], end))
            end = origin[end]
        return Reading(text, tuple(reversed(words)), tuple(before), tuple(self._backwards(text)))

    def _forwards(self, text: str) -> tuple[list[float], list[int]]:
        before, origin = [0.0], [0]
        for end in range(1, len(text) + 1):
            begins = range(max(0, end - self._longest), end)
            best = max((before[begin] + log, begin) for begin in begins if (log := self._log(text, begin, end)))
            before.append(best[0])
            origin.append(best[1])
        return before, origin

    def _backwards(self, text: str) -> list[float]:
        after = [0.0]
        for begin in range(len(text) - 1, -1, -1):
            ends = range(begin + 1, min(len(text), begin + self._longest) + 1)
            after.append(max(after[len(text) - end] + log for end in ends if (log := self._log(text, begin, end))))
        return after[::-1]

    def _log(self, text: str, begin: int, end: int) -> float | None:
        """None: no word. Never 0."""
        return self._logs.get(text[begin:end], _UNKNOWN if end - begin == 1 else None)


class ChineseLexicon:
    """The lists that come with the package, read when they are first needed."""

    @cached_property
    def words(self) -> ChineseWords:
        return ChineseWords(self.codes())

    def codes(self) -> dict[str, int]:
        """Word -> twice the logarithm of its count, rounded."""
        return unpack(lzma.decompress((DATA / "words.xz").read_bytes()).decode())

    @cached_property
    def explanations(self) -> Mapping[str, Mapping[str, str]]:
        """Character -> reading ("zhong4") -> a common word that has it so; the commonest reading first."""
        rows = _rows("characters.tsv")
        return {character: dict(each.split(" ") for each in readings) for character, *readings in rows}

    @cached_property
    def surnames(self) -> Mapping[str, tuple[str, str]]:
        """Surname -> (how people explain it, its reading where it is a special one, else empty); commonest first."""
        rows = ([*row, ""] for row in _rows("surnames.tsv"))
        return {name: (explanation, reading) for name, explanation, reading, *_ in rows}

    @cached_property
    def special_readings(self) -> Mapping[str, str]:
        """Surname -> its reading where it is a special one, "单" -> "shan4"."""
        return {name: reading for name, (_, reading) in self.surnames.items() if reading}

    @cached_property
    def given(self) -> Mapping[str, str]:
        """Characters of given names that no common word tells well, and how people explain them."""
        rows = _rows("given.tsv")
        return {row[0]: row[1] for row in rows}


def _rows(name: str) -> list[list[str]]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""One Chinese character."""
