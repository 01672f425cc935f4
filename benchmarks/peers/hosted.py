"""A peer in a process of its own, seen from the benchmark (`live.Player`)."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence

from benchmarks.live import Played, Track, still_running
from benchmarks.peers.host import READY, read_played, write_tracks
from benchmarks.start import ROOT
from voice_ime.errors import ConfigError, MeasuredEnded

LONGEST_ANSWER = 1 << 28


class HostedPeer:
    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self._process = process

    async def play(self, tracks: Sequence[Track]) -> Played:
        assert self._process.stdin is not None
        with still_running(self.name):
            self._process.stdin.write(f"{write_tracks(tracks)}\n".encode())
            await self._process.stdin.drain()
        return read_played((await self.line()).decode())

    async def begin(self) -> None:
        """ConfigError where its model is of no use."""
        first = (await self.line()).decode().strip()
        if first != READY:
            raise ConfigError(**json.loads(first))

    async def line(self) -> bytes:
        """MeasuredEnded where the peer has ended; what it had to say stands on standard error."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise MeasuredEnded(name=self.name)
        return line


@contextlib.asynccontextmanager
async def hosted(name: str, model: str | None = None) -> AsyncIterator[HostedPeer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.peers.host", name, *([model] if model else []),
        cwd=ROOT, stdin=PIPE, stdout=PIPE, limit=LONGEST_ANSWER, start_new_session=True,
    )  # fmt: skip
    peer = HostedPeer(name, process)
    try:
        await peer.begin()
        yield peer
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
