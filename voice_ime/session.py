"""One dictation session as a state machine: no sockets, no threads, no clock.

Frames and messages from the client go in and come out as work for the recogniser and as messages for the client;
results of the recogniser go in and come out as messages. What may not be lost, finals that the client has not yet kept,
is held here, across connections.
"""

import itertools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from voice_ime import protocol as wire
from voice_ime.dictation.formatting import Surroundings, fit
from voice_ime.engine.base import SAMPLE_RATE, Change, Hypothesis, Word
from voice_ime.engine.listener import FinalStep, PartialStep
from voice_ime.errors import AudioGap, AudioOverlap, OutOfOrder, ProtocolError, TooManyUnkept


@dataclass(frozen=True)
class Sound:
    """Work: recognise this, the next stretch of the session's sound."""

    pcm: bytes


@dataclass(frozen=True)
class Release:
    """Work: whatever is being said ends at `sample`."""

    sample: int


@dataclass(frozen=True)
class Forget:
    """Work: forget what is being said; go on at `sample`, which may lie ahead of the sound that has come."""

    sample: int


@dataclass(frozen=True)
class Teach:
    """Work: learn from this correction before anything further is recognised."""

    correction: wire.Correction


@dataclass(frozen=True)
class Describe:
    """Work: answer this question about a text."""

    question: wire.Explain


Work = Sound | Release | Forget | Teach | Describe

MOST_FORGOTTEN = 100
"""Cancels that are remembered, so that a repeated one does no harm."""
Outcome = Work | wire.ServerMessage


@dataclass(frozen=True)
class Delays:
    """What the server measured for one final, in seconds."""

    queue_s: float
    final_s: float


class Session:
    """One client's dictation, across any number of connections."""

    def __init__(self, hello: wire.Hello, max_unkept: int) -> None:
        self.name = hello.session
        self.profile = hello.profile
        self.language = hello.language
        self.messages = hello.messages
        self._max_unkept = max_unkept
        self._received = hello.resume_from
        """The next sample to come."""
        self._answered_to = hello.resume_from
        """Releases up to here are answered."""
        self._forgotten: list[wire.Cancel] = []
        self._finished_to = hello.resume_from
        self._releases: list[int] = []
        """Releases whose sound has not wholly come."""
        self._unkept: dict[str, wire.Final] = {}
        self._around = Surroundings()
        self.application: str | None = None
        """The program that has the focus, where the client tells."""
        self._stable = _StableText()

    @property
    def received(self) -> int:
        return self._received

    # --- from the client ---

    def resume(self, hello: wire.Hello) -> list[Outcome]:
        """The client is back after a cut: what it may have missed. Sound is expected from `received` on."""
        self.messages = hello.messages
        self._releases.clear()
        self._keep_all_before(hello.resume_from)
        return list(self._unkept.values())

    def audio(self, frame: wire.AudioFrame) -> list[Work]:
        """Work for a frame that follows on. AudioGap, or AudioOverlap where all of it came before, change nothing."""
        if frame.offset > self._received:
            raise AudioGap(expected=self._received, got=frame.offset)
        fresh = frame.pcm[2 * (self._received - frame.offset) :]
        if frame.offset < self._received and not fresh:
            raise AudioOverlap(expected=self._received, got=frame.offset)
        return self._split_at_releases(fresh)

    def message(self, message: wire.ClientMessage) -> list[Outcome]:
        """What follows from a message other than `hello`."""
        match message:
            case wire.Finalize():
                return self._finalize(message.sample)
            case wire.Cancel():
                return self._cancel(message)
            case wire.Context():
                self._around = Surroundings(message.before, message.after)
                self.application = message.focus.application
                return []
            case wire.Correction():
                return [Teach(message)]
            case wire.Explain():
                return [Describe(message)]
            case wire.Kept():
                self._unkept.pop(message.utterance, None)
                return []
            case _:
                raise OutOfOrder(type=message.type)

    def _split_at_releases(self, pcm: bytes) -> list[Work]:
        work: list[Work] = []
        while self._releases and self._releases[0] <= self._received + len(pcm) // 2:
            sample = self._releases.pop(0)
            before = 2 * (sample - self._received)
            work += [Sound(pcm[:before])] if before else []
            work.append(Release(sample))
            pcm, self._received = pcm[before:], sample
        self._received += len(pcm) // 2
        return [*work, Sound(pcm)] if pcm else work

    def _finalize(self, sample: int) -> list[Outcome]:
        if sample <= self._answered_to:
            return [wire.Finalized(sample=sample)]
        if sample <= self._received:
            return [Release(sample)]
        if sample not in self._releases:
            self._releases.append(sample)
            self._releases.sort()
        return []

    def _cancel(self, cancel: wire.Cancel) -> list[Outcome]:
        if any(cancel.sample <= earlier.sample for earlier in self._forgotten):
            return [wire.Cancelled(sample=cancel.sample)]
        self._forgotten = [*self._forgotten[-MOST_FORGOTTEN:], cancel]
        self._received = max(self._received, cancel.sample)
        skipped = [release for release in self._releases if release <= self._received]
        self._releases = [release for release in self._releases if release > self._received]
        return [*(Release(sample) for sample in skipped), Forget(cancel.sample)]

    def _is_forgotten(self, start: int) -> bool:
        return any(cancel.start <= start < cancel.sample for cancel in self._forgotten)

    # --- from the recogniser ---

    def partial(self, step: PartialStep, hypothesis: Hypothesis | None) -> list[wire.ServerMessage]:
        if hypothesis is None or not hypothesis.text or self._is_forgotten(step.start):
            return []
        stable, unstable = self._stable.split(step.start, hypothesis.text)
        return [
            wire.Partial(
                utterance=_utterance_name(step.start), start_sample=step.start, stable=stable, unstable=unstable
            )
        ]

    def final(self, step: FinalStep, hypothesis: Hypothesis, delays: Delays) -> list[wire.ServerMessage]:
        """TooManyUnkept where the client never says `kept`; the final is held all the same."""
        if not hypothesis.text or self._is_forgotten(step.start):
            return []
        text = fit(hypothesis.text, self._around)
        self._around = self._around.then(text)
        final = _final(step, hypothesis, text, delays)
        self._unkept[final.utterance] = final
        return [final]

    def holds(self, utterance: str) -> bool:
        """Whether a final waits to be kept."""
        return utterance in self._unkept

    def check_kept(self) -> None:
        if len(self._unkept) > self._max_unkept:
            raise TooManyUnkept(limit=self._max_unkept)

    def released(self, sample: int) -> list[wire.ServerMessage]:
        """All work up to a release is done."""
        self._answered_to = max(self._answered_to, sample)
        return [wire.Finalized(sample=sample)]

    def forgotten(self, sample: int) -> list[wire.ServerMessage]:
        return [wire.Cancelled(sample=sample)]

    def finished(self, needed_from: int, *, at_least: int = SAMPLE_RATE) -> list[wire.ServerMessage]:
        """Tells how far the client may forget its sound, where that is `at_least` samples further than told before."""
        sample = min([needed_from, *(final.start_sample for final in self._unkept.values())])
        if sample < self._finished_to + at_least:
            return []
        self._finished_to = sample
        return [wire.Finished(sample=sample)]

    def _keep_all_before(self, sample: int) -> None:
        self._unkept = {name: final for name, final in self._unkept.items() if final.end_sample > sample}


class _StableText:
    """The part of the partials that will not change: it only grows within an utterance.

    Words are stable once two partials in a row agree on them and on all before; the last word of a partial never is,
    because its sound may not be complete.
    """

    def __init__(self) -> None:
        self._start = -1
        self._stable: list[str] = []
        self._previous: list[str] = []

    def split(self, start: int, text: str) -> tuple[str, str]:
        """(stable, unstable) for the newest partial of the utterance that began at `start`."""
        if start != self._start:
            self._start, self._stable, self._previous = start, [], []
        words = _WORD.findall(text)
        settled = len(self._stable)
        agreed = _agreement(self._previous[:-1], words[:-1])
        if agreed > settled and _agreement(self._stable, words) == settled:
            self._stable += words[settled:agreed]
        self._previous = words
        return "".join(self._stable), "".join(words[len(self._stable) :])


_WORD = re.compile(r"\s*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef]+)")
"""A word with the blanks before it; Chinese characters and full-width marks count as words."""


def _agreement(left: list[str], right: list[str]) -> int:
    """How many words are the same from the beginning, but for case and punctuation."""
    same = itertools.takewhile(lambda pair: _bare(pair[0]) == _bare(pair[1]), zip(left, right, strict=False))
    return sum(1 for _ in same)


def _bare(word: str) -> str:
    return word.strip(" .,;:!?…").casefold()


def _final(step: FinalStep, hypothesis: Hypothesis, text: str, delays: Delays) -> wire.Final:
    spoken_end_s = (step.decided - step.speech_end) / SAMPLE_RATE
    return wire.Final(
        utterance=_utterance_name(step.start),
        start_sample=step.start,
        end_sample=step.end,
        decided_sample=step.decided,
        reason=step.reason,
        text=hypothesis.text,
        language=hypothesis.language,
        edits=(wire.Insert(text=text),),
        words=tuple(_words(hypothesis.words, step.start / SAMPLE_RATE)),
        changes=tuple(_changes(hypothesis.changes)),
        alternatives=hypothesis.alternatives,
        timings=wire.Timings(
            endpoint_s=round(spoken_end_s, 4) if step.reason == "endpoint" else None,
            queue_s=round(delays.queue_s, 4),
            detect_s=round(step.detect_s, 4),
            encode_s=round(hypothesis.timings.get("encode_s", 0.0), 4),
            decode_s=round(hypothesis.timings.get("decode_s", 0.0), 4),
            personal_s=round(hypothesis.timings.get("personal_s", 0.0), 4),
            final_s=round(delays.final_s, 4),
        ),
    )


def _words(words: Iterable[Word], offset_s: float) -> Iterable[wire.FinalWord]:
    for word in words:
        yield wire.FinalWord(
            text=word.text,
            start_s=None if word.start_s is None else round(offset_s + word.start_s, 3),
            end_s=None if word.end_s is None else round(offset_s + word.end_s, 3),
            confidence=word.confidence,
            alternatives=word.alternatives,
        )


def _changes(changes: Iterable[Change]) -> Iterable[wire.Change]:
    for change in changes:
        yield wire.Change(
            kind=change.kind,
            first_word=change.first,
            last_word=change.last,
            heard=change.heard,
            written=change.written,
            source=change.source,
            distance=_rounded(change.distance),
            cost=_rounded(change.cost),
            score=_rounded(change.score),
        )


def _rounded(value: float | None) -> float | None:
    """To what means something, and can stand in JSON."""
    return None if value is None or not math.isfinite(value) else round(value, 3)


def _utterance_name(start: int) -> str:
    return f"u{start}"


def is_fatal(error: Exception) -> bool:
    return isinstance(error, ProtocolError) and error.fatal
