"""The microphone without sound hardware: the recording in its place, and the watch that brings a dead one back."""

import threading
from collections.abc import Callable

import pytest
from voice_ime_desktop.microphone import (
    BLOCK_BYTES,
    Microphone,
    OnPcm,
    ParecMicrophone,
    RecordedMicrophone,
    Watch,
    WatchedMicrophone,
)

from voice_ime.errors import MicrophoneAbsent, MicrophoneError, MicrophoneSilent

PATIENCE_S = 10.0


class HandMicrophone(Microphone):
    """Delivers what the test says; counts how often it was opened. `broken`: it cannot be opened."""

    def __init__(self) -> None:
        self.opened = 0
        self.broken = False
        self.opened_again = threading.Event()
        self._on_pcm: OnPcm | None = None

    def start(self, on_pcm: OnPcm) -> None:
        if self.broken:
            raise MicrophoneAbsent(missing="service")
        self._on_pcm = on_pcm
        self.opened += 1
        if self.opened > 1:
            self.opened_again.set()

    def stop(self) -> None:
        self._on_pcm = None

    def speak(self, pcm: bytes) -> None:
        on_pcm = self._on_pcm
        if on_pcm is not None:
            on_pcm(pcm)


class Teller:
    """Keeps what was told and lets the test wait for it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, trouble: MicrophoneError | None) -> None:
        with self._changed:
            self.told.append("works again" if trouble is None else trouble.code)
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, PATIENCE_S)


def play(sound: list[bytes], *, pace: float = 0) -> list[bytes]:
    ended = threading.Event()
    heard: list[bytes] = []
    microphone = RecordedMicrophone(sound, pace=pace, on_end=ended.set)
    microphone.start(heard.append)
    assert ended.wait(PATIENCE_S)
    microphone.stop()
    return heard


def test_a_recording_is_played_in_blocks_of_twenty_milliseconds() -> None:
    heard = play([bytes(BLOCK_BYTES * 2 + 100)])
    assert [len(block) for block in heard] == [640, 640, 100]


def test_a_recording_in_odd_pieces_is_played_whole() -> None:
    sound = bytes(range(256)) * 11
    assert b"".join(play([sound[:1], sound[1:999], b"", sound[999:]])) == sound


def test_an_empty_recording_ends_at_once() -> None:
    assert play([]) == []


def test_a_recording_goes_on_where_it_was_stopped() -> None:
    sound = b"".join(bytes([number]) * BLOCK_BYTES for number in range(5))
    heard: list[bytes] = []
    first, ended = threading.Event(), threading.Event()
    microphone = RecordedMicrophone([sound], on_end=ended.set)
    microphone.start(lambda block: (heard.append(block), first.set())[1])
    assert first.wait(PATIENCE_S)
    microphone.stop()
    before = len(heard)
    microphone.start(heard.append)
    assert ended.wait(PATIENCE_S)
    microphone.stop()
    assert before >= 1
    assert b"".join(heard) == sound


def test_nothing_is_heard_after_the_recording_was_stopped() -> None:
    heard: list[bytes] = []
    first = threading.Event()
    microphone = RecordedMicrophone([bytes(BLOCK_BYTES * 1000)], pace=20)
    microphone.start(lambda block: (heard.append(block), first.set())[1])
    assert first.wait(PATIENCE_S)
    microphone.stop()
    microphone.stop()
    count = len(heard)
    assert not threading.Event().wait(0.05)
    assert len(heard) == count


def test_a_microphone_counts_as_dead_after_a_second_without_a_block() -> None:
    watch = Watch(silence_s=1.0, first_block_s=3.0, now=100.0)
    watch.heard(100.1)
    assert not watch.dead(101.1)
    assert watch.dead(101.2)


def test_the_first_block_may_take_longer() -> None:
    watch = Watch(silence_s=1.0, first_block_s=3.0, now=100.0)
    assert not watch.dead(102.9)
    assert watch.dead(103.1)
    watch.opened(103.1)
    assert not watch.dead(106.0)


def watched(told: Callable[[MicrophoneError | None], None], microphone: Microphone) -> WatchedMicrophone:
    return WatchedMicrophone(microphone, told, silence_s=0.02, first_block_s=0.02)


def test_a_dead_microphone_is_opened_again_and_the_person_is_told() -> None:
    teller, hand, heard = Teller(), HandMicrophone(), list[bytes]()
    microphone = watched(teller, hand)
    microphone.start(heard.append)
    hand.speak(b"before")
    teller.wait_for(1)
    assert teller.told == [MicrophoneSilent.code]
    assert hand.opened_again.wait(PATIENCE_S)
    while len(teller.told) < 2:  # it may be opened once more just now: then the words fall between
        hand.speak(b"after")
    microphone.stop()
    assert teller.told[1] == "works again"
    assert heard[0] == b"before"
    assert heard[-1] == b"after"


def test_a_sound_service_that_is_still_away_is_tried_until_it_is_back() -> None:
    teller, hand = Teller(), HandMicrophone()
    microphone = watched(teller, hand)
    microphone.start(lambda block: None)
    hand.broken = True
    teller.wait_for(1)
    hand.broken = False
    assert hand.opened_again.wait(PATIENCE_S)
    microphone.stop()
    assert teller.told == [MicrophoneSilent.code]


def test_a_microphone_that_cannot_be_opened_at_the_start_is_an_error() -> None:
    teller, hand = Teller(), HandMicrophone()
    hand.broken = True
    microphone = watched(teller, hand)
    with pytest.raises(MicrophoneAbsent):
        microphone.start(lambda block: None)
    microphone.stop()
    assert teller.told == []


def test_without_the_program_parec_what_is_missing_is_named() -> None:
    with pytest.raises(MicrophoneAbsent) as caught:
        ParecMicrophone(program="a-program-that-is-not-there").start(lambda block: None)
    assert caught.value.values == {"missing": "program"}
