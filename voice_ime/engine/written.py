"""Any engine's Chinese in the script that a person reads; scores are asked for in the one that the engine writes."""

from collections.abc import Sequence
from dataclasses import replace

from voice_ime.engine.base import Hypothesis, Substitution, Utterance
from voice_ime.engine.han import Writing
from voice_ime.engine.wrapped import WrappedUtterance


class WrittenUtterance(WrappedUtterance):
    """An utterance whose texts are turned into one script. It does nothing where they come in that script."""

    def __init__(self, utterance: Utterance, writing: Writing) -> None:
        super().__init__(utterance)
        self._writing = writing
        self._final: tuple[Hypothesis, Hypothesis] | None = None
        """As it was heard, and as it is written."""

    def partial(self) -> Hypothesis | None:
        heard = self._inner.partial()
        return None if heard is None else self._writing.hypothesis(heard)

    def prepare(self) -> Hypothesis | None:
        heard = self._inner.prepare()
        return None if heard is None else self._written(heard)

    def finish(self) -> Hypothesis:
        return self._written(self._inner.finish())

    def cancel(self) -> None:
        self._final = None
        self._inner.cancel()

    def score(self, texts: list[str]) -> list[float]:
        return self._inner.score([self._as_heard(text) for text in texts])

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> Sequence[float | None]:
        if self._final is None or self._final[1] is not final:
            return self._inner.price(final, substitutions)
        asked = [replace(each, texts=tuple(map(self._as_heard, each.texts))) for each in substitutions]
        return self._inner.price(self._final[0], asked)

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        return self._writing.hypothesis(self._inner.rehear(tuple(map(self._as_heard, phrases))))

    def _written(self, heard: Hypothesis) -> Hypothesis:
        """The same object for the same one: what was derived from it need not be worked out again."""
        if self._final is None or self._final[0] is not heard:
            self._final = (heard, self._writing.hypothesis(heard))
        return self._final[1]

    def _as_heard(self, text: str) -> str:
        """In the other script, if that is the engine's: it could not spell this one."""
        if self._final is None or self._final[0].text == self._final[1].text:
            return text
        return self._writing.back(text)
