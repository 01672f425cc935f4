"""Whatever becomes of the file of the words: dictation goes on, says once what is the matter, and leaves it alone."""

import asyncio
import json
import os
import random
import re
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes import loud
from tests.needs import needs_package
from tests.server.process import at_home, ended, first_line, on_a_full_disk, run, serving
from tests.server.running import Running, Talk, running_server
from tests.server.test_dictation import speak
from tests.server.test_profiles import Web
from voice_ime import protocol as wire
from voice_ime.engine.script import ScriptEngine
from voice_ime.personalize.profile import Rule, Source
from voice_ime.settings import ScriptSettings
from voice_ime.store.base import Author, Put

needs_package("sqlalchemy")
needs_package("alembic")

from voice_ime.store.sql import SqlStore  # noqa: E402

PERSON = Author(Source.PERSON, "test")
NOISE = random.Random(1).randbytes(8192)
WITHOUT = (
    "The file with your words and rules is damaged: {file}. Nothing was changed in it. "
    "Dictation goes on without your words and rules."
)


@dataclass
class Place:
    """A file with a rule of Ann, and a store over it."""

    file: Path
    store: SqlStore

    def damage(self) -> None:
        """As a crash of the machine leaves it, say."""
        self.store.close()
        self.file.write_bytes(NOISE)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    file = tmp_path / "profiles.sqlite"
    store = SqlStore(file)
    store.create("ann")
    store.apply("ann", [Put(Rule(id="r1", heard="ring", write="call"))], PERSON)
    yield Place(file, store)
    store.close()


@dataclass
class Speaker:
    talk: Talk
    end: int = 0
    said: list[wire.Error] = field(default_factory=list)
    """What the server complained of."""

    async def says(self) -> str:
        """The text of one utterance."""
        self.end = await speak(self.talk, loud(1), self.end)
        await self.talk.say(wire.Finalize(sample=self.end))
        async with asyncio.timeout(20):
            while not isinstance(message := wire.read_server_message(await self.talk.websocket.recv()), wire.Final):
                if isinstance(message, wire.Error):
                    self.said.append(message)
        await self.talk.say(wire.Kept(utterance=message.utterance))
        return message.text

    @property
    def codes(self) -> list[str]:
        return [error.code for error in self.said]


@asynccontextmanager
async def dictating(store: SqlStore) -> AsyncIterator[tuple[Running, Speaker]]:
    """Somebody dictates in the words of Ann."""
    engine = ScriptEngine(ScriptSettings(lines=("ring me",)))
    async with running_server(engine, store=store) as server, server.session(profile="ann", endpoints=False) as talk:
        yield server, Speaker(talk)


async def test_a_file_that_is_damaged_at_the_start_is_told_and_dictation_goes_on(place: Place) -> None:
    place.damage()
    async with dictating(place.store) as (_, ann):
        assert [await ann.says(), await ann.says()] == ["ring me", "ring me"]
    (error,) = ann.said
    assert error.code == "words_unread"
    assert not error.fatal
    assert error.message == WITHOUT.format(file=place.file)
    assert "voice-ime profile rescue" in error.remedy
    assert place.file.read_bytes() == NOISE


async def test_a_file_that_is_damaged_later_leaves_the_words_that_were_read(place: Place) -> None:
    async with dictating(place.store) as (_, ann):
        assert await ann.says() == "call me"
        place.damage()
        assert [await ann.says(), await ann.says()] == ["call me", "call me"]
    assert ann.codes == ["words_as_before"]
    assert place.file.read_bytes() == NOISE


async def test_a_profile_that_is_deleted_meanwhile_is_told_and_dictation_goes_on(place: Place) -> None:
    async with dictating(place.store) as (_, ann):
        assert await ann.says() == "call me"
        place.store.delete("ann", confirm="ann")
        assert [await ann.says(), await ann.says()] == ["ring me", "ring me"]
    assert ann.codes == ["words_unread"]


async def test_a_correction_that_cannot_be_kept_is_answered_so(place: Place) -> None:
    place.damage()
    async with dictating(place.store) as (_, ann):
        await ann.says()
        await ann.talk.say(wire.Correction(utterance="u0", heard="ring", meant="wring", how="voice"))
        assert (await ann.talk.hear(wire.Error)).code == "store_damaged"
        assert not (await ann.talk.hear(wire.CorrectionTaken)).kept
    assert place.file.read_bytes() == NOISE


async def test_over_http_damage_is_an_error_and_a_good_file_in_its_place_is_used_at_once(place: Place) -> None:
    place.store.close()
    good = place.file.read_bytes()
    place.damage()
    async with dictating(place.store) as (server, _):
        web = Web(server.port)
        for answer in (await web("GET", ""), await web("GET", "/ann"), await web("POST", "", {"name": "bob"})):
            assert (answer.status, answer.error) == (503, "store_damaged")
        place.file.write_bytes(good)
        assert (await web("GET", "/ann/rules")).body["count"] == 1


async def test_a_session_that_comes_back_is_told_once(place: Place) -> None:
    place.damage()
    async with running_server(store=place.store) as server:
        for expected in (wire.Error, wire.Finalized):
            async with server.session(profile="ann") as talk:
                await talk.say(wire.Finalize(sample=0))
                assert isinstance(wire.read_server_message(await talk.websocket.recv()), expected)


async def test_the_program_starts_with_a_damaged_file_and_takes_up_a_good_one(tmp_path: Path) -> None:
    home = at_home(tmp_path)
    await run("profile", "rule", "hello", "goodbye", environment=home)
    file = tmp_path / ".local" / "share" / "voice-ime" / "profiles.sqlite"
    good = file.read_bytes()
    os.truncate(file, 0)
    async with serving("--port", "0", "--attached", "--engine", "script", home=tmp_path, stdin=PIPE) as process:
        started = json.loads(await first_line(process))
        port = int(re.findall(r":(\d+)/", started["url"])[0])
        web = Web(port, started["token"])
        assert (await web("GET", "")).error == "store_damaged"
        file.write_bytes(good)
        assert [each["name"] for each in (await web("GET", "")).body["profiles"]] == ["default"]
        assert process.stdin is not None
        process.stdin.close()
        assert (await ended(process)).complaint == ""


async def test_a_full_disk_is_told_when_words_cannot_be_kept(tmp_path: Path) -> None:
    full = tmp_path / ".local" / "share"
    full.mkdir(parents=True)
    wrapper = await on_a_full_disk(full)
    end = await run("profile", "add", "Kowalski", environment=at_home(tmp_path), wrapper=wrapper)
    assert end.status == 6
    assert "the disk is full" in end.complaint
