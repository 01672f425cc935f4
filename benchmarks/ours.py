"""The product as it is used: its server as a process of its own, its client over the loopback."""

import asyncio
import contextlib
import json
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.live import BLOCK, BLOCK_S, Played, Said, Track, Usage, memory_mb, still_running
from voice_ime import protocol as wire
from voice_ime.audio import to_pcm16
from voice_ime.client import Address, ClientOptions, Connected, DictationClient
from voice_ime.engine.base import SAMPLE_RATE
from voice_ime.errors import VoiceImeError
from voice_ime.local_server import LocalServer, serve_command
from voice_ime.server import lateness
from voice_ime.settings import Settings

NAME = "voice-ime"
CONNECT_S = 10.0
ANSWER_S = 10.0
"""So long the last final is waited for."""
SILENT_S = 10.0
"""After so long nothing changes any more in silence."""
MANY = 256
"""Sessions that the server of a benchmark takes, unless its own judgement is earlier."""


class Ours:
    """Plays tracks to a running server, each over a connection of its own."""

    name = NAME

    def __init__(self, address: Address, process_id: int, language: str | None, *, lateness: bool = False) -> None:
        """`lateness`: the server tells how late its event loop is."""
        self.process_id = process_id
        self._address = address
        self._language = language
        self._lateness = lateness

    async def play(self, tracks: Sequence[Track]) -> Played:
        """MeasuredEnded where the server has ended."""
        with still_running(self.name):
            if not self._lateness or not all(track.paced for track in tracks):
                return await self._play(tracks)
            seconds = max(track.start_s + track.seconds for track in tracks)
            late, played = await asyncio.gather(asyncio.to_thread(self._loop_late_ms, seconds), self._play(tracks))
            return replace(played, loop_late_ms=late)

    async def _play(self, tracks: Sequence[Track]) -> Played:
        speakers = [_Speaker(self._address, track, self._language) for track in tracks]
        usage = Usage(self.process_id)
        begun = time.monotonic() + 0.2
        await asyncio.gather(*(speaker.run(begun + speaker.track.start_s) for speaker in speakers))
        peak, now = memory_mb(self.process_id)
        return Played(
            said=tuple(tuple(speaker.said) for speaker in speakers),
            sound_s=sum(speaker.sent_s for speaker in speakers),
            cpu_s=usage.cpu_s,
            peak_rss_mb=peak,
            rss_mb=now,
            late_s=max(speaker.late_s for speaker in speakers),
            refused=sum(not speaker.connected.is_set() for speaker in speakers),
            errors=tuple(code for speaker in speakers for code in speaker.errors),
        )

    async def silence(self, seconds: float) -> float:
        """The share of one core that a stream costs which has been silent for a while."""
        playing = asyncio.create_task(self._play([Track((), lead_s=SILENT_S + seconds)]))
        await asyncio.sleep(SILENT_S)
        usage = Usage(self.process_id)
        await playing
        return usage.cpu_s / seconds

    def _loop_late_ms(self, seconds: float) -> dict[str, float]:
        parts = urlsplit(self._address.url)
        url = f"http://{parts.netloc}{lateness.PATH}?seconds={seconds}"
        with urllib.request.urlopen(url, timeout=seconds + ANSWER_S) as answer:
            return dict(json.load(answer))


class _Speaker:
    """One track being spoken."""

    def __init__(self, address: Address, track: Track, language: str | None) -> None:
        async def where() -> Address:
            return address

        self.track = track
        self.said: list[Said] = []
        self.errors: list[str] = []
        self.sent_s = 0.0
        self.late_s = 0.0
        self.connected = asyncio.Event()
        self._began = 0.0
        self._finalized = asyncio.Event()
        self._client = DictationClient(where, ClientOptions(language=language, endpoints=not track.release))

    async def run(self, start: float) -> None:
        running = asyncio.create_task(self._run_client())
        listening = asyncio.create_task(self._listen())
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.connected.wait()
        except TimeoutError:
            pass
        else:
            await self._speak(start)
        await self._client.close()
        for task in (running, listening):
            task.cancel()
        await asyncio.gather(running, listening, return_exceptions=True)

    async def _run_client(self) -> None:
        try:
            await self._client.run()
        except VoiceImeError as error:
            self.errors.append(str(error.values.get("code", error.code)))

    async def _speak(self, start: float) -> None:
        pcm = to_pcm16(self.track.sound)
        self._began = max(start, time.monotonic())
        for number in range(len(pcm) // (2 * BLOCK)):
            if self.track.paced:
                await self._until(self._began + (number + 1) * BLOCK_S)
            self._client.send(pcm[2 * BLOCK * number : 2 * BLOCK * (number + 1)])
            self.sent_s += BLOCK_S
        released = self._now()
        self._client.finalize()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S + (0 if self.track.paced else self.sent_s)):
                await self._finalized.wait()
                if self.track.release:
                    self.said.append(Said("released", "", at_s=released))

    async def _until(self, due: float) -> None:
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        self.late_s = max(self.late_s, time.monotonic() - due)

    async def _listen(self) -> None:
        async for event in self._client.events():
            match event:
                case Connected():
                    self.connected.set()
                case wire.Partial():
                    self.said.append(
                        Said("partial", event.stable + event.unstable, self._now(), utterance=event.utterance)
                    )
                case wire.Final():
                    self.said.append(self._final(event))
                    self._client.kept(event)
                case wire.Finalized():
                    self._finalized.set()
                case wire.Error():
                    self.errors.append(event.code)

    def _final(self, final: wire.Final) -> Said:
        blocks = -(-final.decided_sample // BLOCK)
        return Said(
            "final",
            final.text,
            at_s=self._now(),
            utterance=final.utterance,
            needed_s=blocks * BLOCK_S,
            start_s=final.start_sample / SAMPLE_RATE,
            end_s=final.end_sample / SAMPLE_RATE,
            reason=final.reason,
            work_s=final.timings.final_s,
        )

    def _now(self) -> float:
        return time.monotonic() - self._began


@contextlib.asynccontextmanager
async def server(settings: Settings, language: str | None, *, admits_all: bool = True) -> AsyncIterator[Ours]:
    """A server with these settings, except for any free port and, if it `admits_all`, that it refuses nobody."""
    changes: dict[str, Any] = {"port": 0, "host": "127.0.0.1"}
    if admits_all:
        changes |= {"max_sessions": MANY, "max_new_sessions": MANY, "max_left_out": 1, "max_busy": 1, "max_wait_s": 60}
    limits = settings.server.model_copy(update=changes)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "settings.toml"
        tree = settings.model_copy(update={"server": limits}).model_dump(mode="json", exclude_none=True)
        file.write_text(toml(tree), "utf-8")
        local = LocalServer(serve_command(("--config", str(file))))
        running = asyncio.create_task(local.run())
        try:
            address = await local.address()
            assert local.process_id is not None
            yield Ours(address, local.process_id, language, lateness=limits.tell_lateness)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def toml(tree: Mapping[str, Any], prefix: str = "") -> str:
    """A settings tree as a TOML file: JSON's strings, numbers and lists of them are TOML's too."""
    tree = {json.dumps(name, ensure_ascii=False): value for name, value in tree.items()}
    own = [f"{name} = {json.dumps(value)}" for name, value in tree.items() if not isinstance(value, Mapping)]
    lines = [f"[{prefix}]" if prefix else "", *own]
    inner = [toml(value, f"{prefix}.{name}".lstrip(".")) for name, value in tree.items() if isinstance(value, Mapping)]
    return "\n".join([*lines, *inner])
