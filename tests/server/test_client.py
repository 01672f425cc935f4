"""What the client of the wire tells of what a server says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve

from voice_ime import protocol as wire
from voice_ime.client import Address, ClientOptions, Connected, DictationClient
from voice_ime.errors import AudioGap, AudioOverlap
from voice_ime.server.dictate import explain

EXAMPLES = Path(__file__).parents[1] / "protocol" / "examples"
READY = wire.read_server_message((EXAMPLES / "ready.json").read_bytes())


@asynccontextmanager
async def client_of(*said: wire.ServerMessage) -> AsyncIterator[DictationClient]:
    """A client whose server greets it and says these things."""

    async def talk(connection: ServerConnection) -> None:
        await connection.recv()
        for message in said:
            await connection.send(message.model_dump_json())
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]

        async def address() -> Address:
            return Address(f"ws://{host}:{port}", "token")

        client = DictationClient(address, ClientOptions())
        running = asyncio.create_task(client.run())
        yield client
        await client.close()
        await running


async def test_sound_that_was_missing_or_came_twice_is_put_right_and_not_told() -> None:
    missing = explain(AudioGap(expected=0, got=320), "en")
    twice = explain(AudioOverlap(expected=320, got=0), "en")
    async with client_of(READY, missing, twice, wire.Finalized(sample=320)) as client, asyncio.timeout(10):
        events = client.events()
        assert isinstance(await anext(events), Connected)
        assert await anext(events) == wire.Finalized(sample=320)
