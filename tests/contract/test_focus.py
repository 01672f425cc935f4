"""What everything that knows the focus must keep."""

from collections.abc import AsyncIterator

import pytest
from voice_ime_desktop.focus.base import Surroundings
from voice_ime_desktop.focus.null import NullFocus

from tests.contract.desks import FIELDS, Desk, Open, in_memory, real


@pytest.fixture(params=[in_memory, real], ids=["in memory", "atspi"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    opened: Open = request.param
    async with opened() as desk:
        yield desk


async def test_the_same_object_is_known_again_and_others_are_not(desk: Desk) -> None:
    keys = {name: (await desk.to(name)).key for name in FIELDS}

    assert len(set(keys.values())) == len(FIELDS)
    assert (await desk.to("text")).key == keys["text"]


async def test_each_object_is_what_it_is(desk: Desk) -> None:
    targets = {name: await desk.to(name) for name in FIELDS}

    assert {name: target.kind for name, target in targets.items()} == FIELDS
    assert [name for name, target in targets.items() if target.multi_line] == ["text"]
    assert [name for name, target in targets.items() if target.readable] == ["text", "line"]
    assert [name for name, target in targets.items() if target.editable] == ["text", "line"]


async def test_nothing_may_go_into_passwords_and_buttons(desk: Desk) -> None:
    refusals = {name: await desk.focus.refusal(await desk.to(name)) for name in FIELDS}

    assert refusals == {"text": None, "line": None, "password": "password", "button": "no_text_field"}


async def test_text_around_the_caret_is_told_for_texts_only(desk: Desk) -> None:
    around = {name: await desk.focus.surroundings(await desk.to(name)) for name in FIELDS}

    empty = Surroundings("", "")
    assert around == {"text": empty, "line": empty, "password": None, "button": None}


async def test_an_end_before_the_end_is_nothing(desk: Desk) -> None:
    await desk.focus.stop()
    await desk.focus.stop()


async def test_without_a_desktop_nothing_has_the_focus() -> None:
    focus = NullFocus()
    async with in_memory() as desk:
        somewhere = await desk.to("text")

    await focus.start()
    assert await focus.target() is None
    assert await focus.refusal(somewhere) == "nothing_focused"
    assert await focus.surroundings(somewhere) is None
    await focus.stop()
