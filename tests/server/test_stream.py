"""What a session costs while nobody speaks, and how soon it listens while somebody does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fakes import EchoEngine, LevelDetector, LevelStream, loud, silent
from tests.server.running import SPEECH, hello
from voice_ime.audio import to_pcm16
from voice_ime.engine.base import Options, Samples
from voice_ime.engine.listener import Listener
from voice_ime.engine.pool import Pool
from voice_ime.server.dictate import explain
from voice_ime.server.stream import Stream
from voice_ime.session import Session, Sound


class WatchedDetector(LevelDetector):
    """Tells how much sound it was given each time."""

    def __init__(self) -> None:
        self.given: asyncio.Queue[int] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def stream(self) -> LevelStream:
        return _WatchedStream(self)

    def note(self, samples: int) -> None:
        self._loop.call_soon_threadsafe(self.given.put_nowait, samples)


class _WatchedStream(LevelStream):
    def __init__(self, detector: WatchedDetector) -> None:
        super().__init__()
        self._detector = detector

    def probabilities(self, samples: Samples) -> list[float]:
        self._detector.note(len(samples))
        return super().probabilities(samples)


@asynccontextmanager
async def working_stream(detector: LevelDetector, *, endpoints: bool) -> AsyncIterator[Stream]:
    pool = Pool(1)
    listener = Listener(detector, EchoEngine(), Options(), SPEECH, endpoints=endpoints)
    stream = Stream(Session(hello(), 10), listener, pool, explain)
    working = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        pool.close()


async def given(detector: WatchedDetector) -> int:
    async with asyncio.timeout(20):
        return await detector.given.get()


def sound(samples: Samples) -> list[Sound]:
    return [Sound(to_pcm16(samples))]


async def test_long_silence_is_looked_at_a_few_times_a_second_and_speech_at_once() -> None:
    detector = WatchedDetector()
    async with working_stream(detector, endpoints=True) as stream:
        stream.put(sound(silent(2)))
        assert await given(detector) == 32000
        stream.put(sound(silent(10)))
        assert await given(detector) == 160_000
        for _ in range(13):
            stream.put(sound(silent(0.02)))
            await asyncio.sleep(0)  # lets the stream see that there is something
        assert await given(detector) == 13 * 320
        stream.put(sound(loud(1)))
        assert await given(detector) == 16000
        stream.put(sound(loud(0.04)))
        assert await given(detector) == 640


async def test_a_short_silence_is_looked_at_at_once() -> None:
    detector = WatchedDetector()
    async with working_stream(detector, endpoints=True) as stream:
        stream.put(sound(silent(0.04)))
        assert await given(detector) == 640


async def test_where_a_release_is_to_come_silence_is_always_looked_at_at_once() -> None:
    detector = WatchedDetector()
    async with working_stream(detector, endpoints=False) as stream:
        stream.put(sound(silent(10)))
        assert await given(detector) == 160_000
        stream.put(sound(silent(0.04)))
        assert await given(detector) == 640
