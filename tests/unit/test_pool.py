"""The threads that do the work."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from voice_ime.engine.pool import Pool, Urgency


class BusyPool:
    """A pool of one thread, which works until `free`."""

    def __init__(self) -> None:
        self.pool = Pool(1)
        self._begun, self._free = threading.Event(), threading.Event()

    async def begin(self) -> None:
        self._work = asyncio.create_task(self.pool.run(Urgency.FINAL, self._until_free))
        await asyncio.to_thread(self._begun.wait, 10)

    async def free(self) -> None:
        self._free.set()
        await self._work

    def _until_free(self) -> None:
        self._begun.set()
        self._free.wait(10)


@asynccontextmanager
async def busy_pool() -> AsyncIterator[BusyPool]:
    busy = BusyPool()
    await busy.begin()
    try:
        yield busy
    finally:
        await busy.free()
        busy.pool.close()


async def test_finals_are_served_before_partials() -> None:
    order: list[str] = []
    async with busy_pool() as busy:
        run = busy.pool.run
        waiting = [
            asyncio.create_task(run(Urgency.PARTIAL, lambda: order.append("partial"))),
            asyncio.create_task(run(Urgency.DETECTION, lambda: order.append("detection"))),
            asyncio.create_task(run(Urgency.FINAL, lambda: order.append("final"))),
        ]
        await asyncio.sleep(0)  # lets the three take their places
        await busy.free()
        await asyncio.gather(*waiting)
    assert order == ["final", "detection", "partial"]


async def test_of_partials_the_one_whose_person_waited_longest_is_served_first() -> None:
    order: list[str] = []
    async with busy_pool() as busy:
        waiting = [
            asyncio.create_task(
                busy.pool.run_if_free(Urgency.PARTIAL, lambda name=name: order.append(name), within_s=10, since=since)  # type: ignore[misc]
            )
            for name, since in (("an eager one", 30.0), ("a patient one", 10.0), ("one between", 20.0))
        ]
        await asyncio.sleep(0)  # lets the three take their places
        await busy.free()
        await asyncio.gather(*waiting)
    assert order == ["a patient one", "one between", "an eager one"]


async def test_the_event_loop_goes_on_while_threads_work() -> None:
    pool = Pool(1)
    free = threading.Event()
    working = asyncio.create_task(pool.run(Urgency.FINAL, lambda: free.wait(10)))
    await asyncio.to_thread(lambda: None)
    free.set()
    assert await working
    pool.close()


async def test_an_error_reaches_whoever_waits_and_the_threads_go_on() -> None:
    pool = Pool(1)

    def fail() -> None:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await pool.run(Urgency.FINAL, fail)
    assert await pool.run(Urgency.FINAL, lambda: "well") == "well"
    pool.close()


async def test_work_that_nobody_waits_for_any_more_is_not_begun() -> None:
    done: list[str] = []
    async with busy_pool() as busy:
        given_up = asyncio.create_task(busy.pool.run(Urgency.FINAL, lambda: done.append("in vain")))
        await asyncio.sleep(0)  # lets it take its place
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        await busy.free()
        await busy.pool.run(Urgency.FINAL, lambda: done.append("next"))
    assert done == ["next"]


async def test_work_that_can_be_left_out_is_left_out_when_no_thread_is_free() -> None:
    async with busy_pool() as busy:
        assert await busy.pool.run_if_free(Urgency.PARTIAL, lambda: "in vain", within_s=0.01) is None
        await busy.free()
        assert await busy.pool.run_if_free(Urgency.PARTIAL, lambda: "well", within_s=10) == "well"


async def test_work_that_has_begun_is_waited_for_however_long_it_takes() -> None:
    pool = Pool(1)
    begun, free = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        free.wait(10)
        return "done"

    waiting = asyncio.create_task(pool.run_if_free(Urgency.PARTIAL, slow, within_s=0.01))
    await asyncio.to_thread(begun.wait, 10)
    await asyncio.sleep(0.03)  # longer than it was ready to wait
    free.set()
    assert await waiting == "done"
    pool.close()


async def test_one_thread_of_several_is_kept_free_of_partials() -> None:
    pool = Pool(2)
    free = threading.Event()
    partials = [asyncio.create_task(pool.run(Urgency.PARTIAL, lambda: free.wait(10))) for _ in range(2)]
    await asyncio.sleep(0)  # lets the two take their places
    async with asyncio.timeout(20):
        assert await pool.run(Urgency.FINAL, lambda: "final") == "final"
        assert await pool.run(Urgency.DETECTION, lambda: "detection") == "detection"
    free.set()
    assert await asyncio.gather(*partials) == [True, True]
    pool.close()


async def test_the_load_tells_how_long_what_cannot_be_left_out_had_to_wait() -> None:
    async with busy_pool() as busy:
        waiting = asyncio.create_task(busy.pool.run(Urgency.DETECTION, lambda: None))
        await asyncio.sleep(0.05)  # it waits at least so long
        await busy.free()
        await waiting
        load = busy.pool.load
        assert load.wait_s > 0.01
        assert load.busy > 0


async def test_partials_are_no_load_since_they_can_be_left_out() -> None:
    pool = Pool(1)
    await pool.run(Urgency.PARTIAL, lambda: threading.Event().wait(0.02))
    assert (pool.load.busy, pool.load.wait_s) == (0, 0)
    pool.close()


async def test_the_load_tells_how_much_of_what_can_be_left_out_was() -> None:
    async with busy_pool() as busy:
        await busy.pool.run_if_free(Urgency.PARTIAL, lambda: "in vain", within_s=0.01)
        assert busy.pool.load.left_out > 0.9
        await busy.free()
        await busy.pool.run_if_free(Urgency.PARTIAL, lambda: "well", within_s=10)
        assert busy.pool.load.left_out < 0.9
