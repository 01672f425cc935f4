"""Speech goes on while the engine is busy: nothing of it may be missed."""

import asyncio
import threading

import numpy as np

from tests.fakes import EchoEngine, EchoUtterance, LevelDetector, loud, silent
from voice_ime import protocol as wire
from voice_ime.audio import to_pcm16
from voice_ime.engine.base import Hypothesis, Options
from voice_ime.engine.listener import Listener
from voice_ime.engine.pool import Pool
from voice_ime.errors import VoiceImeError
from voice_ime.server.stream import Stream
from voice_ime.session import Session
from voice_ime.settings import SpeechSettings

UTTERANCES = 50
ONE = np.concatenate([loud(0.512), silent(1.024)])


class BusyEngine(EchoEngine):
    """Finishes nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def begin(self, options: Options) -> EchoUtterance:
        return BusyUtterance(self.may)


class BusyUtterance(EchoUtterance):
    def __init__(self, may: threading.Event) -> None:
        super().__init__()
        self._may = may

    def finish(self) -> Hypothesis:
        self._may.wait(30)
        return super().finish()


async def test_fifty_utterances_said_while_the_first_is_still_decoded_are_all_heard() -> None:
    engine, pool = BusyEngine(), Pool(1)
    session = Session(wire.Hello(version=1, session="session-1"), 100)
    listener = Listener(LevelDetector(), engine, Options(), SpeechSettings())
    finals: asyncio.Queue[wire.Final] = asyncio.Queue()
    stream = Stream(session, listener, pool, untold)
    stream.sink = lambda message: finals.put_nowait(message) if isinstance(message, wire.Final) else None
    working = asyncio.create_task(stream.run())
    for number in range(UTTERANCES):
        stream.put(session.audio(wire.AudioFrame(number * len(ONE), to_pcm16(ONE))))
        await asyncio.sleep(0)
    assert session.received == UTTERANCES * len(ONE)
    assert finals.empty()
    engine.may.set()
    async with asyncio.timeout(30):
        heard = [await finals.get() for _ in range(UTTERANCES)]
    working.cancel()
    pool.close()
    assert [final.end_sample // len(ONE) for final in heard] == list(range(UTTERANCES))


def untold(error: VoiceImeError, language: str) -> wire.Error:
    raise AssertionError(f"{error.code} in {language}")
