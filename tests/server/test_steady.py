"""The server stays up, answers and forgets, whatever its clients and its engine do."""

import asyncio
import gc
import random
import threading
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Self

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.fakes import EchoEngine, EchoUtterance, LevelStream, loud, silent
from tests.server.running import SPEECH, TOKEN, Talk, hello, running_server
from tests.server.test_bad_input import dictates_well, error_of
from tests.server.test_dictation import SENTENCE, speak
from voice_ime import protocol as wire
from voice_ime.engine.base import Hypothesis, Options
from voice_ime.engine.listener import Listener
from voice_ime.engine.script import ScriptEngine
from voice_ime.server.stream import Stream
from voice_ime.session import Session
from voice_ime.settings import EngineSettings, ScriptSettings, Settings

OF_ONE_SESSION = (Stream, Session, Listener, LevelStream, EchoUtterance, wire.Final, wire.Hello)
ONE_WORKER = Settings(speech=SPEECH, engine=EngineSettings(workers=1))


class StuckEngine(EchoEngine):
    """Decodes for as long as it is entered."""

    def __enter__(self) -> Self:
        self.decoding, self.free = threading.Event(), threading.Event()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.free.set()

    def begin(self, options: Options) -> EchoUtterance:
        return _StuckUtterance(self)


class _StuckUtterance(EchoUtterance):
    def __init__(self, engine: StuckEngine) -> None:
        super().__init__()
        self._engine = engine

    def finish(self) -> Hypothesis:
        self._engine.decoding.set()
        self._engine.free.wait(20)
        return super().finish()


async def test_the_connection_answers_while_a_long_decoding_runs() -> None:
    engine = StuckEngine()
    async with running_server(engine, configured=ONE_WORKER) as server, server.session(partials=False) as talk:
        with engine:
            await speak(talk, SENTENCE)
            assert await asyncio.to_thread(engine.decoding.wait, 20)
            async with asyncio.timeout(20):
                await (await talk.websocket.ping())
                async with server.connection() as other:
                    await other.say(hello(session="another-session"))
                    await other.hear(wire.Ready)
        assert (await talk.hear(wire.Final)).text.endswith("16384 loud")


async def test_fifty_utterances_all_become_text_however_slow_the_engine() -> None:
    count = 50
    lines = tuple(f"Line {number}." for number in range(count))
    engine = ScriptEngine(ScriptSettings(lines=lines, decode_s=0.02))
    async with running_server(engine, configured=ONE_WORKER) as server, server.session(partials=False) as talk:
        end = await speak(talk, np.concatenate([loud(0.5), silent(0.8)] * count))
        await talk.say(wire.Finalize(sample=end))
        assert [(await talk.hear(wire.Final)).text for _ in range(count)] == list(lines)
        assert (await talk.hear(wire.Finalized)).sample == end


async def test_without_endpoints_nothing_is_final_before_the_release() -> None:
    async with running_server() as server, server.session(endpoints=False, partials=False) as talk:
        end = await speak(talk, np.concatenate([SENTENCE, silent(3), SENTENCE]))
        await talk.say(wire.Finalize(sample=end))
        final = await talk.hear(wire.Final)
        assert (final.reason, final.text.split()[2]) == ("finalize", str(2 * 16384))
        assert (await talk.hear(wire.Finalized)).sample == end


@pytest.mark.parametrize("field", ["model", "engine", "config", "hotwords"])
async def test_a_client_cannot_choose_files_of_the_server(field: str) -> None:
    async with running_server() as server, server.connection() as talk:
        await talk.say(hello().model_dump() | {field: "/etc/passwd"})
        assert (await error_of(talk)).code == "bad_message"
        assert await talk.closed() == 1002


async def test_compressed_messages_are_never_agreed_on_so_that_nothing_small_unpacks_to_something_huge() -> None:
    async with running_server() as server:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with connect(server.address.url, additional_headers=headers, proxy=None, compression="deflate") as raw:
            assert raw.response is not None
            assert "Sec-WebSocket-Extensions" not in raw.response.headers


@pytest.mark.parametrize("seed", range(5))
async def test_nonsense_of_any_kind_disturbs_nobody(seed: int) -> None:
    chance = random.Random(seed)
    async with running_server() as server:
        for _ in range(20):
            async with server.connection() as talk:
                with suppress(ConnectionClosed):
                    if chance.random() < 0.7:
                        await talk.say(hello(session=f"nonsense-{chance.getrandbits(40)}"))
                    for _ in range(chance.randrange(10)):
                        await talk.say(nonsense(chance))
                if chance.random() < 0.5:
                    talk.websocket.transport.abort()
        assert await dictates_well(server)


def nonsense(chance: random.Random) -> str | bytes:
    noise = chance.randbytes(chance.randrange(2000))
    names = ["hello", "finalize", "cancel", "context", "correction", "kept", "bye", "ready", ""]
    number = chance.choice([-1, 0, 1, 1 << 52, 1 << 60, 1 << 70])
    things: list[str | bytes] = [
        noise,
        b"\0" * 8 + noise,
        noise.decode("latin-1"),
        f'{{"type": "{chance.choice(names)}", "sample": {number}, "start": 0, "utterance": "u{number}"}}',
        "{" * chance.randrange(500),
    ]
    return chance.choice(things)


async def test_a_client_gone_in_the_middle_of_a_frame_disturbs_nobody() -> None:
    async with running_server() as server:
        async with server.session() as talk:
            talk.websocket.transport.write(b"\x82\xfe\x40\x00" + b"\0" * 500)  # the beginning of 16 KB of sound
            talk.websocket.transport.abort()
        assert await dictates_well(server)


async def test_a_hundred_sessions_that_are_over_leave_nothing_behind() -> None:
    before = of_sessions()
    async with running_server() as server:
        for number in range(100):
            async with server.session(session=f"session-{number}") as talk:
                await says_a_sentence_and_leaves(talk)
        async with asyncio.timeout(20):
            while True:
                if not of_sessions() - before:
                    break
                await asyncio.sleep(0.01)  # a thread may still be on its way out of the last piece of work


async def says_a_sentence_and_leaves(talk: Talk) -> None:
    await speak(talk, SENTENCE)
    await talk.hear(wire.Final)
    await talk.say(wire.Bye())
    await talk.closed()


def of_sessions() -> Counter[str]:
    """How many objects there are of which each session has its own."""
    gc.collect()
    return Counter(kind.__name__ for thing in gc.get_objects() if (kind := type(thing)) in OF_ONE_SESSION)
