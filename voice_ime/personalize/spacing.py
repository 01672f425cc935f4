"""Blanks between Chinese characters and Latin words, as a person wishes."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

from voice_ime.engine.base import SENTENCE_MARKS, Hypothesis
from voice_ime.engine.words import cut, has_han


def spaced(heard: Hypothesis, *, blanks: bool) -> Hypothesis:
    """`heard` with a blank wherever a Chinese character and a Latin word meet, or with none; without, digits have none
    either. What a rule or an entry wrote stays exactly as it is within."""
    if not has_han(heard.text):
        return heard
    together = {place for change in heard.changes for place in range(change.first, change.last - 1)}
    text = _spaced(heard.text, [word.text for word in heard.words], together, blanks)
    others = dict.fromkeys(_spaced(other, cut(other), (), blanks) for other in heard.alternatives)
    others.pop(text, None)
    return replace(heard, text=text, alternatives=tuple(others))


def _spaced(text: str, words: Sequence[str], together: Collection[int], blanks: bool) -> str:
    """`together`: words whose gap to the next one is left alone."""
    pieces: list[str] = []
    at = 0
    for place, (word, following) in enumerate(pairwise((*words, ""))):
        end = text.index(word, at) + len(word)
        pieces.append(text[at:end])
        gap = text[end : len(text) - len(text[end:].lstrip(" "))]
        at = end + len(gap)
        pieces.append(gap if place in together else _gap(gap, word, following, blanks))
    return "".join(pieces) + text[at:]


def _gap(gap: str, word: str, following: str, blanks: bool) -> str:
    if not word or not following or has_han(word[-1]) == has_han(following[0]):
        return gap
    edge, other = (following[0], following) if has_han(word[-1]) else (word[-1], word)
    if edge in SENTENCE_MARKS:
        return gap
    if not blanks:
        return ""
    return " " if any(map(_is_latin, other)) else gap


def _is_latin(character: str) -> bool:
    return character.isalpha() and unicodedata.name(character, "").startswith("LATIN ")
