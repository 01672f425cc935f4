"""Blanks and capitals where an utterance meets the text around the caret."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

KEPT_BEFORE = 2000
"""Characters before the caret that are remembered."""

_SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’)\]】》]*$")
_OPENING = "([{<«“‘（【《「『#@/\\-_"
_CLOSING = ",.;:!?%)]}>»”’，。；：！？、）】》」』…"
_FIRST_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@dataclass(frozen=True)
class Surroundings:
    """What stands around the caret, as far as it is known."""

    before: str = ""
    after: str = ""

    def then(self, inserted: str) -> "Surroundings":
        """The surroundings once `inserted` stands before the caret."""
        return replace(self, before=(self.before + inserted)[-KEPT_BEFORE:])


def prepare() -> None:
    """Reads the file that `fit` needs, which would otherwise be read in the midst of a dictation."""
    _never_names()


def fit(text: str, around: Surroundings) -> str:
    """`text` as it must be inserted: with the blanks and the first letter that the surroundings ask for."""
    if not text:
        return ""
    text = _with_case(text, around.before)
    return _blank_between(around.before, text) + text + _blank_between(text, around.after)


def _with_case(text: str, before: str) -> str:
    if _starts_sentence(before):
        return text[0].upper() + text[1:]
    first = _FIRST_WORD.match(text)
    if first is not None and first[0].lower() in _never_names():
        return text[0].lower() + text[1:]
    return text


def _starts_sentence(before: str) -> bool:
    spoken = before.rstrip()
    return not spoken or "\n" in before[len(spoken) :] or _SENTENCE_END.search(spoken) is not None


def _blank_between(left: str, right: str) -> str:
    if not left or not right or left[-1].isspace() or right[0].isspace():
        return ""
    if left[-1] in _OPENING or right[0] in _CLOSING or _is_wide(left[-1]) or _is_wide(right[0]):
        return ""
    if left[-1] in "\"'" and left.count(left[-1]) % 2:  # a quotation that was just opened
        return ""
    return " "


def _is_wide(character: str) -> bool:
    """Han characters and full-width marks: no blanks beside them."""
    return unicodedata.east_asian_width(character) in "WF"


@cache
def _never_names() -> frozenset[str]:
    """English words that are written small inside a sentence: the recogniser begins every utterance with a capital."""
    pack = tomllib.loads(files(__package__).joinpath("packs/en.toml").read_text("utf-8"))
    return frozenset(pack["never_names"])
