"""The threads that do the work."""

import asyncio
import threading

import pytest

from voice_ime.engine.pool import Pool, Urgency


async def test_finals_are_served_before_partials() -> None:
    pool = Pool(1)
    begun, free = threading.Event(), threading.Event()
    order: list[str] = []

    def first() -> None:
        begun.set()
        free.wait(10)

    busy = asyncio.create_task(pool.run(Urgency.PARTIAL, first))
    await asyncio.to_thread(begun.wait, 10)
    waiting = [
        asyncio.create_task(pool.run(Urgency.PARTIAL, lambda: order.append("partial"))),
        asyncio.create_task(pool.run(Urgency.DETECTION, lambda: order.append("detection"))),
        asyncio.create_task(pool.run(Urgency.FINAL, lambda: order.append("final"))),
    ]
    await asyncio.sleep(0)  # lets the three take their places
    free.set()
    await asyncio.gather(busy, *waiting)
    assert order == ["final", "detection", "partial"]
    pool.close()


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
    pool = Pool(1)
    begun, free = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        free.wait(10)

    busy = asyncio.create_task(pool.run(Urgency.FINAL, first))
    await asyncio.to_thread(begun.wait, 10)
    given_up = asyncio.create_task(pool.run(Urgency.FINAL, lambda: done.append("in vain")))
    await asyncio.sleep(0)  # lets it take its place
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    free.set()
    await busy
    await pool.run(Urgency.FINAL, lambda: done.append("next"))
    assert done == ["next"]
    pool.close()


async def test_work_that_can_be_left_out_is_left_out_when_no_thread_is_free() -> None:
    pool = Pool(1)
    begun, free = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        free.wait(10)

    busy = asyncio.create_task(pool.run(Urgency.FINAL, first))
    await asyncio.to_thread(begun.wait, 10)
    assert await pool.run_if_free(Urgency.PARTIAL, lambda: done.append("partial"), within_s=0.01) is None
    free.set()
    await busy
    assert await pool.run_if_free(Urgency.PARTIAL, lambda: "well", within_s=10) == "well"
    assert done == []
    pool.close()


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
