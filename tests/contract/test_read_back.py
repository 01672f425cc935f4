"""What everything that reads fields back must keep."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from voice_ime_desktop.insert.anchors import Stretch
from voice_ime_desktop.insert.base import FieldEvent, Place, Swap
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


async def test_a_word_is_exchanged_where_it_stands_and_the_caret_stays_with_its_neighbours(desk: Desk) -> None:
    await put(desk, "keep 😀 ")
    place = await put(desk, "ring kowalsky now")

    assert await desk.read_back.swap(place, "ring kowalsky now", Swap(5, 13, "Kowalski-Baird")) == "done"
    assert desk.shows("text") == "keep 😀 ring Kowalski-Baird now"
    assert await desk.read_back.arrived(place, "ring Kowalski-Baird now")


async def test_the_last_word_is_exchanged_in_front_of_the_caret(desk: Desk) -> None:
    place = await put(desk, "ring 章三")

    assert await desk.read_back.swap(place, "ring 章三", Swap(5, 7, "张三")) == "done"
    assert desk.shows("text") == "ring 张三"
    assert await desk.read_back.arrived(place, "ring 张三")


async def test_a_letter_is_put_in_and_taken_out(desk: Desk) -> None:
    place = await put(desk, "go to")

    assert await desk.read_back.swap(place, "go to", Swap(4, 4, "o")) == "done"
    assert await desk.read_back.swap(place, "go too", Swap(4, 5, "")) == "done"
    assert desk.shows("text") == "go to"


async def test_in_a_text_that_stands_elsewhere_or_is_another_nothing_is_exchanged(desk: Desk) -> None:
    place = await put(desk, "hello")

    assert await desk.read_back.swap(replace(place, start=1), "hello", Swap(0, 1, "j")) == "untouched"
    assert await desk.read_back.swap(place, "hullo", Swap(0, 1, "j")) == "untouched"
    assert await desk.read_back.swap(place, "", Swap(0, 0, "j")) == "untouched"
    assert desk.shows("text") == "hello"


@pytest.mark.parametrize("field", ["password", "button"])
async def test_passwords_and_buttons_are_not_read(desk: Desk, field: str) -> None:
    target = await desk.to(field)

    assert await desk.read_back.place(target) is None
    assert not await desk.read_back.remove(Place(target, 0), "hello")
    assert await desk.read_back.swap(Place(target, 0), "hello", Swap(0, 1, "j")) == "untouched"
    assert await desk.read_back.stretch(target, 0, 100) is None


@pytest.mark.parametrize(
    ("start", "end", "stretch"),
    [
        (0, 100, Stretch(0, "one 😀 two", 9)),
        (-5, 3, Stretch(0, "one", 9)),
        (4, 7, Stretch(4, "😀 t", 9)),
        (8, 8, Stretch(8, "", 9)),
        (50, 60, Stretch(50, "", 9)),
    ],
)
async def test_a_part_of_a_field_is_read(desk: Desk, start: int, end: int, stretch: Stretch) -> None:
    place = await put(desk, "one 😀 two")

    assert await desk.read_back.stretch(place.target, start, end) == stretch


async def test_a_change_of_a_watched_field_is_told_and_that_it_is_left(desk: Desk) -> None:
    place = await put(desk, "hello")
    events: asyncio.Queue[FieldEvent] = asyncio.Queue()
    stop = desk.read_back.watch(place.target, events.put_nowait)
    await put(desk, " world")
    await came(events, FieldEvent.CHANGED)
    await desk.to("line")
    await came(events, FieldEvent.LEFT)
    stop()


async def test_nothing_is_told_of_a_field_that_is_watched_no_more(desk: Desk) -> None:
    place = await put(desk, "hello")
    events: list[FieldEvent] = []
    desk.read_back.watch(place.target, events.append)()
    await put(desk, " world")
    await desk.to("line")

    assert events == []


async def came(events: "asyncio.Queue[FieldEvent]", event: FieldEvent) -> None:
    async with asyncio.timeout(20):
        while await events.get() is not event:
            pass


async def test_without_a_desktop_nothing_can_be_read() -> None:
    read_back = NullReadBack()
    async with in_memory() as desk:
        place = await put(desk, "hello")

    assert await read_back.place(place.target) is None
    assert not await read_back.arrived(place, "hello")
    assert not await read_back.remove(place, "hello")
    assert await read_back.swap(place, "hello", Swap(0, 1, "j")) == "untouched"
    assert await read_back.stretch(place.target, 0, 5) is None
    read_back.watch(place.target, lambda _: None)()
