"""The threads that do the work, and who is served first. The event loop only waits here."""

import asyncio
import itertools
import logging
import queue
import threading
from collections.abc import Callable
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


class Pool:
    """`workers` threads that run blocking calls, the most urgent first, else in the order they came."""

    def __init__(self, workers: int) -> None:
        self._jobs: queue.PriorityQueue[tuple[int, int, Callable[[], None] | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True) for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, urgency: Urgency, call: Callable[[], T]) -> T:
        """What `call()` returns or raises. A cancelled wait does not stop a call that has begun."""
        return await self._put(urgency, call, threading.Lock())

    async def run_if_free(self, urgency: Urgency, call: Callable[[], T], within_s: float) -> T | None:
        """As `run`; None where no thread was free within `within_s` seconds: then `call` is not run at all."""
        claim = threading.Lock()
        answer = self._put(urgency, call, claim)
        await asyncio.wait((answer,), timeout=within_s)
        if not answer.done() and claim.acquire(blocking=False):
            return None
        return await answer

    def _put(self, urgency: Urgency, call: Callable[[], T], claim: threading.Lock) -> "asyncio.Future[T]":
        """Queues `call`. Whoever takes `claim` first, a thread or the one who waits, decides whether it is run."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            if answer.cancelled() or not claim.acquire(blocking=False):
                return
            try:
                result = call()
            except BaseException as error:  # every outcome belongs to the caller, who waits for it
                _deliver(loop, answer, answer.set_exception, error)
            else:
                _deliver(loop, answer, answer.set_result, result)

        self._jobs.put((urgency, next(self._numbers), job))
        return answer

    def close(self) -> None:
        """Waits for calls that have begun; those still waiting are not run."""
        for _ in self._threads:
            self._jobs.put((-1, next(self._numbers), None))
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()[2]) is not None:
            job()


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
