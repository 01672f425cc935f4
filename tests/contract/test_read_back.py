"""What everything that reads fields back must keep."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from voice_ime_desktop.insert.base import Place
from voice_ime_desktop.insert.null import NullReadBack

from tests.contract.desks import Desk, Open, in_memory, real


@pytest.fixture(params=[in_memory, real], ids=["in memory", "atspi"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    opened: Open = request.param
    async with opened() as desk:
        yield desk


async def put(desk: Desk, text: str) -> Place:
    """`text` at the caret of the field `text`; where it went."""
    target = await desk.to("text")
    place = await desk.read_back.place(target)
    assert place is not None
    way = desk.way("atspi")
    await way.start()
    await way.insert(target, text)
    await way.stop()
    return place


async def test_a_text_that_arrived_is_seen(desk: Desk) -> None:
    first = await put(desk, "👩‍👩‍👧 one ")
    assert await desk.read_back.arrived(first, "👩‍👩‍👧 one ")
    second = await put(desk, "two")

    assert (first.start, second.start) == (0, len("👩‍👩‍👧 one "))
    assert await desk.read_back.arrived(second, "two")


@pytest.mark.parametrize("other", ["hullo", "hell", "hello!"])
async def test_another_text_is_not_taken_for_it(desk: Desk, other: str) -> None:
    assert not await desk.read_back.arrived(await put(desk, "hello"), other)


async def test_an_equal_text_that_stood_there_before_is_not_taken_for_it(desk: Desk) -> None:
    first = await put(desk, "hello")
    await put(desk, "hello")

    assert not await desk.read_back.arrived(first, "hello")


async def test_a_text_is_removed_once(desk: Desk) -> None:
    await put(desk, "keep 😀 ")
    place = await put(desk, "drop")

    assert await desk.read_back.remove(place, "drop")
    assert desk.shows("text") == "keep 😀 "
    assert not await desk.read_back.remove(place, "drop")


async def test_a_text_that_stands_elsewhere_or_is_another_is_not_removed(desk: Desk) -> None:
    place = await put(desk, "hello")

    assert not await desk.read_back.remove(replace(place, start=1), "hello")
    assert not await desk.read_back.remove(place, "hullo")
    assert not await desk.read_back.remove(place, "")
    assert desk.shows("text") == "hello"


@pytest.mark.parametrize("field", ["password", "button"])
async def test_passwords_and_buttons_are_not_read(desk: Desk, field: str) -> None:
    target = await desk.to(field)

    assert await desk.read_back.place(target) is None
    assert not await desk.read_back.remove(Place(target, 0), "hello")


async def test_without_a_desktop_nothing_can_be_read() -> None:
    read_back = NullReadBack()
    async with in_memory() as desk:
        place = await put(desk, "hello")

    assert await read_back.place(place.target) is None
    assert not await read_back.arrived(place, "hello")
    assert not await read_back.remove(place, "hello")
