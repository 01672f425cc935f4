"""What every engine is: a shared model (`Engine`) and one person's breath (`Utterance`).

Calls block and belong on worker threads; an engine never sees asyncio. Samples are float32, mono, 16 kHz, in [-1, 1].
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples per second of all sound inside the engines."""

Samples = NDArray[np.float32]
"""float32, shape [N], mono, 16 kHz, in [-1, 1]."""

WordTimes = Literal["none", "estimated", "aligned"]


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do, as data: it goes to the client as it is."""

    engine: str
    """Its name in the catalogue."""
    languages: tuple[str, ...]
    """Languages it hears, as ISO 639-1 codes."""
    word_times: WordTimes = "none"
    """none: `Word.start_s` is None. estimated: from evidence, tenths of a second off. aligned: by the engine itself."""
    confidence: bool = False
    """Whether words carry a confidence."""
    alternatives: bool = False
    """Whether hypotheses carry alternatives."""
    scores_text: bool = False
    """Whether `Utterance.score` works."""
    streaming: bool = False
    """Whether the model itself is incremental (else the whole utterance is decoded again for each partial)."""


@dataclass(frozen=True)
class Options:
    """What one utterance is to be heard with."""

    language: str | None = None
    """ISO 639-1 code; None: the engine decides."""
    phrases: tuple[str, ...] = ()
    """Words that may well be said. Engines that cannot use them leave them."""
    context: str = ""
    """Text before the caret."""


@dataclass(frozen=True)
class Word:
    """One word of a hypothesis."""

    text: str
    """As written, with its punctuation, without blanks."""
    start_s: float | None = None
    """Seconds from the first sample of the utterance; None where the engine has no times."""
    end_s: float | None = None
    """Seconds from the first sample of the utterance."""
    confidence: float | None = None
    """0 to 1; None where the engine has none."""
    alternatives: tuple[str, ...] = ()
    """Other words that could have been said here, likeliest first."""


@dataclass(frozen=True)
class Hypothesis:
    """What was heard, so far or at the end."""

    text: str
    """The whole text of the utterance; empty: nothing was said."""
    words: tuple[Word, ...] = ()
    """The words of `text` in order. Chinese: one per character or as the engine cuts them."""
    alternatives: tuple[str, ...] = ()
    """Other whole texts, likeliest first."""
    final: bool = False
    """Whether this is the answer of `finish`."""
    log_probability: float | None = None
    """Natural logarithm of the probability of `text` given the sound; None where the engine has none."""
    language: str | None = None
    """The language that was heard, where the engine tells."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds of work by stage, e.g. {"encode_s": 0.03, "decode_s": 0.05}."""


class Utterance(ABC):
    """One person's speech between two endpoints, being heard. All its state lives here. Not for two threads at once."""

    @abstractmethod
    def feed(self, samples: Samples) -> None:
        """Take further sound, any number of samples; quick for engines that decode in `partial` and `finish`."""

    @abstractmethod
    def partial(self) -> Hypothesis | None:
        """The hypothesis for the sound so far, or None where there is nothing new to say."""

    def prepare(self) -> None:  # noqa: B027  # an engine that cannot work ahead does nothing
        """Work ahead: find out now what `finish` would answer if no more sound came. The answer stays the same."""

    @abstractmethod
    def finish(self) -> Hypothesis:
        """The final hypothesis. Once; then only `score` may be called."""

    @abstractmethod
    def cancel(self) -> None:
        """Forget the sound. May be called at any time, also twice."""

    def score(self, texts: list[str]) -> list[float]:
        """Log-probability of each text for the sound of this utterance; after `finish`, if the engine scores texts."""
        raise TypeError("this engine does not score texts; ask Capabilities.scores_text first")


class Engine(ABC):
    """A loaded model, shared by everyone; safe to use from several threads."""

    capabilities: Capabilities

    @abstractmethod
    def begin(self, options: Options) -> Utterance:
        """Start an utterance. LanguageNotSupported where `options.language` is none of `capabilities.languages`."""

    @abstractmethod
    def close(self) -> None:
        """Free the model. Utterances under way end with RecognitionFailed or normally."""
