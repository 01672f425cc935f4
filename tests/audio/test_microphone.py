"""Real sound through a real sound service into each kind of microphone that can run here."""

import array
import math
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from voice_ime_desktop.microphone import (
    SAMPLE_RATE,
    Microphone,
    MiniaudioMicrophone,
    ParecMicrophone,
    RecordedMicrophone,
    WatchedMicrophone,
    require_microphone,
)

from tests.audio.sound_service import SoundService, needs_sound_service
from tests.needs import needs_package
from voice_ime.errors import MicrophoneAbsent, MicrophoneError

PATIENCE_S = 20.0

TONE_S = 0.5
LOUD = 8000
TONE = array.array(
    "h", (int(16_000 * math.sin(2 * math.pi * 440 * n / SAMPLE_RATE)) for n in range(int(TONE_S * SAMPLE_RATE)))
).tobytes()


class Ear:
    """Keeps what a microphone delivers and lets the test wait for it."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self._changed = threading.Condition()

    def __call__(self, block: bytes) -> None:
        with self._changed:
            self.blocks.append(block)
            self._changed.notify_all()

    def wait_for(self, enough: "Callable[[Ear], bool]") -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self), PATIENCE_S)

    @property
    def loud_samples(self) -> int:
        return sum(abs(sample) > LOUD for sample in array.array("h", b"".join(self.blocks)))


def heard_something(ear: Ear) -> bool:
    return len(ear.blocks) > 0


def heard_the_tone(ear: Ear) -> bool:
    """A sine is above half its height for two thirds of the time."""
    return ear.loud_samples > 0.6 * TONE_S * SAMPLE_RATE


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The C libraries of the sound service read the environment of the process: it is put back afterwards."""
    before = dict(os.environ)
    yield before
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def service(tmp_path: Path, environment: dict[str, str]) -> Iterator[SoundService]:
    needs_sound_service()
    service = SoundService(tmp_path)
    os.environ.update(service.environment)
    yield service
    service.kill()


def miniaudio_microphone() -> Microphone:
    needs_package("miniaudio")
    return MiniaudioMicrophone()


def recorded_microphone() -> Microphone:
    return RecordedMicrophone([TONE * 20])


REAL = [miniaudio_microphone, ParecMicrophone]
ALL = [*REAL, recorded_microphone]


@pytest.mark.parametrize("make", ALL)
def test_blocks_are_whole_samples_of_a_few_milliseconds(service: SoundService, make: Callable[[], Microphone]) -> None:
    service.start()
    ear, microphone = Ear(), make()
    microphone.start(ear)
    ear.wait_for(lambda ear: len(ear.blocks) >= 10)
    microphone.stop()
    assert all(len(block) % 2 == 0 for block in ear.blocks)
    assert max(len(block) for block in ear.blocks) <= 0.1 * SAMPLE_RATE * 2


@pytest.mark.parametrize("make", ALL)
def test_it_can_be_opened_again_and_is_quiet_in_between(service: SoundService, make: Callable[[], Microphone]) -> None:
    service.start()
    ear, microphone = Ear(), make()
    microphone.stop()
    microphone.start(ear)
    ear.wait_for(heard_something)
    microphone.stop()
    microphone.stop()
    count = len(ear.blocks)
    again = Ear()
    microphone.start(again)
    again.wait_for(heard_something)
    microphone.stop()
    assert len(ear.blocks) == count


@pytest.mark.parametrize("make", REAL)
def test_what_is_said_is_heard(service: SoundService, make: Callable[[], Microphone]) -> None:
    service.start()
    ear, microphone = Ear(), make()
    microphone.start(ear)
    ear.wait_for(heard_something)
    service.play(TONE)
    ear.wait_for(heard_the_tone)
    microphone.stop()


@pytest.mark.parametrize("make", REAL)
def test_what_is_said_while_the_sound_service_is_held_up_is_heard_whole(
    service: SoundService, make: Callable[[], Microphone]
) -> None:
    service.start()
    ear, microphone = Ear(), make()
    microphone.start(ear)
    ear.wait_for(heard_something)
    playing = threading.Thread(target=service.play, args=(TONE,))
    playing.start()
    ear.wait_for(lambda ear: ear.loud_samples > 0)
    service.hold_up(0.3)
    playing.join()
    ear.wait_for(heard_the_tone)
    microphone.stop()


@pytest.mark.parametrize("make", REAL)
def test_no_sound_service_is_told_as_such(service: SoundService, make: Callable[[], Microphone]) -> None:
    with pytest.raises(MicrophoneAbsent) as caught:
        make().start(Ear())
    assert caught.value.values == {"missing": "service"}


@pytest.mark.parametrize("make", REAL)
def test_the_loudspeaker_is_never_taken_for_a_microphone(service: SoundService, make: Callable[[], Microphone]) -> None:
    service.start(microphone=False)
    with pytest.raises(MicrophoneAbsent) as caught:
        make().start(Ear())
    assert caught.value.values == {"missing": "device"}
    with pytest.raises(MicrophoneAbsent):
        require_microphone()


@pytest.mark.parametrize("make", REAL)
def test_a_sound_service_that_dies_and_comes_back_is_heard_again(
    service: SoundService, make: Callable[[], Microphone]
) -> None:
    service.start()
    told: list[str] = []
    silent, back = threading.Event(), threading.Event()

    def tell(trouble: MicrophoneError | None) -> None:
        told.append("works again" if trouble is None else trouble.code)
        (back if trouble is None else silent).set()

    ear, microphone = Ear(), WatchedMicrophone(make(), tell)
    microphone.start(ear)
    ear.wait_for(heard_something)
    service.kill()
    assert silent.wait(PATIENCE_S)
    service.start()
    assert back.wait(PATIENCE_S)
    ear.blocks.clear()
    service.play(TONE)
    ear.wait_for(heard_the_tone)
    microphone.stop()
    assert told[:2] == ["microphone_silent", "works again"]


def test_opening_the_microphone_often_leaves_nothing_open(service: SoundService) -> None:
    service.start()
    microphone = miniaudio_microphone()

    def open_once() -> int:
        ear = Ear()
        microphone.start(ear)
        ear.wait_for(heard_something)
        microphone.stop()
        return len(os.listdir("/proc/self/fd"))

    after_first = open_once()
    assert max(open_once() for _ in range(5)) <= after_first
