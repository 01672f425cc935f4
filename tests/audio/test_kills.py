"""Real sound through the real engine in a real server process that is killed or cut off: nothing is lost or doubled."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.needs import needs_package
from tests.server.cutting import CuttableLine, cuttable_line
from voice_ime import protocol as wire
from voice_ime.audio import read_blocks, to_pcm16
from voice_ime.client import Address, ClientOptions, DictationClient
from voice_ime.engine.store import sample_recording
from voice_ime.local_server import LocalServer, Patience, serve_command

needs_package("moonshine-voice")
needs_package("faster-whisper")

SECONDS = 17
FRAME = 1600
"""Samples sent at a time: sound comes about eight times faster than real time, so that the test is short."""
PAUSE_S = 0.0125

Said = tuple[int, int, str]
Moment = Callable[[int], Awaitable[None]]
"""Awaited before each frame."""
AfterFinal = Callable[[int], None]
"""Called between the arrival of a final and its acknowledgement, with the number of the final."""


@dataclass
class Scene:
    server: LocalServer
    line: CuttableLine

    async def address(self) -> Address:
        there = await self.server.address()
        self.line.target = int(there.url.split(":")[2].split("/")[0])
        return self.line.address(there.token)

    def kill(self) -> None:
        if self.server.process_id is not None:
            os.kill(self.server.process_id, signal.SIGKILL)


@asynccontextmanager
async def scene(*options: str) -> AsyncIterator[Scene]:
    server = LocalServer(serve_command(options), Patience(starts=20))
    running = asyncio.create_task(server.run())
    try:
        async with cuttable_line(0) as line:
            yield Scene(server, line)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def dictate(
    on: Scene, moment: Moment, after_final: AfterFinal, sound: bytes | None = None, language: str = "en"
) -> list[Said]:
    sound = sound or to_pcm16(np.concatenate(list(read_blocks(recording())))[: SECONDS * 16000])
    client = DictationClient(on.address, ClientOptions(language=language, partials=False))
    running = asyncio.create_task(client.run())
    speaking = asyncio.create_task(speak(client, sound, moment))
    heard: list[Said] = []
    try:
        async with asyncio.timeout(90):
            async for event in client.events():
                if isinstance(event, wire.Final):
                    after_final(len(heard))
                    heard.append((event.start_sample, event.end_sample, event.text))
                    client.kept(event)
                if isinstance(event, wire.Finalized):
                    break
    finally:
        await speaking
        await client.close()
        await running
    return heard


async def speak(client: DictationClient, sound: bytes, moment: Moment) -> None:
    for number, start in enumerate(range(0, len(sound), 2 * FRAME)):
        await moment(number)
        client.send(sound[start : start + 2 * FRAME])
        await asyncio.sleep(PAUSE_S)
    client.finalize()


def recording() -> Path:
    path = sample_recording()
    assert path is not None
    return path


async def undisturbed(number: int) -> None: ...


def nothing(number: int) -> None: ...


@pytest.fixture(scope="module")
def expected() -> list[Said]:
    """What is heard when nobody disturbs."""

    async def alone() -> list[Said]:
        async with scene() as on:
            return await dictate(on, undisturbed, nothing)

    heard = asyncio.run(alone())
    assert len(heard) >= 3
    return heard


def moments(seed: int) -> set[int]:
    return set(random.Random(seed).sample(range(2, SECONDS * 16000 // FRAME - 2), 1 + seed % 2))


@pytest.mark.parametrize("seed", range(10))
async def test_a_cut_connection_changes_nothing_in_what_is_heard(seed: int, expected: list[Said]) -> None:
    at = moments(seed)
    async with scene() as on:

        async def cut(number: int) -> None:
            if number in at:
                on.line.cut()

        assert await dictate(on, cut, nothing) == expected


@pytest.mark.parametrize("seed", range(10))
async def test_a_killed_server_changes_nothing_in_what_is_heard(seed: int, expected: list[Said]) -> None:
    at = moments(100 + seed)
    async with scene() as on:

        async def kill(number: int) -> None:
            if number in at:
                on.kill()

        assert await dictate(on, kill, nothing) == expected


@pytest.mark.parametrize("number", range(3))
async def test_a_server_killed_between_a_final_and_its_acknowledgement_doubles_nothing(
    number: int, expected: list[Said]
) -> None:
    async with scene() as on:
        assert await dictate(on, undisturbed, lambda final: on.kill() if final == number else None) == expected


@pytest.mark.parametrize("number", range(3))
async def test_a_connection_cut_between_a_final_and_its_acknowledgement_doubles_nothing(
    number: int, expected: list[Said]
) -> None:
    async with scene() as on:
        assert await dictate(on, undisturbed, lambda final: on.line.cut() if final == number else None) == expected
