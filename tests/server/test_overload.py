"""More speakers than the machine can serve: those who are served do not suffer, the others are told."""

import asyncio
import json
import urllib.error
import urllib.request
from contextlib import AsyncExitStack
from typing import Any

from tests.fakes import loud
from tests.server.running import SPEECH, Running, Talk, hello, running_server
from tests.server.test_bad_input import error_of
from tests.server.test_dictation import SENTENCE, speak
from voice_ime import protocol as wire
from voice_ime.engine.script import ScriptEngine
from voice_ime.settings import EngineSettings, ScriptSettings, ServerSettings, Settings

SLOW = ScriptSettings(lines=("One two three.",), decode_s=0.2)
SERVER = ServerSettings(max_busy=0.5, max_wait_s=0.02)
OVERLOADED = Settings(engine=EngineSettings(workers=1, script=SLOW), speech=SPEECH, server=SERVER)
SPEAKERS = 6


async def a_sentence(talk: Talk, offset: int) -> int:
    """Says a sentence and waits for its text; the sample after it."""
    end = await speak(talk, SENTENCE, offset)
    final = await talk.hear(wire.Final)
    await talk.say(wire.Kept(utterance=final.utterance))
    return end


async def talks_on(talk: Talk) -> None:
    offset = 0
    while True:
        offset = await a_sentence(talk, offset)


async def readiness(server: Running) -> tuple[int, dict[str, Any]]:
    def ask() -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    return await asyncio.to_thread(ask)


async def until_busy(server: Running) -> dict[str, Any]:
    return await until_status(server, 503)


async def until_status(server: Running, status: int) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            now, body = await readiness(server)
            if now == status:
                return body
            await asyncio.sleep(0.05)


async def until_ready(server: Running) -> None:
    await until_status(server, 200)


async def test_a_server_kept_busy_refuses_new_speakers_and_serves_the_others_on() -> None:
    engine = ScriptEngine(SLOW)
    async with running_server(engine, configured=OVERLOADED) as server, AsyncExitStack() as stack:
        talks = [
            await stack.enter_async_context(server.session(session=f"speaker-{number}", partials=False))
            for number in range(SPEAKERS)
        ]
        talking = [asyncio.create_task(talks_on(talk)) for talk in talks[:-1]]
        body = await until_busy(server)
        assert (body["ready"], body["free"], body["sessions"]) == (False, 0, SPEAKERS)

        async with server.connection() as late:
            await late.say(hello(session="too-late-for-it"))
            error = await error_of(late)
            assert (error.code, error.fatal) == ("server_busy", True)
            assert await late.closed() == 1013

        await a_sentence(talks[-1], 0)
        for each in talking:
            each.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*talking, return_exceptions=True)
        )


async def test_of_many_who_come_at_once_some_are_taken_and_the_others_when_it_is_known_what_those_cost() -> None:
    configured = Settings(speech=SPEECH, server=ServerSettings(max_new_sessions=2))
    async with running_server(configured=configured) as server, AsyncExitStack() as stack:
        for number in range(2):
            await stack.enter_async_context(server.session(session=f"speaker-{number}"))
        status, body = await readiness(server)
        assert (status, body["free"], body["load"]["busy"]) == (503, 0, 0)
        async with server.connection() as late:
            await late.say(hello(session="too-late-for-it"))
            assert (await error_of(late)).code == "server_busy"
        await until_ready(server)
        await stack.enter_async_context(server.session(session="too-late-for-it"))


async def test_a_session_that_was_cut_comes_back_to_a_busy_server() -> None:
    engine = ScriptEngine(SLOW)
    async with running_server(engine, configured=OVERLOADED) as server, AsyncExitStack() as stack:
        cut = await stack.enter_async_context(server.session(session="to-be-cut"))
        talks = [
            await stack.enter_async_context(server.session(session=f"speaker-{number}", partials=False))
            for number in range(SPEAKERS)
        ]
        talking = [asyncio.create_task(talks_on(talk)) for talk in talks]
        await until_busy(server)
        cut.websocket.transport.abort()
        async with server.connection() as again:
            await again.say(hello(session="to-be-cut"))
            assert (await again.hear(wire.Ready)).resumed
        for each in talking:
            each.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


async def test_whoever_is_alone_is_never_refused_however_slow_the_engine() -> None:
    never = SERVER.model_copy(update={"max_wait_s": 1e-9, "max_busy": 1e-9})
    async with running_server(configured=OVERLOADED.model_copy(update={"server": never})) as server:
        for number in range(3):
            async with server.session(session=f"speaker-{number}") as talk:
                await a_sentence(talk, 0)
                await talk.say(wire.Bye())
                await talk.closed()


async def test_partials_that_find_no_thread_are_reason_enough_to_take_nobody_further() -> None:
    engine = ScriptEngine(SLOW)
    sensitive = ServerSettings(max_left_out=0.2, max_busy=1, max_wait_s=60)
    configured = OVERLOADED.model_copy(update={"server": sensitive})
    async with running_server(engine, configured=configured) as server, AsyncExitStack() as stack:
        for number in range(SPEAKERS):
            talk = await stack.enter_async_context(server.session(session=f"speaker-{number}"))
            await speak(talk, loud(0.9))
        body = await until_busy(server)
        assert body["load"]["left_out"] > 0.2
        async with server.connection() as late:
            await late.say(hello(session="too-late-for-it"))
            assert (await error_of(late)).code == "server_busy"
