"""From a corrected text to what may have been misheard in it: pairs of words that sound alike."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from voice_ime.engine.base import SENTENCE_MARKS
from voice_ime.engine.words import cut, has_han
from voice_ime.personalize.profile import LONGEST_LESSON

MOST_WORDS = 4
"""On either side of a pair; characters of Chinese count half."""
MOST_CHANGED = 0.5
"""Part of the words: somebody who changes more has thought better of it."""
FEW = 3
"""Texts of so few words may be changed as a whole."""
ALIKE = 0.5
"""Likeness from which one may have been misheard for the other."""
LEAST_LETTERS = 3
LEAST_CHARACTERS = 2
"""Of Chinese: a single one sounds like dozens of others, and is not looked for."""

Likeness = Callable[[str, str], float]
"""1: sound the same; 0: nothing in common."""
Borders = Callable[[str, int, int], tuple[int, int]]
"""For Chinese characters `first` to `last` (exclusive) of a text: the same with the rest of the name or word."""


@dataclass(frozen=True)
class Pair:
    """What was heard and what was meant."""

    heard: str
    meant: str


def pairs(heard: str, meant: str, likeness: Likeness, borders: Borders, *, outright: bool = False) -> list[Pair]:
    """What may have been misheard where somebody made `meant` out of `heard`.

    `outright`: the person has said that this was a mistake, so how much was changed does not matter.
    """
    ours, theirs = cut(heard), cut(meant)
    matcher = SequenceMatcher(None, _plain(ours), _plain(theirs), autojunk=False)
    changed = sum(i2 - i1 for tag, i1, i2, _, _ in matcher.get_opcodes() if tag != "equal")
    if not outright and len(ours) > FEW and changed > MOST_CHANGED * len(ours):
        return []
    found = [_pair(heard, meant, ours, theirs, each, borders) for each in _replacements(matcher)]
    found += _other_capitals(ours, theirs, matcher)
    return [pair for pair in dict.fromkeys(found) if _fits(pair) and likeness(pair.heard, pair.meant) >= ALIKE]


Span = tuple[int, int, int, int]
"""Words of the heard text from, to; of the meant text from, to."""


def _replacements(matcher: "SequenceMatcher[str]") -> Iterator[Span]:
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "replace":
            yield i1, i2, j1, j2


def _pair(heard: str, meant: str, ours: Sequence[str], theirs: Sequence[str], span: Span, borders: Borders) -> Pair:
    i1, i2, j1, j2 = span
    if has_han("".join(theirs[j1:j2])):
        plain = [_bare(word) or word for word in theirs]
        begin, end = len("".join(plain[:j1])), len("".join(plain[:j2]))
        first, last = borders("".join(plain), begin, end)
        i1, i2, j1, j2 = _widened(ours, theirs, span, begin - first, last - end)
    return Pair(_text(heard, ours, i1, i2), _text(meant, theirs, j1, j2))


def _widened(ours: Sequence[str], theirs: Sequence[str], span: Span, before: int, after: int) -> Span:
    """As far as the words beside it are the same on both sides."""
    i1, i2, j1, j2 = span
    while before and i1 and j1 and _bare(ours[i1 - 1]) == _bare(theirs[j1 - 1]):
        i1, j1, before = i1 - 1, j1 - 1, before - 1
    while after and i2 < len(ours) and j2 < len(theirs) and _bare(ours[i2]) == _bare(theirs[j2]):
        i2, j2, after = i2 + 1, j2 + 1, after - 1
    return i1, i2, j1, j2


def _other_capitals(ours: Sequence[str], theirs: Sequence[str], matcher: "SequenceMatcher[str]") -> list[Pair]:
    """Words that differ in their capitals only: "iphone" and "iPhone", but not the first one of a sentence."""
    return [
        Pair(_bare(ours[i + n]), _bare(theirs[j + n]))
        for i, j, size in matcher.get_matching_blocks()
        for n in range(size)
        if _bare(ours[i + n]) != _bare(theirs[j + n]) and not _begins_sentence(theirs, j + n)
    ]


def _begins_sentence(words: Sequence[str], place: int) -> bool:
    """Its first letter says nothing there; capitals inside do."""
    inner = _bare(words[place])[1:]
    begins = place == 0 or words[place - 1][-1:] in ".!?。！？"
    return begins and inner == inner.lower()


def _text(text: str, words: Sequence[str], first: int, last: int) -> str:
    """Words `first` to `last` (exclusive) as they stand in `text`, without marks around them."""
    begin = end = 0
    for number, word in enumerate(words[:last]):
        at = text.index(word, end)
        begin = at if number == first else begin
        end = at + len(word)
    return " ".join(text[begin:end].strip(SENTENCE_MARKS).split())


def _fits(pair: Pair) -> bool:
    if not pair.heard or not pair.meant or pair.heard == pair.meant:
        return False
    return all(_can_be_kept(text) and _is_sized(text) for text in (pair.heard, pair.meant))


def _can_be_kept(text: str) -> bool:
    """Applications put all kinds of things into their texts."""
    return len(text) <= LONGEST_LESSON and text.isprintable()


def _is_sized(text: str) -> bool:
    words, letters = cut(text), sum(letter.isalnum() for letter in text)
    if has_han(text):
        return len(words) <= 2 * MOST_WORDS and letters >= LEAST_CHARACTERS
    return len(words) <= MOST_WORDS and letters >= LEAST_LETTERS


def _plain(words: Sequence[str]) -> list[str]:
    return [_bare(word).casefold() or word for word in words]


def _bare(word: str) -> str:
    return word.strip(SENTENCE_MARKS)
