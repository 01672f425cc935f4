"""Recordings to text, the whole way that dictated sound goes: detector, endpoints, engine, blanks and capitals."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from voice_ime.audio import read_blocks
from voice_ime.dictation.formatting import Surroundings, fit
from voice_ime.engine.base import SAMPLE_RATE, Engine, Hypothesis, Options, Word
from voice_ime.engine.listener import Detector, FinalStep, Listener, PartialStep, PrepareStep, Step
from voice_ime.errors import AudioError, RecognitionFailed
from voice_ime.settings import SpeechSettings

_log = logging.getLogger(__name__)

OnHeard = Callable[["Heard"], None]
OnProgress = Callable[[float], None]
"""Called with the seconds of sound that were worked on since the last call."""


@dataclass(frozen=True)
class Heard:
    """One utterance of a recording."""

    text: str
    """With the blanks and capitals that the text before it asks for: all texts joined are the whole text."""
    words: tuple[Word, ...]
    """Times in seconds of the recording; None where the engine has none."""
    language: str | None
    timings: Mapping[str, float]
    """Seconds of work by stage."""


@dataclass(frozen=True)
class Outcome:
    """How the work on one recording ended."""

    duration_s: float
    """Sound that was worked on, in seconds."""
    engine: str | None
    """Name of the engine; None: it did not come so far."""
    problem: AudioError | RecognitionFailed | None = None
    """What went wrong; what was heard all the same has been told."""


class Transcriber(Protocol):
    """Whatever can work on one recording after another."""

    def transcribe(self, path: Path, on_heard: OnHeard, on_progress: OnProgress) -> Outcome:
        """Works on a whole recording; each utterance is told as soon as it was heard."""


class EngineTranscriber:
    """Works in this process, as fast as the machine allows."""

    def __init__(
        self,
        engine: Engine,
        detector: Detector,
        speech: SpeechSettings,
        language: str | None = None,
        *,
        profile: str | None = None,
        partials: bool = False,
    ) -> None:
        """`language`: what is spoken; None: the engine decides. `profile`: whose words are written, where the engine
        knows people. `partials`: some engines take word times from them.
        """
        self._engine = engine
        self._detector = detector
        self._speech = speech
        self._options = Options(language=language, profile=profile)
        self._partials = partials

    def transcribe(self, path: Path, on_heard: OnHeard, on_progress: OnProgress) -> Outcome:
        """LanguageNotSupported where the engine does not hear the language; other troubles are in the Outcome."""
        listener = Listener(self._detector, self._engine, self._options, self._speech, partials=self._partials)
        writing = _Writing(on_heard)
        problem: AudioError | None = None
        try:
            for block in read_blocks(path):
                writing.take(listener.accept(block))
                on_progress(len(block) / SAMPLE_RATE)
        except AudioError as error:
            problem = error
        writing.take(listener.finalize())
        return Outcome(listener.position / SAMPLE_RATE, self._engine.capabilities.engine, problem or writing.problem)


class _Writing:
    """Runs what the listener finds due, and joins the utterances to a text."""

    def __init__(self, on_heard: OnHeard) -> None:
        self._on_heard = on_heard
        self._around = Surroundings()
        self.problem: RecognitionFailed | None = None

    def take(self, steps: Iterable[Step]) -> None:
        for step in steps:
            try:
                self._run(step)
            except RecognitionFailed as error:  # the next utterance may well be heard
                _log.warning("an utterance could not be recognised")
                self.problem = self.problem or error

    def _run(self, step: Step) -> None:
        if isinstance(step, PrepareStep):
            return  # nobody waits for the final
        if isinstance(step, PartialStep):
            step.run()
        elif (hypothesis := step.run()).text:
            self._on_heard(self._heard(step, hypothesis))

    def _heard(self, step: FinalStep, hypothesis: Hypothesis) -> Heard:
        text = fit(hypothesis.text, self._around)
        self._around = self._around.then(text)
        words = tuple(_moved(word, step.start / SAMPLE_RATE) for word in hypothesis.words)
        return Heard(text, words, hypothesis.language, {"detect_s": step.detect_s, **hypothesis.timings})


def _moved(word: Word, offset_s: float) -> Word:
    start_s = None if word.start_s is None else word.start_s + offset_s
    end_s = None if word.end_s is None else word.end_s + offset_s
    return replace(word, start_s=start_s, end_s=end_s)


@dataclass
class Transcript:
    """A whole recording, gathered from its utterances."""

    heard: list[Heard] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(heard.text for heard in self.heard)

    @property
    def words(self) -> Iterator[Word]:
        return (word for heard in self.heard for word in heard.words)

    @property
    def language(self) -> str | None:
        """The one that was heard most."""
        known = Counter(heard.language for heard in self.heard if heard.language)
        return known.most_common(1)[0][0] if known else None

    @property
    def timings(self) -> dict[str, float]:
        """Seconds of work by stage, over all utterances."""
        sums: dict[str, float] = {}
        for heard in self.heard:
            for stage, seconds in heard.timings.items():
                sums[stage] = sums.get(stage, 0.0) + seconds
        return {stage: round(seconds, 4) for stage, seconds in sums.items()}
