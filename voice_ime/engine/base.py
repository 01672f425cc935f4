"""What every engine is: a shared model (`Engine`) and one person's breath (`Utterance`).

Calls block and belong on worker threads; an engine never sees asyncio. Samples are float32, mono, 16 kHz, in [-1, 1].
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from voice_ime.engine.calibration import Calibration

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
    takes_phrases: bool = False
    """Whether `Options.phrases` and `Utterance.rehear` make the given words likelier."""
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
    profile: str | None = None
    """Whose words: name of a profile; None: nobody's. Engines leave it."""
    application: str | None = None
    """Name of the program that has the focus, where it is known. Engines leave it."""
    script: Literal["simplified", "traditional"] | None = None
    """Which Chinese characters are to be written; None: whichever come. Engines that write one kind only leave it."""
    engine: str = ""
    """Name of the loaded engine that is to hear it; empty, or not loaded: as the server is set. Engines leave it."""
    final_engine: str = ""
    """Name of the loaded engine that is to hear the final; empty, or not loaded: as the server is set."""


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
    log_probability: float | None = None
    """Natural logarithm of the engine's own probability of what is spoken of it; None where the engine has none."""


@dataclass(frozen=True)
class Change:
    """A place where a personal rule or entry changed what was heard, or may be offered there instead."""

    kind: Literal["rule", "replace", "offer"]
    first: int
    """Its words in the hypothesis that carries this change: from `first`..."""
    last: int
    """... to `last` (exclusive); equal to `first` where a rule deleted what was heard."""
    heard: str
    written: str
    """What stands there now; for an offer: what could stand there."""
    source: str
    """Id of the rule or entry."""
    distance: float | None = None
    """Between the sounds, a part of the entry's length; None for rules."""
    cost: float | None = None
    """Nats by which the sound speaks against it (positive: against); None where the engine cannot say."""
    score: float | None = None
    """What the decision was made by: above 0 it is replaced."""


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
    changes: tuple[Change, ...] = ()
    """What a personal vocabulary did and offers, in the order of the words. Engines leave it."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds of work by stage, e.g. {"encode_s": 0.03, "decode_s": 0.05}."""


@dataclass(frozen=True)
class Substitution:
    """Words `first` to `last` (exclusive) of a final hypothesis, and what could have been said instead."""

    first: int
    last: int
    texts: tuple[str, ...]
    """Ways to write it, such as "Kowalski" and "kowalski": the one that the sound likes best counts."""
    at_least: float = -math.inf
    """A price below this is of no use: engines need not work it out, and may answer -inf."""


class Utterance(ABC):
    """One person's speech between two endpoints, being heard. All its state lives here. Not for two threads at once."""

    @abstractmethod
    def feed(self, samples: Samples) -> None:
        """Take further sound, any number of samples; quick for engines that decode in `partial` and `finish`."""

    @abstractmethod
    def partial(self) -> Hypothesis | None:
        """The hypothesis for the sound so far, or None where there is nothing new to say."""

    def prepare(self) -> Hypothesis | None:
        """Work ahead: what `finish` will answer if no more sound comes; None: this engine cannot work ahead.

        Until more sound comes `score`, `price` and `rehear` may be called as after `finish`.
        """
        return None

    def completeness(self) -> float | None:
        """How surely the sentence ends with the sound so far, 0 to 1; None: this engine cannot tell.

        Must depend on the sound only. May take as long as `prepare`, or no time after it.
        """
        return None

    @abstractmethod
    def finish(self) -> Hypothesis:
        """The final hypothesis. Once; then only `score` may be called."""

    @abstractmethod
    def cancel(self) -> None:
        """Forget the sound. May be called at any time, also twice."""

    def score(self, texts: list[str]) -> list[float]:
        """Log-probability of each text for the sound of this utterance; after `finish`, if the engine scores texts."""
        raise TypeError("this engine does not score texts; ask Capabilities.scores_text first")

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> Sequence[float | None]:
        """For each substitution in `final`, the answer of `finish`: log p(with it) - log p(without), in nats.

        None where the engine cannot say, because it can write none of the texts. After `finish`, if it scores texts.
        """
        texts = [replaced(final, each.first, each.last, text) for each in substitutions for text in each.texts]
        scores = iter(self.score([final.text, *texts]))
        without = next(scores)
        return [max(next(scores) for _ in each.texts) - without for each in substitutions]

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        """The final once more, with `phrases` likelier; after `finish`, if the engine takes phrases."""
        raise TypeError("this engine does not take phrases; ask Capabilities.takes_phrases first")


class Engine(ABC):
    """A loaded model, shared by everyone; safe to use from several threads."""

    capabilities: Capabilities
    calibration: Calibration | None = None
    """What the confidences of finals have gone through; None: they are as the model gives them. An engine that has one
    asks for it at `begin`, so that whoever sets it to None gets them raw."""

    @abstractmethod
    def begin(self, options: Options) -> Utterance:
        """Start an utterance. LanguageNotSupported where `options.language` is none of `capabilities.languages`."""

    def chosen(self, options: Options) -> "Engine":
        """The engine to which `begin` gives such an utterance: this one, unless it chooses among several.

        Raises what `begin` does.
        """
        return self

    def unloaded(self, options: Options) -> tuple[str, ...]:
        """Names of engines that `options` ask for and that are not loaded, so that others hear in their place."""
        return ()

    def writes(self, text: str) -> bool:
        """Whether the model can write `text` at all; marks do not count. For engines that score or take phrases.

        What it cannot write is never heard as it is written, and `Utterance.price` cannot tell what it costs.
        """
        return True

    @abstractmethod
    def close(self) -> None:
        """Free the model. Utterances under way end with RecognitionFailed or normally."""


def priced(
    substitutions: Sequence[Substitution],
    writes: Callable[[str], bool],
    prices: Callable[[Sequence[Substitution]], Sequence[float | None]],
) -> list[float | None]:
    """`prices` for those of which the engine `writes` a text, and asked for these only; None for the others."""
    known = [any(map(writes, each.texts)) for each in substitutions]
    asked = [each for each, is_known in zip(substitutions, known, strict=True) if is_known]
    found = iter(prices(asked) if asked else ())
    return [next(found) if is_known else None for is_known in known]


def replaced(hypothesis: Hypothesis, first: int, last: int, text: str) -> str:
    """`hypothesis.text` with `text` in place of words `first` to `last` (exclusive); marks around them stay."""
    spans = word_spans(hypothesis)
    begin, end = spans[first][0], spans[last - 1][1]
    old = hypothesis.text[begin:end]
    core = old.strip(SENTENCE_MARKS)
    if not core:
        return hypothesis.text[:begin] + text + hypothesis.text[end:]
    at = old.index(core)
    return hypothesis.text[: begin + at] + text + hypothesis.text[begin + at + len(core) :]


def word_spans(hypothesis: Hypothesis) -> list[tuple[int, int]]:
    """Where each word stands in the text: first and last (exclusive) character."""
    spans: list[tuple[int, int]] = []
    at = 0
    for word in hypothesis.words:
        begin = hypothesis.text.index(word.text, at)
        at = begin + len(word.text)
        spans.append((begin, at))
    return spans


SENTENCE_MARKS = " \t\n.,;:!?\"()[]{}…—–-，。、；：！？“”‘’（）《》【】·"
"""Marks that belong to the sentence and not to a word."""
