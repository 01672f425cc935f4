"""One session at work: what waits to be recognised, in order, and where the answers go."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from voice_ime import protocol as wire
from voice_ime.audio import from_pcm16
from voice_ime.engine.base import SAMPLE_RATE, Hypothesis
from voice_ime.engine.listener import FinalStep, Listener, PartialStep, PrepareStep, Step
from voice_ime.engine.pool import Pool, Urgency
from voice_ime.errors import OwnEngineMissing, RecognitionFailed, VoiceImeError, WordsAsBefore, WordsUnread
from voice_ime.messages import Messages
from voice_ime.server.people import People
from voice_ime.session import Delays, Describe, Forget, Outcome, Release, Session, Sound, Teach, Work, is_fatal
from voice_ime.store.last_known import Trouble

T = TypeVar("T")
Sink = Callable[[wire.ServerMessage], None]
Explain = Callable[[VoiceImeError, str], wire.Error]
"""Makes the message for an error, in a language."""

LEAST = 512
"""Samples worth waking the detector for."""
REST = 0.04
"""In silence the next look at the sound may be put off by this share of the silence so far..."""
LONGEST_REST_S = 0.28
"""... up to this much: a silent stream costs most by being looked at. Whoever speaks after a long silence has the first
partial so much later at worst."""
MOST = 2 * SAMPLE_RATE
"""Samples recognised in one go, so that a backlog does not keep other speakers waiting."""
BEHIND = SAMPLE_RATE
"""With this much sound waiting, partials are left out."""
PATIENCE_S = 0.1
"""A partial that no thread has time for by then is left out: its speaker's sound must not wait for it."""

logger = logging.getLogger(__name__)


class Stream:
    """Outlives its connections: while nobody is connected the recognition of what has come goes on."""

    def __init__(
        self,
        session: Session,
        listener: Listener,
        pool: Pool,
        explain: Explain,
        people: People | None = None,
    ) -> None:
        """`people`: whose words are used; None: nobody's."""
        self.session = session
        self.sink: Sink | None = None
        self._listener = listener
        self._pool = pool
        self._explain = explain
        self._people = people
        self._queue: deque[Work] = deque()
        self._waiting = 0
        self._orders = 0
        """Of what is queued, how much is no sound."""
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._spoke_at = listener.position
        """Somebody spoke until then, in samples."""
        self._arrivals = _Arrivals()
        self._told: Trouble | None = None
        """What is known to be wrong with the person's words, and was said."""
        self._missed: OwnEngineMissing | None = None
        """Likewise, of an engine that the person asks for."""
        self._shown = (-1, 0.0)
        """Where the utterance began that was shown last, and when; before its first partial, since when that is due."""

    @property
    def waiting(self) -> int:
        """Samples not yet looked at."""
        return self._waiting

    @property
    def rest_s(self) -> float:
        """For so long nobody needs to look at further sound: nobody speaks."""
        if not self._listener.unhurried:
            return 0.0
        return min(LONGEST_REST_S, REST * (self._listener.position - self._spoke_at) / SAMPLE_RATE)

    def put(self, outcomes: Iterable[Outcome]) -> None:
        """Work is queued, messages are sent at once."""
        for outcome in outcomes:
            match outcome:
                case Sound():
                    self._queue.append(outcome)
                    self._waiting += len(outcome.pcm) // 2
                case Release() | Forget() | Teach() | Describe():
                    self._queue.append(outcome)
                    self._orders += 1
                case _:
                    self._send([outcome])
        self._arrivals.note(self.session.received)
        self._changed.set()

    async def room_for(self, most_waiting: int) -> None:
        """Returns once less than `most_waiting` samples wait."""
        while self.waiting >= most_waiting:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while (work := self._next()) is not None:
                self._room.set()
                await self._do(work)

    def tell_trouble(self) -> None:
        """Says, once, why the person's words cannot be read and that their own engine is not loaded, where so."""
        people, profile = self._people, self.session.profile
        if self.sink is None or people is None or profile is None:
            return
        trouble = people.trouble(profile)
        if trouble is not None and not trouble.is_like(self._told):
            self._fail(_complaint(trouble, self.session.messages))
        self._told = trouble
        missing = people.engine.missing(profile)
        if missing is not None and (self._missed is None or missing.values != self._missed.values):
            self._fail(missing)
        self._missed = missing

    def check_finished(self, *, at_least: int = SAMPLE_RATE) -> None:
        self._send(self.session.finished(self._listener.needed_from, at_least=at_least))

    def _next(self) -> Work | None:
        """The next piece of work; neighbouring sounds become one."""
        if not self._queue:
            return None
        if not isinstance(self._queue[0], Sound):
            self._orders -= 1
            return self._queue.popleft()
        if self._waiting < max(self._listener.missing, self.rest_s * SAMPLE_RATE - LEAST) and not self._orders:
            return None
        return self._next_sound()

    def _next_sound(self) -> Sound:
        pieces, samples = [], 0
        while self._queue and isinstance(head := self._queue[0], Sound) and samples < MOST:
            pieces.append(head.pcm)
            samples += len(head.pcm) // 2
            self._queue.popleft()
        self._waiting -= samples
        return Sound(b"".join(pieces))

    async def _do(self, work: Work) -> None:
        match work:
            case Sound():
                self._listener.heard_in(self.session.application)
                await self._recognise(self._listener.accept(from_pcm16(work.pcm)))
            case Release():
                await self._recognise(self._listener.finalize())
                self._send(self.session.released(work.sample))
                self.check_finished(at_least=1)
            case Forget():
                self._listener.cancel(work.sample)
                self._send(self.session.forgotten(work.sample))
            case Teach():
                await self._teach(work.correction)
            case Describe():
                await self._describe(work.question)
        if not self._listener.unhurried:
            self._spoke_at = self._listener.position
        self._arrivals.forget_before(self._listener.needed_from)
        self.tell_trouble()
        self.check_finished()

    async def _teach(self, correction: wire.Correction) -> None:
        session, people = self.session, self._people
        taken = wire.CorrectionTaken(utterance=correction.utterance, kept=False)
        if people is not None and (profile := session.profile) is not None:
            take = people.corrections.take
            taken = await self._asked(lambda: take(profile, session.name, correction, session.messages)) or taken
        self._send([taken])

    async def _describe(self, question: wire.Explain) -> None:
        session, people = self.session, self._people
        explained = wire.Explained(text=question.text, sentences=(), rivals=())
        if people is not None:
            answer = people.explanations.answer
            explained = await self._asked(lambda: answer(session.profile, question, session.messages)) or explained
        self._send([explained])

    async def _asked(self, call: Callable[[], T]) -> T | None:
        """What a call about the person's words answers; None: it failed, which was said."""
        try:
            return await self._pool.run(Urgency.PREPARATION, call)
        except VoiceImeError as error:
            self._fail(error)
            return None

    async def _recognise(self, steps: Iterator[Step]) -> None:
        while (step := await self._pool.run(Urgency.DETECTION, lambda: next(steps, None))) is not None:
            try:
                await self._do_step(step)
            except VoiceImeError as error:
                if is_fatal(error):
                    raise
                self._fail(error)
            except Exception:
                logger.exception("recognition failed")
                self._fail(RecognitionFailed(engine=self._listener.engine))

    async def _do_step(self, step: Step) -> None:
        """Partials, and finals in advance, are left out while sound waits."""
        match step:
            case FinalStep():
                await self._final(step)
            case PrepareStep() if self.waiting < BEHIND:
                await self._pool.run_if_free(Urgency.PREPARATION, step.run, PATIENCE_S)
            case PartialStep() if self.waiting < BEHIND and self.sink is not None:
                await self._partial(step)

    async def _partial(self, step: PartialStep) -> None:
        """Under load those come first who have heard nothing for longest."""
        now = time.monotonic()
        start, since = self._shown
        since = since if start == step.start else now
        self._shown = step.start, since
        hypothesis = await self._pool.run_if_free(Urgency.PARTIAL, step.run, PATIENCE_S, since=since)
        if hypothesis is not None:
            self._shown = step.start, now
        self._send(self.session.partial(step, hypothesis))

    async def _final(self, step: FinalStep) -> None:
        arrived = self._arrivals.of(step.decided)
        begun, hypothesis = await self._pool.run(Urgency.FINAL, lambda: (time.monotonic(), step.run()))
        delays = Delays(queue_s=max(0.0, begun - arrived), final_s=time.monotonic() - arrived)
        self._send(self.session.final(step, hypothesis, delays))
        self.session.check_kept()
        await self._note_used(hypothesis)

    async def _note_used(self, hypothesis: Hypothesis) -> None:
        """The entries that were written: of those that sound the same the latest is likelier."""
        people, profile = self._people, self.session.profile
        written = [change.source for change in hypothesis.changes if change.kind == "replace"]
        if people is not None and profile is not None and written:
            await self._pool.run(Urgency.PREPARATION, lambda: people.note_used(profile, written))

    def _fail(self, error: VoiceImeError) -> None:
        self._send([self._explain(error, self.session.messages)])

    def _send(self, messages: Iterable[wire.ServerMessage]) -> None:
        for message in messages:
            if self.sink is not None:
                self.sink(message)


def _complaint(trouble: Trouble, language: str) -> WordsUnread:
    """What the person hears of it."""
    reason, advice = Messages(language).error(trouble.error)
    kind = WordsAsBefore if trouble.known else WordsUnread
    return kind(reason=reason, advice=advice, cause=trouble.error.code)


class _Arrivals:
    """When each stretch of sound came."""

    def __init__(self) -> None:
        self._ends: deque[tuple[int, float]] = deque()

    def note(self, received: int) -> None:
        if not self._ends or self._ends[-1][0] < received:
            self._ends.append((received, time.monotonic()))

    def of(self, sample: int) -> float:
        """The moment from which all sound before `sample` was here."""
        for end, moment in self._ends:
            if end >= sample:
                return moment
        return time.monotonic()

    def forget_before(self, sample: int) -> None:
        while self._ends and self._ends[0][0] < sample:
            self._ends.popleft()
