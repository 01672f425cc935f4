"""Garbage that a server leaves is taken away while nobody speaks, and at last also while somebody does."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Iterator

import pytest

from voice_ime.server.garbage import ENOUGH, sweep
from voice_ime.uncollected import uncollected


class Knot:
    """Refers to itself: only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def only_when_told() -> Iterator[None]:
    with uncollected():
        yield


def old_garbage() -> "weakref.ref[Knot]":
    """Something nobody refers to any more, that has been looked at when it was new."""
    gc.collect()
    knot = Knot()
    gc.collect(1)
    found = weakref.ref(knot)
    del knot
    for _ in range(ENOUGH):
        gc.collect(1)
    assert found() is not None
    return found


async def swept(until: "weakref.ref[Knot]", *, quiet: bool, longest_s: float) -> bool:
    task = asyncio.create_task(sweep(lambda: quiet, 0.001, longest_s))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10 if quiet or longest_s < 1 else 0.1):
            while until() is not None:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)
    task.cancel()
    return until() is None


async def test_garbage_is_taken_away_while_nobody_speaks() -> None:
    assert await swept(old_garbage(), quiet=True, longest_s=1000)


async def test_while_somebody_speaks_it_stays() -> None:
    assert not await swept(old_garbage(), quiet=False, longest_s=1000)


async def test_where_somebody_speaks_all_the_time_it_is_taken_away_at_last() -> None:
    assert await swept(old_garbage(), quiet=False, longest_s=0.003)
