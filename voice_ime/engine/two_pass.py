"""Two passes: a quick engine for what is shown while one speaks, and a better one for what is written."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace

from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Substitution, Utterance
from voice_ime.engine.calibration import Calibration
from voice_ime.errors import LanguageNotSupported, NoCommonLanguage, RecognitionFailed

logger = logging.getLogger(__name__)


class TwoPassEngine(Engine):
    """Partials come from `live`, all else from `final`; both hear all of the sound.

    Where `final` fails on an utterance, `live` gives its final. NoCommonLanguage where they hear none.
    """

    def __init__(self, live: Engine, final: Engine) -> None:
        self.capabilities = _both(live.capabilities, final.capabilities)
        self._live = live
        self._final = final

    @property
    def calibration(self) -> Calibration | None:
        """That of `final`, which it is passed on to."""
        return self._final.calibration

    @calibration.setter
    def calibration(self, calibration: Calibration | None) -> None:
        self._final.calibration = calibration

    def begin(self, options: Options) -> "TwoPassUtterance":
        known = self.capabilities.languages
        if options.language is not None and options.language not in known:
            name = self.capabilities.engine
            raise LanguageNotSupported(language=options.language, engine=name, known=known)
        return TwoPassUtterance(self._live.begin(options), self._final.begin(options), self._live.capabilities)

    def writes(self, text: str) -> bool:
        return self._final.writes(text)

    def close(self) -> None:
        """Closes both."""
        try:
            self._live.close()
        finally:
            self._final.close()


class TwoPassUtterance(Utterance):
    """The live engine works out a final only where the other one has failed."""

    def __init__(self, live: Utterance, final: Utterance, live_can: Capabilities) -> None:
        self._live = live
        self._final = final
        self._live_can = live_can
        self._failed = False
        """The better engine could not hear the sound so far."""

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._failed = False
        self._live.feed(samples)
        self._final.feed(samples)

    def partial(self) -> Hypothesis | None:
        return self._live.partial()

    def prepare(self) -> Hypothesis | None:
        if not self._failed:
            try:
                return self._final.prepare()
            except RecognitionFailed as error:
                self._note(error)
        return self._live.prepare()

    def completeness(self) -> float | None:
        """Only what the better engine can tell: asking the other one may cost a final."""
        return None if self._failed else self._final.completeness()

    def finish(self) -> Hypothesis:
        """RecognitionFailed where both failed."""
        if not self._failed:
            try:
                heard = self._final.finish()
            except RecognitionFailed as error:
                self._note(error)
            else:
                self._live.cancel()
                return heard
        self._final.cancel()
        return self._live.finish()

    def cancel(self) -> None:
        self._live.cancel()
        self._final.cancel()
        self._failed = False

    def score(self, texts: list[str]) -> list[float]:
        """RecognitionFailed where the final is that of a live engine that does not score texts."""
        if not self._failed:
            return self._final.score(texts)
        if not self._live_can.scores_text:
            raise RecognitionFailed(engine=self._live_can.engine)
        return self._live.score(texts)

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> Sequence[float | None]:
        """-inf where the final is that of a live engine that does not score texts."""
        if not self._failed:
            return self._final.price(final, substitutions)
        if not self._live_can.scores_text:
            return [-math.inf] * len(substitutions)
        return self._live.price(final, substitutions)

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        """RecognitionFailed where the final is that of a live engine that takes no phrases."""
        if not self._failed:
            return self._final.rehear(phrases)
        if not self._live_can.takes_phrases:
            raise RecognitionFailed(engine=self._live_can.engine)
        return self._live.rehear(phrases)

    def _note(self, error: RecognitionFailed) -> None:
        logger.warning(
            "the final comes from %s, because %s failed", self._live_can.engine, error.values.get("engine", "")
        )
        self._failed = True


def _both(live: Capabilities, final: Capabilities) -> Capabilities:
    """Of finals, what `final` can; but no language that either does not hear."""
    languages = tuple(language for language in final.languages if language in live.languages)
    if not languages:
        raise NoCommonLanguage(
            live=live.engine, final=final.engine, live_hears=live.languages, final_hears=final.languages
        )
    name = f"{live.engine}+{final.engine}"
    return replace(final, engine=name, languages=languages, streaming=live.streaming)
