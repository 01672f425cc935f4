"""The armed microphone, to the sample: what is heard before the key, while it is down, and after it."""

import array
import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from voice_ime_desktop.listening import Listening
from voice_ime_desktop.microphone import SAMPLE_RATE, Microphone, OnPcm

from voice_ime.errors import MicrophoneAbsent

BLOCK = 320
PRE_ROLL_S = 0.5
TAIL_S = 0.12
PRE_ROLL = 8000
TAIL = 1920


class CountingMicrophone(Microphone):
    """Delivers sound whose samples are numbered, so that a test sees which of them arrived."""

    def __init__(self) -> None:
        self.broken = False
        self.spoken = 0
        """Samples so far."""
        self._on_pcm: OnPcm | None = None

    @property
    def open(self) -> bool:
        return self._on_pcm is not None

    def start(self, on_pcm: OnPcm) -> None:
        if self.broken:
            raise MicrophoneAbsent(missing="device")
        self._on_pcm = on_pcm

    def stop(self) -> None:
        self._on_pcm = None

    def speak(self, blocks: int = 1, samples: int = BLOCK) -> None:
        for _ in range(blocks):
            numbers = range(self.spoken, self.spoken + samples)
            self.spoken += samples
            if self._on_pcm is not None:
                self._on_pcm(array.array("h", (number - 32768 for number in numbers)).tobytes())

    async def speak_on_its_thread(self, blocks: int = 1) -> None:
        await asyncio.to_thread(self.speak, blocks)


class Heard:
    """Keeps what a take was given, as numbers of samples."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def __call__(self, piece: bytes) -> None:
        self.pieces.append(piece)

    @property
    def samples(self) -> list[int]:
        return [value + 32768 for value in array.array("h", b"".join(self.pieces))]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def whole(first: int, end: int) -> list[int]:
    return list(range(first, end))


async def turn() -> None:
    """Lets the event loop do what it was asked for."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
def microphone() -> CountingMicrophone:
    return CountingMicrophone()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def listening(microphone: CountingMicrophone, clock: Clock) -> AsyncIterator[Listening]:
    listening = Listening(microphone, PRE_ROLL_S, TAIL_S, patience_s=60, clock=clock)
    listening.arm()
    yield listening
    listening.disarm()


async def ended(listening: Listening) -> "asyncio.Task[None]":
    """The key has gone up: the tail is on its way."""
    ending = asyncio.create_task(listening.end())
    await turn()
    return ending


async def test_a_take_has_the_pre_roll_the_talking_and_the_tail(
    microphone: CountingMicrophone, listening: Listening
) -> None:
    heard = Heard()
    microphone.speak(50)
    listening.begin(heard)
    microphone.speak(30)
    ending = await ended(listening)
    microphone.speak(20)
    await ending
    await turn()
    assert heard.samples == whole(50 * BLOCK - PRE_ROLL, 80 * BLOCK + TAIL)


async def test_the_pre_roll_comes_at_once(microphone: CountingMicrophone, listening: Listening) -> None:
    heard = Heard()
    microphone.speak(30)
    listening.begin(heard)
    assert heard.samples == whole(30 * BLOCK - PRE_ROLL, 30 * BLOCK)


async def test_the_pre_roll_is_exact_though_blocks_are_odd(
    microphone: CountingMicrophone, listening: Listening
) -> None:
    heard = Heard()
    microphone.speak(40, samples=333)
    listening.begin(heard)
    assert heard.samples == whole(40 * 333 - PRE_ROLL, 40 * 333)


async def test_only_what_there_is_comes_where_the_key_goes_down_early(
    microphone: CountingMicrophone, listening: Listening
) -> None:
    heard = Heard()
    microphone.speak(2)
    listening.begin(heard)
    assert heard.samples == whole(0, 2 * BLOCK)


async def test_nothing_leaves_before_the_key_goes_down_and_little_is_kept(
    microphone: CountingMicrophone, listening: Listening
) -> None:
    microphone.speak(200)
    await turn()
    assert listening._size == PRE_ROLL * 2
    assert sum(len(block) for _, block in listening._sound) == PRE_ROLL * 2


@pytest.mark.parametrize("tail_s", [0.0, 0.0333, 0.12])
async def test_the_tail_is_counted_in_sound_that_came_after_the_key(
    microphone: CountingMicrophone, tail_s: float
) -> None:
    listening = Listening(microphone, 0, tail_s, patience_s=60)
    listening.arm()
    heard = Heard()
    listening.begin(heard)
    microphone.speak(5, samples=100)
    ending = await ended(listening)
    microphone.speak(30, samples=100)
    await ending
    await turn()
    assert heard.samples == whole(0, 500 + round(tail_s * SAMPLE_RATE))
    listening.disarm()


async def test_the_take_is_not_over_before_its_tail_came(microphone: CountingMicrophone, listening: Listening) -> None:
    listening.begin(Heard())
    ending = await ended(listening)
    microphone.speak(5)
    await turn()
    assert not ending.done()
    microphone.speak(1)
    await ending


async def test_a_microphone_that_died_does_not_keep_the_take_open(microphone: CountingMicrophone) -> None:
    listening = Listening(microphone, PRE_ROLL_S, 0.001, patience_s=0.001)
    listening.arm()
    heard = Heard()
    listening.begin(heard)
    await listening.end()
    microphone.speak(1)
    await turn()
    assert heard.samples == []


async def test_a_key_pressed_during_the_tail_ends_that_tail_and_begins_the_next_take(
    microphone: CountingMicrophone, listening: Listening
) -> None:
    first, second = Heard(), Heard()
    listening.begin(first)
    microphone.speak(10)
    ending = await ended(listening)
    microphone.speak(2)
    listening.begin(second)
    await ending
    microphone.speak(10)
    await turn()
    assert first.samples == whole(0, 12 * BLOCK)
    assert second.samples == whole(12 * BLOCK, 22 * BLOCK)


async def test_what_came_after_the_tail_belongs_to_the_next_take_only(
    microphone: CountingMicrophone, listening: Listening
) -> None:
    first, second = Heard(), Heard()
    listening.begin(first)
    ending = await ended(listening)
    microphone.speak(10, samples=500)
    await ending
    listening.begin(second)
    assert first.samples == whole(0, TAIL)
    assert second.samples == whole(TAIL, 5000)


async def test_sound_of_many_quick_takes_comes_whole_and_once(
    microphone: CountingMicrophone, listening: Listening
) -> None:
    takes: list[Heard] = []
    speaking = asyncio.create_task(microphone.speak_on_its_thread(150))
    while not speaking.done():
        takes.append(Heard())
        listening.begin(takes[-1])
        await turn()
        ending = asyncio.create_task(listening.end())
        await turn()
        if len(takes) % 2 and not speaking.done():
            await asyncio.wait([ending, speaking], return_when=asyncio.FIRST_COMPLETED)
    listening.begin(takes[-1])
    await speaking
    await turn()
    samples = list(itertools.chain.from_iterable(take.samples for take in takes))
    assert samples == sorted(set(samples))
    assert samples[-1] == 150 * BLOCK - 1


async def test_dropping_stops_at_once_and_the_next_take_knows_nothing_of_it(
    microphone: CountingMicrophone, listening: Listening
) -> None:
    dropped, heard = Heard(), Heard()
    listening.begin(dropped)
    microphone.speak(3)
    listening.drop()
    await turn()
    microphone.speak(2)
    listening.begin(heard)
    assert dropped.samples == []
    assert heard.samples == whole(3 * BLOCK, 5 * BLOCK)


async def test_dropping_during_the_tail_ends_the_waiting(microphone: CountingMicrophone, listening: Listening) -> None:
    listening.begin(Heard())
    ending = await ended(listening)
    listening.drop()
    await ending


async def test_closing_the_microphone_ends_a_take(microphone: CountingMicrophone, listening: Listening) -> None:
    listening.begin(Heard())
    ending = await ended(listening)
    listening.disarm()
    await ending
    assert not microphone.open


async def test_ending_where_nothing_began_is_nothing(listening: Listening) -> None:
    await listening.end()
    listening.drop()


async def test_sound_from_before_the_microphone_died_is_no_pre_roll(
    microphone: CountingMicrophone, listening: Listening, clock: Clock
) -> None:
    heard = Heard()
    microphone.speak(25)
    clock.now += 60
    microphone.speak(5)
    listening.begin(heard)
    assert heard.samples == whole(25 * BLOCK, 30 * BLOCK)


async def test_a_microphone_that_cannot_be_opened_is_told(microphone: CountingMicrophone) -> None:
    microphone.broken = True
    with pytest.raises(MicrophoneAbsent):
        Listening(microphone, PRE_ROLL_S, TAIL_S).arm()


async def test_arming_again_opens_the_microphone_anew(microphone: CountingMicrophone, listening: Listening) -> None:
    microphone.speak(5)
    listening.disarm()
    assert not microphone.open
    microphone.speak(1)
    listening.arm()
    heard = Heard()
    microphone.speak(1)
    listening.begin(heard)
    assert heard.samples == whole(6 * BLOCK, 7 * BLOCK)


async def test_a_block_that_comes_when_the_loop_is_gone_harms_nobody(microphone: CountingMicrophone) -> None:
    def in_a_loop_that_ends() -> None:
        async def begin() -> None:
            listening = Listening(microphone, PRE_ROLL_S, TAIL_S)
            listening.arm()
            listening.begin(Heard())

        asyncio.run(begin())

    await asyncio.to_thread(in_a_loop_that_ends)
    microphone.speak(2)
