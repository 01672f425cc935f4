"""An utterance around another one."""

from collections.abc import Sequence

from voice_ime.engine.base import Hypothesis, Samples, Substitution, Utterance


class WrappedUtterance(Utterance):
    """Passes everything on to `inner`. Subclasses change what they are for, and forget nothing of the rest."""

    def __init__(self, inner: Utterance) -> None:
        self._inner = inner

    def feed(self, samples: Samples) -> None:
        self._inner.feed(samples)

    def partial(self) -> Hypothesis | None:
        return self._inner.partial()

    def prepare(self) -> Hypothesis | None:
        return self._inner.prepare()

    def completeness(self) -> float | None:
        return self._inner.completeness()

    def finish(self) -> Hypothesis:
        return self._inner.finish()

    def cancel(self) -> None:
        self._inner.cancel()

    def score(self, texts: list[str]) -> list[float]:
        return self._inner.score(texts)

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> Sequence[float | None]:
        return self._inner.price(final, substitutions)

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        return self._inner.rehear(phrases)
