"""Which of several entries that sound exactly the same is meant. Sound cannot tell; what is around it sometimes can."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from voice_ime.personalize.chinese_words import HAN
from voice_ime.personalize.formats.vcard import TAG
from voice_ime.personalize.profile import Entry, Strength

FRESHER = timedelta(days=7)
"""One that was used this much later than all others is the one in use now."""
_PIECE = re.compile(rf"{HAN.pattern}+|(?:(?!{HAN.pattern})[^\W_])+")
"""Chinese characters, or a word of other letters."""
_EVERYWHERE = frozenset("的了我你他她它您们是在不这那个就都也很把被给")
"""Chinese characters that stand beside all others: together with them nothing is told."""
_SMALL_WORDS = frozenset((
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "being", "but", "by", "can", "could", "did", "do", "does", "each", "for", "from", "get", "got",
    "had", "has", "have", "he", "her", "here", "him", "his", "how", "if", "in", "into", "is", "it", "its",
    "just", "like", "me", "more", "most", "my", "no", "not", "now", "of", "off", "on", "one", "only", "or",
    "other", "our", "out", "over", "own", "she", "should", "so", "some", "such", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "to", "too", "up", "us", "very", "was", "we",
    "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
))  # fmt: skip
"""English words that stand in any sentence."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ORDER = (Strength.NEVER, Strength.WEAK, Strength.NORMAL, Strength.STRONG)


@dataclass(frozen=True)
class Circumstances:
    """Where something was said."""

    text: str
    """All that was heard."""
    application: str | None = None


def settled(entries: Sequence[Entry], where: Circumstances) -> Entry | None:
    """The one of `entries` that is meant; None: nobody can say, so they may only be offered.

    What is said about it counts in this order: its application, words of its tags and note in the text, its strength,
    and when it was last chosen.
    """
    left = _best(entries, (_application(where), _surroundings(where, entries), _strength))
    return left[0] if len(left) == 1 else _freshest(left)


def told_by_place(entries: Sequence[Entry], where: Circumstances) -> Entry | None:
    """As `settled`, where one of them is what was heard: only its application and the words around it count then."""
    left = _best(entries, (_application(where), _surroundings(where, entries)))
    return left[0] if len(left) == 1 else None


def _best(entries: Sequence[Entry], worths: Iterable[Callable[[Entry], int]]) -> list[Entry]:
    """Those that are worth most; of equal ones the next measure decides."""
    left = list(entries)
    for worth in worths:
        best = max(map(worth, left))
        left = [each for each in left if worth(each) == best]
    return left


def _application(where: Circumstances) -> Callable[[Entry], int]:
    here = (where.application or "").casefold()
    return lambda entry: int(bool(entry.application) and entry.application.casefold() == here)


def _surroundings(where: Circumstances, entries: Sequence[Entry]) -> Callable[[Entry], int]:
    """The names themselves do not count: "not Steven" may be the note of Stephen."""
    text = where.text.casefold()
    names = [entry.written.casefold() for entry in entries]

    def worth(entry: Entry) -> int:
        given = (*(tag for tag in entry.tags if tag != TAG), entry.note)
        hints = {hint for each in given for hint in _hints(each.casefold())}
        return sum(_stands_in(hint, text) for hint in hints if not any(hint in name for name in names))

    return worth


def _hints(text: str) -> Iterator[str]:
    """The words of a text; of Chinese, which has no blanks, each two characters that stand together."""
    for piece in _PIECE.findall(text):
        if HAN.match(piece):
            yield from (pair for pair in map("".join, pairwise(piece)) if _EVERYWHERE.isdisjoint(pair))
        elif len(piece) > 1 and piece not in _SMALL_WORDS:
            yield piece


def _stands_in(hint: str, text: str) -> bool:
    """As a whole word where words have blanks between them."""
    return re.search(rf"\b{hint}\b" if hint.isascii() else hint, text) is not None


def _strength(entry: Entry) -> int:
    return _ORDER.index(entry.strength)


def _freshest(entries: Sequence[Entry]) -> Entry | None:
    last, before = sorted(entries, key=_used, reverse=True)[:2]
    return last if last.used is not None and _used(last) - _used(before) >= FRESHER else None


def _used(entry: Entry) -> datetime:
    used = entry.used or _LONG_AGO
    return used if used.tzinfo else used.replace(tzinfo=UTC)
