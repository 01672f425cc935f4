"""From a stream of sound to utterances: speech detector, endpointer and engine put together for one speaker.

`accept` yields the decodings that are due, as steps: whoever owns the threads decides when each runs, and may leave
out partials. The text depends on the sound only, not on the sizes of the pieces it comes in; after each utterance
everything starts afresh at its end, so that nothing leaks into the next one, and hearing again from the end of any
utterance gives the same again, with the endpoint delay that was learnt by then (`endpoint_delay_s`).
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from voice_ime.engine.base import SAMPLE_RATE, Engine, Hypothesis, Options, Samples, Utterance
from voice_ime.engine.endpointer import Edge, Endpointer, EndpointRules, Pace
from voice_ime.errors import VoiceImeError
from voice_ime.settings import SpeechSettings

Reason = Literal["endpoint", "finalize", "length"]

BLIP_S = 1.0
"""Speech too short for an onset is still heard if the key is released within this time."""
SPARSER = 25
"""In long utterances partials come after each further 25th, because each takes longer than the one before."""
CUT_WITHIN_S = 4.0
"""An utterance that grows too long is cut at the quietest place of its last seconds."""


class DetectorStream(Protocol):
    def probabilities(self, samples: Samples) -> list[float]:
        """One speech probability for each further whole frame."""


class Detector(Protocol):
    @property
    def frame(self) -> int:
        """Samples of one frame."""

    def stream(self) -> DetectorStream: ...


@dataclass(frozen=True)
class PartialStep:
    """The partial for the sound so far is due. Run it before the next step is asked for, or leave it out."""

    start: int
    run: Callable[[], Hypothesis | None]


@dataclass(frozen=True)
class PrepareStep:
    """A pause: the final can be worked out before it is decided that this is one. May be left out.

    It costs nothing but work: if speech goes on, what was prepared is forgotten.
    """

    start: int
    run: Callable[[], Hypothesis | None]


@dataclass(frozen=True)
class FinalStep:
    """An utterance has ended; positions in samples of the session. `run` must be called, once."""

    start: int
    end: int
    decided: int
    """The sound up to here was needed for the decision."""
    speech_end: int
    reason: Reason
    detect_s: float
    """Seconds of work that detection took for this utterance."""
    run: Callable[[], Hypothesis]


Step = PartialStep | PrepareStep | FinalStep


class Listener:
    """One speaker's stream. Not for two threads at once."""

    def __init__(
        self,
        detector: Detector,
        engine: Engine,
        options: Options,
        settings: SpeechSettings,
        *,
        start_sample: int = 0,
        endpoint_delay_s: float | None = None,
        endpoints: bool = True,
        partials: bool = True,
    ) -> None:
        self._pace = Pace.of(settings, endpoint_delay_s or settings.endpoint_delay_s) if endpoints else None
        self._settings = settings
        self._detector = detector
        self._engine = engine
        self._options = options
        self._partials = partials
        self._tape = _Tape(start_sample)
        self._restart(start_sample)

    @property
    def engine(self) -> str:
        """Name of the engine that hears."""
        return self._engine.capabilities.engine

    def heard_in(self, application: str | None) -> None:
        """From the next utterance on: the program that has the focus."""
        self._options = replace(self._options, application=application)

    @property
    def position(self) -> int:
        """Sound was accepted up to here."""
        return self._tape.end

    @property
    def missing(self) -> int:
        """With so many further samples there is something new to say; with fewer there is not."""
        return self._detector.frame - (self.position - self._base) % self._detector.frame

    @property
    def unhurried(self) -> bool:
        """Nobody is speaking and no release is to come: a tenth of a second more does not matter to anybody."""
        return self._utterance is None and self._pace is not None

    @property
    def endpoint_delay_s(self) -> float | None:
        """The silence that ends an utterance, as learnt so far: another listener may start from it. None: no silence
        does."""
        return None if self._pace is None else self._pace.delay / SAMPLE_RATE

    @property
    def needed_from(self) -> int:
        """Sound before this sample will not be looked at again."""
        if self._utterance is not None:
            return self._start
        return max(self._base, self._base + self._endpointer.position - _samples(BLIP_S) - self._before)

    def accept(self, samples: Samples) -> Iterator[Step]:
        """Take further sound, any number of samples, and yield what is due. The iterator must be used up."""
        self._tape.append(samples)
        while (step := self._advance()) is not None:
            yield step

    def finalize(self) -> Iterator[Step]:
        """The utterance ends at `position`, whatever is being said; at most one step."""
        if self._utterance is None and self._short_speech_is_fresh():
            self._begin()
        if self._utterance is not None:
            yield self._finish(self.position, self.position, "finalize")
        else:
            self._restart(self.position)

    def cancel(self, sample: int) -> None:
        """Forget everything before `sample`, which may lie ahead of `position`."""
        if self._utterance is not None:
            self._utterance.cancel()
        self._tape.skip_to(max(sample, self.position))
        self._restart(self.position)

    # --- frames ---

    def _restart(self, sample: int) -> None:
        self._base = sample
        self._paused_at: tuple[int, int] | None = None
        """Where the speech ended whose silence ended the last utterance, and how long that was waited for."""
        self._detected_to = sample
        self._stream = self._detector.stream()
        self._probabilities: deque[float] = deque()
        self._rules = EndpointRules.of(self._settings, self.endpoint_delay_s)
        self._endpointer = Endpointer(self._rules, self._detector.frame)
        self._utterance: Utterance | None = None
        self._start = sample
        self._onset = sample
        self._fed_to = sample
        self._next_partial = 0
        """Samples after the onset."""
        self._prepared_for = -1
        """End of the speech before the pause in which the final was last prepared."""
        self._judged_for = -1
        """End of the speech before the pause in which it was last judged whether the sentence is complete."""
        self._patience = 0
        self._detect_s = 0.0
        self._tape.drop_before(sample)

    def _advance(self) -> Step | None:
        while self._probabilities or self._detect():
            step = self._frame(self._probabilities.popleft())
            if step is not None:
                return step
        return None

    def _detect(self) -> bool:
        if self._detected_to == self._tape.end:
            return False
        begun = time.perf_counter()
        self._probabilities.extend(self._stream.probabilities(self._tape.slice(self._detected_to, self._tape.end)))
        self._detected_to = self._tape.end
        self._detect_s += time.perf_counter() - begun
        return bool(self._probabilities)

    def _frame(self, probability: float) -> Step | None:
        edge = self._endpointer.push(probability)
        if edge is Edge.ONSET:
            self._begin()
        if self._utterance is None:
            self._tape.drop_before(self.needed_from)
            return None
        now = self._base + self._endpointer.position
        speech_end = self._base + self._endpointer.speech_end
        last_useful = min(now, speech_end + _samples(self._settings.after_s))
        self._feed(last_useful)
        if edge is Edge.ENDPOINT and self._is_over(now, speech_end):
            return self._end_at_pause(last_useful, now, speech_end)
        if self._fed_to - self._start >= _samples(self._settings.longest_s):
            return self._finish(self._quietest(), now, "length")
        return self._prepare_if_due(now, speech_end) or self._partial_if_due()

    def _is_over(self, now: int, speech_end: int) -> bool:
        """Judged once in each pause, when the usual silence has passed."""
        if self._judged_for != speech_end:
            self._judged_for = speech_end
            self._patience = self._rules.patience(self._completeness())
        return now - speech_end >= (self._rules.endpoint_delay or 0) + self._patience

    def _completeness(self) -> float | None:
        if self._utterance is None or not (self._rules.unsure_more or self._rules.open_more):
            return None
        try:
            return self._utterance.completeness()
        except VoiceImeError:  # told when the final fails, too
            return None

    def _end_at_pause(self, end: int, now: int, speech_end: int) -> FinalStep:
        step = self._finish(end, now, "endpoint")
        self._paused_at = speech_end, now - speech_end
        return step

    def _prepare_if_due(self, now: int, speech_end: int) -> PrepareStep | None:
        """Once in each pause, when all the sound that the final would hear is there."""
        whole = speech_end + _samples(self._settings.after_s)
        delay = self._rules.endpoint_delay
        if delay is None or self._utterance is None or now < whole or self._prepared_for == speech_end:
            return None
        self._prepared_for = speech_end
        return PrepareStep(self._start, self._utterance.prepare)

    def _partial_if_due(self) -> PartialStep | None:
        heard = self._fed_to - self._onset
        if not self._partials or heard < self._next_partial or self._utterance is None:
            return None
        self._next_partial = _place_after(heard, self._settings)
        return PartialStep(self._start, self._utterance.partial)

    # --- utterances ---

    @property
    def _before(self) -> int:
        return _samples(self._settings.before_s)

    def _begin(self) -> None:
        self._onset = self._base + self._endpointer.onset
        self._learn_pace()
        self._start = max(self._base, self._onset - self._before)
        self._fed_to = self._start
        self._next_partial = _place_after(0, self._settings)
        self._utterance = self._engine.begin(self._options)

    def _learn_pace(self) -> None:
        if self._paused_at is not None and self._pace is not None:
            speech_end, waited = self._paused_at
            self._pace = self._pace.after(waited, self._onset - speech_end)
            self._rules = EndpointRules.of(self._settings, self.endpoint_delay_s)
            self._endpointer.rules = self._rules

    def _short_speech_is_fresh(self) -> bool:
        return self._endpointer.heard_any and self._base + self._endpointer.onset >= self.needed_from

    def _feed(self, end: int) -> None:
        if self._utterance is not None and end > self._fed_to:
            self._utterance.feed(self._tape.slice(self._fed_to, end))
            self._fed_to = end

    def _finish(self, end: int, decided: int, reason: Reason) -> FinalStep:
        if self._utterance is None:
            raise AssertionError("no utterance to finish")
        if end < self._fed_to:  # the cut lies before what was heard already: hear again up to the cut
            self._utterance.cancel()
            self._utterance = self._engine.begin(self._options)
            self._fed_to = self._start
        self._feed(end)
        speech_end = min(end, self._base + self._endpointer.speech_end)
        step = FinalStep(self._start, end, decided, speech_end, reason, self._detect_s, self._utterance.finish)
        self._restart(end)
        return step

    def _quietest(self) -> int:
        """The middle of the quietest tenth of a second near the end of what was fed."""
        window = SAMPLE_RATE // 10
        begin = max(self._start + window, self._fed_to - _samples(CUT_WITHIN_S))
        sound = self._tape.slice(begin, self._fed_to)
        energy = np.cumsum(np.concatenate([np.zeros(1), np.square(sound, dtype=np.float64)]))
        return begin + int(np.argmin(energy[window:] - energy[:-window])) + window // 2


class _Tape:
    """The latest stretch of the sound, addressed by position."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._length = 0
        self._buffer = np.zeros(4 * SAMPLE_RATE, dtype=np.float32)

    @property
    def end(self) -> int:
        return self._start + self._length

    def append(self, samples: Samples) -> None:
        needed = self._length + len(samples)
        if needed > len(self._buffer):
            self._buffer = np.concatenate([self._buffer, np.zeros(max(needed, len(self._buffer)), dtype=np.float32)])
        self._buffer[self._length : needed] = samples
        self._length = needed

    def slice(self, start: int, end: int) -> Samples:
        """A copy: engines may keep it."""
        return self._buffer[start - self._start : end - self._start].copy()

    def drop_before(self, sample: int) -> None:
        """Lazily: only once a second of sound can go, so that the copying stays small."""
        surplus = min(sample - self._start, self._length)
        if surplus < SAMPLE_RATE:
            return
        rest = self._buffer[surplus : self._length].copy()
        if len(self._buffer) > 8 * SAMPLE_RATE > len(rest):
            self._buffer = np.zeros(4 * SAMPLE_RATE + len(rest), dtype=np.float32)
        self._buffer[: len(rest)] = rest
        self._start += surplus
        self._length = len(rest)

    def skip_to(self, sample: int) -> None:
        self._start, self._length = sample, 0


def _place_after(heard: int, settings: SpeechSettings) -> int:
    """Where the next partial is due when `heard` samples since the onset were used; in samples since the onset."""
    first = [_samples(seconds) for seconds in settings.first_partials_s]
    due = [place for place in first if place > heard]
    return min(due) if due else heard + max(_samples(settings.partial_every_s), heard // SPARSER)


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
