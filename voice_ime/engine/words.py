"""Cutting a text into words, for engines that do not say where their words are."""

import re
import unicodedata

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN_CHARACTER = re.compile(rf"[{_HAN}]")
_WIDE = rf"[{_HAN}\u3001-\u303f\uff00-\uff60]"
_HAN_BLANK = re.compile(rf"(?<={_WIDE})\s+|\s+(?={_WIDE})")
_WORD = re.compile(rf"[^\w\s]*[{_HAN}][^\w\s]*|[^\s{_HAN}]+")


def cut(text: str) -> tuple[str, ...]:
    """The words of `text` in order: cut at blanks, Han characters one by one, punctuation with its word.

    Joined they are `text` without its blanks.
    """
    return tuple(_WORD.findall(text))


def has_han(text: str) -> bool:
    """Whether a Han character is in `text`."""
    return _HAN_CHARACTER.search(text) is not None


def is_latin(text: str) -> bool:
    """Whether all letters and digits in `text` are such as English texts have, accents included; there must be some."""
    written = [character for character in text if character.isalnum()]
    return bool(written) and all(each.isascii() or unicodedata.name(each, "").startswith("LATIN ") for each in written)


def without_han_blanks(text: str) -> str:
    """`text` without the blanks beside Han characters and full-width marks: some models put one between all tokens."""
    return _HAN_BLANK.sub("", text)
