"""Chinese characters in the script that a person reads: Simplified or Traditional, through OpenCC."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from voice_ime.engine.base import Hypothesis, Word
from voice_ime.engine.words import has_han
from voice_ime.errors import EngineUnavailable

Script = Literal["simplified", "traditional"]
TO_SIMPLIFIED, TO_TRADITIONAL = "t2s", "s2tw"
"""Traditional as it is written in Taiwan; words are not replaced by those of another region."""


class Writing:
    """Turns texts into one script. What is no Chinese stays as it is. EngineUnavailable without OpenCC."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._simplified = _converter(TO_SIMPLIFIED)
        self._traditional = _converter(TO_TRADITIONAL)

    def text(self, text: str) -> str:
        """A mixed text is made one; the number of characters stays the same but for rare words."""
        if not has_han(text):
            return text
        simplified = self._simplified(text)
        if self._script == "simplified":
            return simplified
        if simplified != text and _is_in("big5hkscs", text):
            return text  # made Traditional a second time, words such as 里長 would be spoilt
        return self._traditional(simplified)

    def back(self, text: str) -> str:
        """The other script."""
        return (self._traditional if self._script == "simplified" else self._simplified)(text)

    def hypothesis(self, heard: Hypothesis) -> Hypothesis:
        """`heard`, all of its texts in this script; times and confidences stay with their words."""
        text = self.text(heard.text)
        others = dict.fromkeys(self.text(other) for other in heard.alternatives)
        others.pop(text, None)
        return replace(heard, text=text, words=self._words(heard, text), alternatives=tuple(others))

    def _words(self, heard: Hypothesis, text: str) -> tuple[Word, ...]:
        """Cut from `text`, since a character may be written differently in another company."""
        letters = "".join(text.split())
        whole = len(letters) == sum(len(word.text) for word in heard.words)
        words: list[Word] = []
        at = 0
        for word in heard.words:
            written = letters[at : at + len(word.text)] if whole else self.text(word.text)
            at += len(word.text)
            others = dict.fromkeys(self.text(other) for other in word.alternatives)
            others.pop(written, None)
            words.append(replace(word, text=written, alternatives=tuple(others)))
        return tuple(words)


def _converter(way: str) -> Callable[[str], str]:
    try:
        import opencc
    except ImportError as error:
        raise EngineUnavailable(engine="whisper", package="opencc") from error
    convert: Callable[[str], str] = opencc.OpenCC(way).convert
    return convert


def _is_in(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
