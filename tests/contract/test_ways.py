"""What every way of putting text into a window must keep."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from voice_ime_desktop.insert.base import Way
from voice_ime_desktop.insert.null import NullWay

from tests.contract.desks import Desk, Open, in_memory, real
from tests.desktop.x11 import until
from voice_ime.errors import InsertionFailed

KINDS = {"recording": in_memory, "ibus": real, "atspi": real, "clipboard": real}


@dataclass(frozen=True)
class Bench:
    desk: Desk
    way: Way


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    opened: Open = KINDS[request.param]
    async with opened() as desk:
        way = desk.way(request.param)
        await way.start()
        yield Bench(desk, way)
        await way.stop()


async def test_texts_come_to_the_caret_one_after_the_other(bench: Bench) -> None:
    target = await bench.desk.to("text")
    for text in ("Hello, ", "你好👩‍👩‍👧 ", "two\nlines"):
        assert await bench.way.can(target)
        place = await bench.desk.read_back.place(target)
        assert place is not None
        await bench.way.insert(target, text)
        assert await bench.desk.read_back.arrived(place, text)

    assert bench.desk.shows("text") == "Hello, 你好👩‍👩‍👧 two\nlines"


@pytest.mark.parametrize("field", ["password", "button"])
async def test_no_way_leads_into_passwords_and_buttons(bench: Bench, field: str) -> None:
    assert not await bench.way.can(await bench.desk.to(field))


async def test_it_can_be_stopped_and_started_again(bench: Bench) -> None:
    target = await bench.desk.to("text")
    for _ in range(2):
        await bench.way.stop()
        await bench.way.stop()
        await bench.way.start()
    await bench.way.insert(target, "again")

    until(lambda: bench.desk.shows("text") == "again", "the text")


async def test_it_has_a_name_of_its_own(bench: Bench) -> None:
    assert bench.way.name in KINDS


async def test_without_a_desktop_there_is_no_way() -> None:
    way = NullWay()
    async with in_memory() as desk:
        target = await desk.to("text")

    await way.start()
    assert not await way.can(target)
    with pytest.raises(InsertionFailed):
        await way.insert(target, "hello")
    await way.stop()
