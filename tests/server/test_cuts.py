"""Nothing is lost or doubled when the connection is cut or the server starts anew: seeded moments, quick engines."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import numpy as np
import pytest

from tests.fakes import EchoEngine, LevelDetector, loud, silent
from tests.server.cutting import CuttableLine, cuttable_line
from tests.server.running import TOKEN, hello, running_server, settings
from voice_ime import protocol as wire
from voice_ime.audio import to_pcm16
from voice_ime.client import Address, ClientOptions, Connected, DictationClient, Disconnected
from voice_ime.server.app import create_app

SPOKEN = np.concatenate([piece for seconds in (0.5, 1.2, 0.3, 2.0, 0.8) for piece in (loud(seconds), silent(1.0))])
SAID = [f"{round(seconds * 16000)} loud" for seconds in (0.5, 1.2, 0.3, 2.0, 0.8)]


@asynccontextmanager
async def client_of(address: Callable[[], Awaitable[Address]]) -> AsyncIterator[DictationClient]:
    client = DictationClient(address, ClientOptions())
    running = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        await client.close()
        await running


def through(line: CuttableLine) -> Callable[[], Awaitable[Address]]:
    async def address() -> Address:
        return line.address(TOKEN)

    return address


async def dictate(client: DictationClient, at: Callable[[int], Awaitable[None]], *, release: bool = True) -> None:
    """Speaks frame by frame, ten times faster than real time; `at` is awaited before each."""
    for number, start in enumerate(range(0, len(SPOKEN), 320)):
        await at(number)
        client.send(to_pcm16(SPOKEN[start : start + 320]))
        await asyncio.sleep(0.002)
    if release:
        client.finalize()


async def finals_until_released(client: DictationClient) -> list[str]:
    heard: list[str] = []
    async with asyncio.timeout(30):
        async for event in client.events():
            match event:
                case wire.Final():
                    heard.append(event.text.split(", ")[1])
                    client.kept(event)
                case wire.Finalized() if event.sample == len(SPOKEN):
                    break
                case wire.Error():
                    raise AssertionError(event)
    return heard


@pytest.mark.parametrize("seed", range(10))
async def test_cuts_of_the_connection_lose_and_double_nothing(seed: int) -> None:
    moments = random.Random(seed).sample(range(len(SPOKEN) // 320), 3)
    async with running_server() as server, cuttable_line(server.port) as line, client_of(through(line)) as client:

        async def at(number: int) -> None:
            if number in moments:
                line.cut()

        speaking = asyncio.create_task(dictate(client, at))
        assert await finals_until_released(client) == SAID
        await speaking


@pytest.mark.parametrize("seed", range(10))
async def test_a_server_that_starts_anew_loses_and_doubles_nothing(seed: int) -> None:
    moments = random.Random(1000 + seed).sample(range(len(SPOKEN) // 320), 2)
    async with AsyncExitStack() as servers, cuttable_line(0) as line, client_of(through(line)) as client:
        line.target = (await servers.enter_async_context(running_server())).port

        async def at(number: int) -> None:
            if number in moments:
                line.cut()
                line.target = (await servers.enter_async_context(running_server())).port

        speaking = asyncio.create_task(dictate(client, at))
        assert await finals_until_released(client) == SAID
        await speaking


async def test_a_cut_between_final_and_acknowledgement_doubles_nothing() -> None:
    async with running_server() as server, cuttable_line(server.port) as line, client_of(through(line)) as client:

        async def never(number: int) -> None: ...

        speaking = asyncio.create_task(dictate(client, never))
        heard = []
        async with asyncio.timeout(30):
            async for event in client.events():
                if isinstance(event, wire.Final):
                    line.cut()
                    heard.append(event.text.split(", ")[1])
                    client.kept(event)
                if isinstance(event, wire.Finalized):
                    break
        await speaking
        assert heard == SAID


async def test_a_release_that_fell_into_the_cut_is_repeated() -> None:
    async with running_server() as server, cuttable_line(server.port) as line, client_of(through(line)) as client:

        async def before_the_end(number: int) -> None:
            if number == len(SPOKEN) // 320 - 1:
                line.cut()

        await dictate(client, before_the_end)
        assert await finals_until_released(client) == SAID


async def test_speech_before_the_first_connection_is_not_lost() -> None:
    async with running_server() as server:
        found = asyncio.Event()

        async def address() -> Address:
            await found.wait()
            return server.address

        async def never(number: int) -> None: ...

        async with client_of(address) as client:
            await dictate(client, never)
            found.set()
            assert await finals_until_released(client) == SAID


async def test_a_cancel_that_fell_into_the_cut_is_repeated() -> None:
    async with running_server() as server, cuttable_line(server.port) as line, client_of(through(line)) as client:

        async def never(number: int) -> None: ...

        client.send(to_pcm16(loud(1.0)))
        line.cut()
        client.send(to_pcm16(loud(1.0)))
        client.cancel()
        cancelled = client.position
        await dictate(client, never, release=False)
        end = client.finalize()
        heard = []
        async with asyncio.timeout(30):
            async for event in client.events():
                if isinstance(event, wire.Final):
                    assert event.start_sample >= cancelled
                    heard.append(event.text.split(", ")[1])
                if isinstance(event, wire.Finalized) and event.sample == end:
                    break
        assert heard == SAID


@pytest.mark.parametrize("anew", [False, True])
async def test_a_cancel_leaves_what_was_said_before_even_if_all_of_it_fell_into_a_cut(anew: bool) -> None:
    async with AsyncExitStack() as servers, cuttable_line(0) as line, client_of(through(line)) as client:
        line.target = (await servers.enter_async_context(running_server())).port

        async def never(number: int) -> None: ...

        client.send(to_pcm16(loud(0.7)))
        client.finalize()
        start = client.position
        line.cut()
        if anew:
            line.target = (await servers.enter_async_context(running_server())).port
        client.send(to_pcm16(loud(1.0)))
        client.cancel(start)
        await dictate(client, never, release=False)
        end = client.finalize()
        heard = []
        async with asyncio.timeout(30):
            async for event in client.events():
                if isinstance(event, wire.Final):
                    heard.append(event.text.split(", ")[1])
                if isinstance(event, wire.Finalized) and event.sample == end:
                    break
        assert heard == ["11200 loud", *SAID]


async def test_a_correction_that_fell_into_the_cut_is_repeated() -> None:
    async with running_server() as server, cuttable_line(server.port) as line, client_of(through(line)) as client:
        line.cut()
        client.correct(wire.Correction(utterance="u0", heard="Cowalsky", meant="Kowalski"))
        async with asyncio.timeout(30):
            async for event in client.events():
                if isinstance(event, wire.CorrectionTaken):
                    break
        assert event == wire.CorrectionTaken(utterance="u0", kept=False)


async def test_a_cut_and_the_way_back_are_told_once_each() -> None:
    async with running_server() as server, cuttable_line(server.port) as line, client_of(through(line)) as client:
        told: list[str] = []
        async with asyncio.timeout(30):
            async for event in client.events():
                match event:
                    case Connected(again=False):
                        told.append("connected")
                        line.cut()
                    case Disconnected():
                        told.append("disconnected")
                    case Connected(again=True):
                        told.append("connected again")
                        break
        assert told == ["connected", "disconnected", "connected again"]


async def test_joining_goes_on_where_it_was_after_the_server_started_anew() -> None:
    async with AsyncExitStack() as servers, cuttable_line(0) as line, client_of(through(line)) as client:
        line.target = (await servers.enter_async_context(running_server())).port
        client.context(wire.Context(before="We said"))
        inserted: list[str] = []
        client.send(to_pcm16(SPOKEN[: 16000 * 2]))
        async with asyncio.timeout(30):
            async for event in client.events():
                if isinstance(event, wire.Final):
                    inserted += [edit.text for edit in event.edits]
                    client.kept(event)
                    if len(inserted) == 2:
                        break
                    line.cut()
                    line.target = (await servers.enter_async_context(running_server())).port
                    client.send(to_pcm16(SPOKEN[16000 * 2 : 16000 * 5]))
        assert [text[0] for text in inserted] == [" ", " "]


async def test_a_line_that_breaks_while_we_speak_is_no_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(settings(), EchoEngine(), LevelDetector(), TOKEN)
    told = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": hello().model_dump_json()}])

    async def receive() -> MutableMapping[str, Any]:
        if (event := next(told, None)) is not None:
            return event
        return await asyncio.Future()

    async def send(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "websocket.send":
            raise ConnectionResetError

    headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {"type": "websocket", "path": wire.PATH, "headers": headers, "query_string": b"", "subprotocols": []}
    async with asyncio.timeout(20):
        async with app.router.lifespan_context(app):
            await app(scope, receive, send)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
