"""The armed microphone on a real sound service: a sound that begins before the key and ends after it comes whole."""

import array
import asyncio
import math
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from voice_ime_desktop.listening import Listening
from voice_ime_desktop.microphone import SAMPLE_RATE, Microphone, MiniaudioMicrophone, OnPcm, ParecMicrophone

from tests.audio.sound_service import SoundService, needs_sound_service
from tests.needs import needs_package

PATIENCE_S = 20.0
PRE_ROLL_S = 0.5
TAIL_S = 0.12
LOUD = 4000
"""A sample of the tone that was certainly not silence."""


def tone(seconds: float) -> bytes:
    size = round(seconds * SAMPLE_RATE)
    wave = (int(16_000 * math.sin(2 * math.pi * 400 * n / SAMPLE_RATE)) for n in range(size))
    return array.array("h", wave).tobytes()


class TappedMicrophone(Microphone):
    """Also tells the test when something loud was delivered, and keeps all of it."""

    def __init__(self, microphone: Microphone) -> None:
        self.delivered: list[bytes] = []
        self._microphone = microphone
        self._loop = asyncio.get_running_loop()
        self._loud = asyncio.Event()

    def start(self, on_pcm: OnPcm) -> None:
        def hear(block: bytes) -> None:
            self.delivered.append(block)
            on_pcm(block)
            if loud(block):
                self._loop.call_soon_threadsafe(self._loud.set)

        self._microphone.start(hear)

    def stop(self) -> None:
        self._microphone.stop()

    async def wait_for_a_loud_block(self) -> None:
        self._loud.clear()
        async with asyncio.timeout(PATIENCE_S):
            await self._loud.wait()


def loud(block: bytes) -> bool:
    return max(map(abs, array.array("h", block)), default=0) > LOUD


@pytest.fixture
def sound(tmp_path: Path) -> Iterator[SoundService]:
    needs_sound_service()
    service = SoundService(tmp_path)
    before = dict(os.environ)
    os.environ.update(service.environment)  # the C libraries of the sound service read it
    service.start()
    yield service
    service.kill()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(params=["miniaudio", "parec"])
async def microphone(request: pytest.FixtureRequest, sound: SoundService) -> AsyncIterator[TappedMicrophone]:
    if request.param == "miniaudio":
        needs_package("miniaudio")
    microphone = TappedMicrophone(MiniaudioMicrophone() if request.param == "miniaudio" else ParecMicrophone())
    yield microphone
    microphone.stop()


async def test_a_word_that_began_just_before_the_key_comes_whole_and_the_take_ends_with_its_tail(
    microphone: TappedMicrophone, sound: SoundService
) -> None:
    listening = Listening(microphone, PRE_ROLL_S, TAIL_S)
    listening.arm()
    taken: list[bytes] = []
    playing = asyncio.create_task(asyncio.to_thread(sound.play, tone(1.0)))
    await microphone.wait_for_a_loud_block()
    listening.begin(taken.append)
    pre_roll = b"".join(taken)
    await microphone.wait_for_a_loud_block()
    at_release = len(b"".join(taken))
    await listening.end()
    await playing
    listening.disarm()
    heard = b"".join(taken)
    assert len(pre_roll) <= PRE_ROLL_S * SAMPLE_RATE * 2
    assert loud(pre_roll)
    assert not loud(heard[:2])  # it begins with the silence before the word
    assert len(heard) - at_release >= TAIL_S * SAMPLE_RATE * 2
    assert heard in b"".join(microphone.delivered)


async def test_two_takes_share_nothing_and_lose_nothing(microphone: TappedMicrophone, sound: SoundService) -> None:
    listening = Listening(microphone, PRE_ROLL_S, TAIL_S)
    listening.arm()
    first: list[bytes] = []
    second: list[bytes] = []
    playing = asyncio.create_task(asyncio.to_thread(sound.play, tone(1.0)))
    await microphone.wait_for_a_loud_block()
    listening.begin(first.append)
    await listening.end()
    listening.begin(second.append)
    await microphone.wait_for_a_loud_block()
    await listening.end()
    await playing
    listening.disarm()
    assert first
    assert second
    assert b"".join([*first, *second]) in b"".join(microphone.delivered)
