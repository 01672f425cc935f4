"""A line between client and server that can be cut like a cable: no goodbye, what is under way is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voice_ime import protocol as wire
from voice_ime.client import Address


class CuttableLine:
    def __init__(self, target: int) -> None:
        self.target = target
        """Port of the server; may change."""
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def address(self, token: str) -> Address:
        return Address(f"ws://127.0.0.1:{self.port}{wire.PATH}", token)

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, to_server[1]}
        for source, sink in ((reader, to_server[1]), (to_server[0], writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(4096):
                sink.write(data)
                await sink.drain()
        sink.transport.abort()


@asynccontextmanager
async def cuttable_line(target: int) -> AsyncIterator[CuttableLine]:
    line = CuttableLine(target)
    listening = await asyncio.start_server(line.connect, "127.0.0.1", 0)
    line.port = listening.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listening.close()
        await line.close()
