"""What a person changes in the text inserted last is reported, once, when the change is finished."""

import asyncio
from dataclasses import dataclass, field

import pytest
from voice_ime_desktop.edits import LONGEST, Edits
from voice_ime_desktop.focus.base import Kind
from voice_ime_desktop.focus.recording import FakeDesk, FakeField
from voice_ime_desktop.insert.base import Place
from voice_ime_desktop.insert.null import NullReadBack
from voice_ime_desktop.insert.recording import RecordingReadBack

from voice_ime.protocol import Correction

LONG_S = 1000.0
"""No test waits for it."""


@dataclass
class Scene:
    """A field in which a text is inserted, and what is reported of it."""

    desk: FakeDesk = field(default_factory=FakeDesk)
    reported: "asyncio.Queue[Correction]" = field(default_factory=asyncio.Queue)
    finished_s: float = LONG_S

    def __post_init__(self) -> None:
        self.read_back = RecordingReadBack(self.desk)
        self.edits = Edits(self.read_back, self.reported.put_nowait, finished_s=self.finished_s)
        self.edits.start(self.look_soon)
        self.looks: list[asyncio.Task[None]] = []
        self.other = self.desk.add("other")

    def look_soon(self) -> None:
        self.looks.append(asyncio.get_running_loop().create_task(self.edits.look()))

    def field(self, text: str = "", kind: Kind = Kind.TEXT) -> FakeField:
        one = self.desk.add("editor", kind)
        one.text, one.caret = text, len(text)
        self.desk.focus_on(one)
        return one

    async def insert(self, one: FakeField, text: str, utterance: str = "u1") -> None:
        place = Place(one.target, one.caret)
        one.type(text)
        await self.edits.inserted(utterance, text, place)

    async def leave(self) -> None:
        self.desk.focus_on(self.other)
        await self.edits.look()

    async def report(self) -> Correction:
        async with asyncio.timeout(10):
            return await self.reported.get()

    @property
    def nothing(self) -> bool:
        return self.reported.empty()


def correction(heard: str, meant: str, utterance: str = "u1") -> Correction:
    return Correction(utterance=utterance, heard=heard, meant=meant, how="edit")


async def test_a_change_is_reported_when_the_field_is_left() -> None:
    scene = Scene()
    editor = scene.field("Please")
    await scene.insert(editor, " ring kowalsky now")
    editor.edit("Please ring Kowalski now")
    assert scene.nothing
    scene.desk.focus_on(scene.other)
    assert await scene.report() == correction("ring kowalsky now", "ring Kowalski now")


async def test_a_change_is_reported_when_the_person_begins_to_talk_again() -> None:
    scene = Scene()
    editor = scene.field()
    await scene.insert(editor, "ring kowalsky now")
    editor.edit("ring Kowalski now")
    await scene.edits.look()
    assert await scene.report() == correction("ring kowalsky now", "ring Kowalski now")


async def test_a_change_is_reported_when_nothing_more_has_changed_for_a_while() -> None:
    scene = Scene(finished_s=0.01)
    editor = scene.field()
    await scene.insert(editor, "ring kowalsky now")
    editor.edit("ring Kowalski now")
    assert await scene.report() == correction("ring kowalsky now", "ring Kowalski now")


async def test_each_insertion_is_reported_once() -> None:
    scene = Scene()
    editor = scene.field()
    await scene.insert(editor, "ring kowalsky now")
    editor.edit("ring Kowalski now")
    await scene.leave()
    editor.edit("ring Covalsky now")
    await scene.leave()
    assert await scene.report() == correction("ring kowalsky now", "ring Kowalski now")
    assert scene.nothing


async def test_a_text_that_is_not_changed_is_waited_for() -> None:
    scene = Scene()
    editor = scene.field()
    await scene.insert(editor, "ring kowalsky now")
    await scene.leave()
    scene.desk.focus_on(editor)
    assert scene.nothing
    editor.edit("ring Kowalski now")
    await scene.leave()
    assert await scene.report() == correction("ring kowalsky now", "ring Kowalski now")


@pytest.mark.parametrize("now", ["", "  ", "Please ", "Something else."])
async def test_a_text_that_is_gone_is_no_correction(now: str) -> None:
    scene = Scene()
    editor = scene.field("Please ")
    await scene.insert(editor, "ring kowalsky now")
    editor.edit(now)
    await scene.leave()
    assert scene.nothing


async def test_a_program_that_does_not_answer_ends_the_watch() -> None:
    scene = Scene()
    editor = scene.field()
    await scene.insert(editor, "ring kowalsky now")
    editor.edit("ring Kowalski now")
    scene.read_back.mute = True
    await scene.leave()
    scene.read_back.mute = False
    await scene.leave()
    assert scene.nothing


async def test_only_the_last_insertion_is_watched() -> None:
    scene = Scene()
    editor = scene.field()
    await scene.insert(editor, "ring kowalsky now. ", "u1")
    await scene.insert(editor, "and covalsky", "u2")
    editor.edit("ring Kowalski now. and Kowalski")
    await scene.leave()
    assert scene.nothing  # what stood before the second was changed, too: it is not found for certain
    await scene.insert(editor, "and covalsky", "u3")
    editor.edit(editor.text.removesuffix("covalsky") + "Kowalski")
    await scene.leave()
    assert await scene.report() == correction("and covalsky", "and Kowalski", "u3")


@pytest.mark.parametrize("kind", [Kind.TERMINAL, Kind.PASSWORD, Kind.UNKNOWN])
async def test_terminals_and_passwords_are_not_read(kind: Kind) -> None:
    scene = Scene()
    editor = scene.field(kind=kind)
    await scene.insert(editor, "ring kowalsky now")
    editor.edit("ring Kowalski now")
    await scene.leave()
    assert scene.nothing


async def test_where_it_is_not_wanted_nothing_is_read_or_reported() -> None:
    scene = Scene()
    edits = Edits(NullReadBack(), scene.reported.put_nowait)
    editor = scene.field("ring kowalsky now")
    await edits.inserted("u1", "ring kowalsky now", Place(editor.target, 0))
    editor.edit("ring Kowalski now")
    await edits.look()
    assert scene.nothing


async def test_a_text_longer_than_the_server_takes_is_left() -> None:
    scene = Scene()
    editor = scene.field()
    await scene.insert(editor, "kowalsky " * LONGEST)
    editor.edit("Kowalski")
    await scene.leave()
    assert scene.nothing


async def test_what_is_forgotten_is_reported_no_more() -> None:
    scene = Scene()
    editor = scene.field()
    await scene.insert(editor, "ring kowalsky now")
    scene.edits.forget()
    editor.edit("ring Kowalski now")
    await scene.leave()
    assert scene.nothing


async def test_a_client_that_ends_reports_nothing_more() -> None:
    scene = Scene()
    editor = scene.field()
    await scene.insert(editor, "ring kowalsky now")
    editor.edit("ring Kowalski now")
    scene.edits.stop()
    await scene.leave()
    assert scene.nothing
