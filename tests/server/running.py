"""A real server on loopback inside the test, and a client that says exactly what it is told to say."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import fastapi.dependencies.models
from websockets.asyncio.client import ClientConnection, connect

from tests.fakes import EchoEngine, LevelDetector
from voice_ime import protocol as wire
from voice_ime.client import Address
from voice_ime.engine.base import Engine
from voice_ime.engine.listener import Detector
from voice_ime.server.app import create_app
from voice_ime.server.run import ReadyServer, uvicorn_config
from voice_ime.settings import ServerSettings, Settings, SpeechSettings
from voice_ime.store.base import Store

TOKEN = "the-right-token"
M = TypeVar("M")
SPEECH = SpeechSettings(partial_every_s=0.5, endpoint_delay_s=0.512)


def settings(**server: Any) -> Settings:
    return Settings(speech=SPEECH, server=ServerSettings(**server))


@dataclass(frozen=True)
class Running:
    port: int

    @property
    def address(self) -> Address:
        return Address(f"ws://127.0.0.1:{self.port}{wire.PATH}", TOKEN)

    @asynccontextmanager
    async def connection(self, **headers: str) -> AsyncIterator["Talk"]:
        """A connection that has not yet said hello."""
        all_headers = {"Authorization": f"Bearer {TOKEN}"} | headers
        async with connect(
            self.address.url, additional_headers=all_headers, proxy=None, compression=None, max_size=None
        ) as websocket:
            yield Talk(websocket)

    @asynccontextmanager
    async def session(self, **fields: Any) -> AsyncIterator["Talk"]:
        """A connection that has said hello and heard `ready`."""
        async with self.connection() as talk:
            await talk.say(hello(**fields))
            await talk.hear(wire.Ready)
            yield talk


def hello(**fields: Any) -> wire.Hello:
    return wire.Hello(**({"version": wire.VERSION, "session": "session-1"} | fields))


class Talk:
    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket

    async def say(self, what: wire.ClientMessage | wire.AudioFrame | Mapping[str, Any] | str | bytes) -> None:
        if isinstance(what, wire.AudioFrame):
            what = wire.write_audio(what)
        elif isinstance(what, Mapping):
            what = json.dumps(what)
        elif not isinstance(what, str | bytes):
            what = what.model_dump_json()
        await self.websocket.send(what)

    async def hear(self, kind: type[M]) -> M:
        """The next message of this kind; others are passed over, but never an error."""
        async with asyncio.timeout(20):
            while True:
                message = wire.read_server_message(await self.websocket.recv())
                if isinstance(message, kind):
                    return message
                assert not isinstance(message, wire.Error), message

    async def closed(self) -> int | None:
        """Waits until the server has closed; the code."""
        async with asyncio.timeout(20):
            await self.websocket.wait_closed()
        return self.websocket.close_code


@asynccontextmanager
async def running_server(
    engine: Engine | None = None,
    detector: Detector | None = None,
    *,
    configured: Settings | None = None,
    port: int = 0,
    store: Store | None = None,
) -> AsyncIterator[Running]:
    configured = configured or settings()
    app = create_app(configured, engine or EchoEngine(), detector or LevelDetector(), TOKEN, store)
    listening = socket.create_server(("127.0.0.1", port))
    config = uvicorn_config(app, configured.server)
    config.timeout_graceful_shutdown = 1
    ready = asyncio.Event()
    server = ReadyServer(config, ready.set)
    serving = asyncio.create_task(server._serve(sockets=[listening]))
    try:
        async with asyncio.timeout(10):
            await ready.wait()
        yield Running(listening.getsockname()[1])
    finally:
        server.should_exit = True
        await serving
        listening.close()
        _forget_apps()


def _forget_apps() -> None:
    """FastAPI remembers the functions of its apps, and so the apps with all that they hold."""
    for each in vars(fastapi.dependencies.models).values():
        if clear := getattr(each, "cache_clear", None):
            clear()
