"""The threads that do the work, and who is served first. The event loop only waits here."""

import asyncio
import heapq
import itertools
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Urgency(IntEnum):
    """Smaller is served first."""

    FINAL = 0
    DETECTION = 1
    PREPARATION = 2
    PARTIAL = 3


LATELY_S = 5.0
"""What is older counts for less than a third in `Load`."""


@dataclass(frozen=True)
class Load:
    """How busy the threads have been lately with what cannot be left out: detection and finals."""

    busy: float
    """The share of their time, 0 to 1, that went into it."""
    wait_s: float
    """How long it had to wait for a thread, on average."""
    left_out: float = 0.0
    """The share of partials and preparations, 0 to 1, for which there was no thread: the first to suffer."""


class Pool:
    """`workers` threads that run blocking calls, the most urgent first, else who has waited longest.

    One of several threads is kept free of partials: those that speak on must not keep those waiting who have spoken.
    """

    def __init__(self, workers: int) -> None:
        self._jobs = _Jobs(partials=max(1, workers - 1))
        self._meter = _Meter(workers)
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True) for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def load(self) -> Load:
        return self._meter.read()

    async def run(self, urgency: Urgency, call: Callable[[], T]) -> T:
        """What `call()` returns or raises. A cancelled wait does not stop a call that has begun."""
        return await self._put(urgency, call, threading.Lock(), time.monotonic())

    async def run_if_free(
        self, urgency: Urgency, call: Callable[[], T], within_s: float, *, since: float | None = None
    ) -> T | None:
        """As `run`; None where no thread was free within `within_s` seconds: then `call` is not run at all.

        `since`: the moment (of `time.monotonic`) from which its person has waited; None: now.
        """
        claim = threading.Lock()
        answer = self._put(urgency, call, claim, time.monotonic() if since is None else since)
        await asyncio.wait((answer,), timeout=within_s)
        left_out = not answer.done() and claim.acquire(blocking=False)
        self._meter.note_optional(left_out=left_out)
        return None if left_out else await answer

    def _put(
        self, urgency: Urgency, call: Callable[[], T], claim: threading.Lock, since: float
    ) -> "asyncio.Future[T]":
        """Queues `call`. Whoever takes `claim` first, a thread or the one who waits, decides whether it is run."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        put = time.monotonic()

        def job() -> None:
            if answer.cancelled() or not claim.acquire(blocking=False):
                return
            begun = time.monotonic()
            outcome: tuple[Callable[[Any], None], Any]
            try:
                outcome = answer.set_result, call()
            except BaseException as error:  # every outcome belongs to the caller, who waits for it
                outcome = answer.set_exception, error
            if urgency <= Urgency.DETECTION:
                self._meter.note(begun - put, time.monotonic() - begun)
            _deliver(loop, answer, *outcome)

        self._jobs.put(urgency, since, job)
        return answer

    def close(self) -> None:
        """Waits for calls that have begun; those still waiting are not run."""
        self._jobs.close()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self._jobs.run_next():
            pass


class _Jobs:
    """What waits for a thread. At most `partials` partials are handed out at a time."""

    def __init__(self, partials: int) -> None:
        self._partials = partials
        self._waiting: list[tuple[int, float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._closed = False
        self._changed = threading.Condition()

    def put(self, urgency: Urgency, since: float, job: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (urgency, since, next(self._numbers), job))
            self._changed.notify()

    def run_next(self) -> bool:
        """Waits for the most urgent and runs it; False once it is closed. Keeps nothing of it while it waits again."""
        taken = self._take()
        if taken is None:
            return False
        urgency, job = taken
        job()
        self._done(urgency)
        return True

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take(self) -> tuple[Urgency, Callable[[], None]] | None:
        with self._changed:
            while not self._closed and not self._is_any_due():
                self._changed.wait()
            if self._closed:
                return None
            urgency, _, _, job = heapq.heappop(self._waiting)
            self._partials -= urgency == Urgency.PARTIAL
            return Urgency(urgency), job

    def _done(self, urgency: Urgency) -> None:
        if urgency == Urgency.PARTIAL:
            with self._changed:
                self._partials += 1
                self._changed.notify()

    def _is_any_due(self) -> bool:
        return bool(self._waiting) and (self._waiting[0][0] < Urgency.PARTIAL or self._partials > 0)


class _Meter:
    """Keeps averages in which the past fades."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._then = time.monotonic()
        self._worked_s = 0.0
        self._waited_s = 0.0
        self._calls = 0.0
        self._optional = 0.0
        self._left_out = 0.0

    def note(self, waited_s: float, worked_s: float) -> None:
        with self._lock:
            self._fade()
            self._worked_s += worked_s
            self._waited_s += waited_s
            self._calls += 1

    def note_optional(self, *, left_out: bool) -> None:
        with self._lock:
            self._fade()
            self._optional += 1
            self._left_out += left_out

    def read(self) -> Load:
        with self._lock:
            self._fade()
            busy = self._worked_s / LATELY_S / self._workers
            wait_s, left_out = self._waited_s / max(self._calls, 1.0), self._left_out / max(self._optional, 1.0)
            return Load(min(1.0, busy), wait_s, left_out)

    def _fade(self) -> None:
        now = time.monotonic()
        left = math.exp((self._then - now) / LATELY_S)
        self._then = now
        self._worked_s *= left
        self._waited_s *= left
        self._calls *= left
        self._optional *= left
        self._left_out *= left


def _deliver(
    loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[Any]", put: Callable[[Any], None], what: Any
) -> None:
    def set_unless_cancelled() -> None:
        if not answer.done():
            put(what)

    try:
        loop.call_soon_threadsafe(set_unless_cancelled)
    except RuntimeError:
        logger.debug("the event loop was closed before a result came")
