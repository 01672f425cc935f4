"""Where nobody said which language will be spoken: the usual engine finds it out, and that of the language writes."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Substitution, Utterance
from voice_ime.engine.calibration import Calibration
from voice_ime.engine.words import has_han
from voice_ime.errors import RecognitionFailed

logger = logging.getLogger(__name__)


class ByLanguageEngine(Engine):
    """All is heard by `usual`; a final in one of the languages of `writers` is heard once more, by that engine.

    Where that one fails or hears nothing, or the language cannot be told, the final of `usual` stays. What is shown
    while one speaks comes from `usual`.
    """

    def __init__(self, usual: Engine, writers: Mapping[str, Engine], languages: Collection[str]) -> None:
        """`languages`: those that whoever writes the finals of `usual` can tell apart: two at least."""
        self.capabilities = _all(usual.capabilities, [each.capabilities for each in writers.values()])
        self._usual = usual
        self._writers = writers
        self._languages = languages

    @property
    def calibration(self) -> Calibration | None:
        """That of `usual`. Set to None, all give their confidences raw."""
        return self._usual.calibration

    @calibration.setter
    def calibration(self, calibration: Calibration | None) -> None:
        self._usual.calibration = calibration
        if calibration is None:
            for each in self._writers.values():
                each.calibration = None

    def begin(self, options: Options) -> "ByLanguageUtterance":
        return ByLanguageUtterance(self._usual, self._writer_of, options)

    def _writer_of(self, heard: Hypothesis) -> tuple[str, Engine] | None:
        """The language and its engine; None: what was heard can stay."""
        language = language_of(heard, self._languages)
        writer = self._writers.get(language or "")
        return None if language is None or writer is None else (language, writer)

    def writes(self, text: str) -> bool:
        return any(each.writes(text) for each in (self._usual, *self._writers.values()))

    def close(self) -> None:
        """Closes `usual` and the writers."""
        for each in {id(each): each for each in (self._usual, *self._writers.values())}.values():
            each.close()


class ByLanguageUtterance(Utterance):
    """Keeps the sound, for a writer to hear it from the beginning. Whoever wrote the final is asked about it."""

    def __init__(
        self, usual: Engine, writer_of: Callable[[Hypothesis], tuple[str, Engine] | None], options: Options
    ) -> None:
        self._usual = _Hearing(usual, usual.begin(options))
        self._writer_of = writer_of
        self._options = options
        self._pieces: list[Samples] = []
        self._writer = self._usual
        self._failed = False
        """The engine of the language could not hear the sound so far, or heard nothing in it."""

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._pieces.append(np.array(samples, np.float32))
            self._forget_writer()
        self._usual.utterance.feed(samples)

    def partial(self) -> Hypothesis | None:
        return self._usual.utterance.partial()

    def prepare(self) -> Hypothesis | None:
        heard = self._usual.utterance.prepare()
        return None if heard is None else self._written(heard, lambda utterance: utterance.prepare())

    def completeness(self) -> float | None:
        return self._usual.utterance.completeness()

    def finish(self) -> Hypothesis:
        heard = self._usual.utterance.finish()
        written = self._written(heard, lambda utterance: utterance.finish())
        self._pieces = []
        return written or heard

    def cancel(self) -> None:
        self._pieces = []
        self._forget_writer()
        self._usual.utterance.cancel()

    def score(self, texts: list[str]) -> list[float]:
        """RecognitionFailed where the final is that of an engine that does not score texts."""
        return self._writer.able("scores_text").score(texts)

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> Sequence[float | None]:
        """None where the final is that of an engine that does not score texts: it cannot say."""
        if not self._writer.engine.capabilities.scores_text:
            return [None] * len(substitutions)
        return self._writer.utterance.price(final, substitutions)

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        """RecognitionFailed where the final is that of an engine that takes no phrases."""
        return self._writer.able("takes_phrases").rehear(phrases)

    def _written(self, heard: Hypothesis, ask: Callable[[Utterance], Hypothesis | None]) -> Hypothesis | None:
        """What the engine of the language answers, which may be None if it cannot work ahead."""
        found = self._writer_of(heard)
        if found is None or self._failed:
            return heard
        try:
            if self._writer is self._usual:
                self._writer = self._heard_by(*found)
            written = ask(self._writer.utterance)
        except RecognitionFailed as error:
            usual, failed = self._usual.engine.capabilities.engine, error.values.get("engine", "")
            logger.warning("the final comes from %s, because %s failed", usual, failed)
        else:
            if written is None or written.text:
                return written
        self._forget_writer()
        self._failed = True
        return heard

    def _heard_by(self, language: str, engine: Engine) -> "_Hearing":
        utterance = engine.begin(replace(self._options, language=language))
        for piece in self._pieces:
            utterance.feed(piece)
        return _Hearing(engine, utterance)

    def _forget_writer(self) -> None:
        if self._writer is not self._usual:
            self._writer.utterance.cancel()
        self._writer = self._usual
        self._failed = False


@dataclass(frozen=True)
class _Hearing:
    """An engine and what it hears."""

    engine: Engine
    utterance: Utterance

    def able(self, what: Literal["scores_text", "takes_phrases"]) -> Utterance:
        """RecognitionFailed where the engine is not."""
        can = self.engine.capabilities
        if not getattr(can, what):
            raise RecognitionFailed(engine=can.engine)
        return self.utterance


def language_of(heard: Hypothesis, languages: Collection[str]) -> str | None:
    """What was spoken, by an engine for `languages`; None: it cannot be told."""
    if not heard.text:
        return None
    if heard.language is not None:
        return heard.language
    others = [each for each in languages if each != "zh"]
    if "zh" not in languages or len(others) != 1:  # engines for more than these two tell it
        return None
    if has_han(heard.text):
        return "zh"
    return others[0] if any(map(str.isalpha, heard.text)) else None


def _all(usual: Capabilities, writers: Sequence[Capabilities]) -> Capabilities:
    """What some final may come with."""
    every = [usual, *writers]
    times = {can.word_times for can in every}
    return replace(
        usual,
        word_times=times.pop() if len(times) == 1 else "estimated",
        confidence=any(can.confidence for can in every),
        alternatives=any(can.alternatives for can in every),
        scores_text=any(can.scores_text for can in every),
        takes_phrases=any(can.takes_phrases for can in every),
    )
