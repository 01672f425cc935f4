"""The contract of announcers: what every way of saying things keeps to, as a caller and a listener see it."""

import asyncio
import io
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from voice_ime_desktop.announce.base import Announcer, Sound
from voice_ime_desktop.announce.null import NullAnnouncer
from voice_ime_desktop.announce.printed import PrintedAnnouncer
from voice_ime_desktop.announce.recording import RecordingAnnouncer
from voice_ime_desktop.announce.sounds import SoundAnnouncer
from voice_ime_desktop.announce.ssip import Service, SsipAnnouncer
from voice_ime_desktop.announce.together import TogetherAnnouncer

from tests.desktop.ssip_server import SpeechService
from voice_ime.errors import DesktopUnavailable


class Listener(ABC):
    """One way, and what came out at its other end."""

    speaks = True
    """Whether sentences come out there."""

    def __init__(self, announcer: Announcer) -> None:
        self.announcer = announcer

    @property
    @abstractmethod
    def heard(self) -> list[str]: ...

    def close(self) -> None:  # noqa: B027
        """What was needed for listening goes, if anything was."""


class ToNothing(Listener):
    speaks = False

    def __init__(self, folder: Path) -> None:
        super().__init__(NullAnnouncer())

    @property
    def heard(self) -> list[str]:
        return []


class ToRecording(Listener):
    def __init__(self, folder: Path) -> None:
        self._recording = RecordingAnnouncer()
        super().__init__(self._recording)

    @property
    def heard(self) -> list[str]:
        return self._recording.spoken


class ToPrint(Listener):
    def __init__(self, folder: Path) -> None:
        self._stream = io.StringIO()
        super().__init__(PrintedAnnouncer(self._stream))

    @property
    def heard(self) -> list[str]:
        return self._stream.getvalue().splitlines()


class ToSounds(Listener):
    speaks = False

    def __init__(self, folder: Path) -> None:
        super().__init__(SoundAnnouncer(("true",), {"PATH": "/usr/bin:/bin"}))

    @property
    def heard(self) -> list[str]:
        return []


class ToSpeech(Listener):
    def __init__(self, folder: Path) -> None:
        self._service = SpeechService(folder / "speech" / "socket")
        self._service.start()
        super().__init__(SsipAnnouncer(Service(self._service.socket), {}))

    @property
    def heard(self) -> list[str]:
        return self._service.said("voice-ime")

    def close(self) -> None:
        self._service.stop()


class ToAll(Listener):
    def __init__(self, folder: Path) -> None:
        self._speech = RecordingAnnouncer()
        super().__init__(TogetherAnnouncer(self._speech, RecordingAnnouncer(), NullAnnouncer()))

    @property
    def heard(self) -> list[str]:
        return self._speech.spoken


class ToWhatIsLeft(Listener):
    """Neither speech nor sounds are to be had."""

    def __init__(self, folder: Path) -> None:
        self._instead = RecordingAnnouncer()
        nowhere = SsipAnnouncer(Service(folder / "nowhere"), {})
        super().__init__(TogetherAnnouncer(nowhere, SoundAnnouncer(None, {}), self._instead))

    @property
    def heard(self) -> list[str]:
        return self._instead.spoken


EACH = (ToNothing, ToRecording, ToPrint, ToSounds, ToSpeech, ToAll, ToWhatIsLeft)


@pytest.fixture(params=EACH, ids=lambda way: way.__name__)
async def listener(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Listener]:
    make: Callable[[Path], Listener] = request.param
    listener = make(tmp_path)
    yield listener
    await listener.announcer.stop()
    listener.close()


@pytest.fixture
async def started(listener: Listener) -> Listener:
    await listener.announcer.start()
    return listener


async def test_sentences_are_heard_whole_and_in_order(started: Listener) -> None:
    sentences = ["Ready.", "你好，世界 😀", ".hidden", "..", "a. b", "  Held.  "]
    for sentence in sentences:
        started.announcer.say(sentence, "en")
    await started.announcer.stop()
    heard = [" ".join(one.split()) for one in started.heard]
    assert heard == ([one.strip() for one in sentences] if started.speaks else [])


async def test_the_last_of_several_progresses_is_heard(started: Listener) -> None:
    for percent in (25, 50, 75):
        started.announcer.progress(f"{percent} percent.", "en")
    await started.announcer.stop()
    assert started.heard[-1:] == (["75 percent."] if started.speaks else [])


async def test_lines_stay_one_sentence(started: Listener) -> None:
    started.announcer.say("first\n.second\r\nthird", "en")
    await started.announcer.stop()
    words = [one.split() for one in started.heard]
    assert words == ([["first", ".second", "third"]] if started.speaks else [])


async def test_nothing_blocks_the_caller(started: Listener) -> None:
    """Not timed against the clock of a busy machine: no call may wait for another task to run."""
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    for _ in range(30):
        started.announcer.say("x" * 2000, "en")
        started.announcer.sound(Sound.HELD)
    started.announcer.quiet()
    assert not ran.is_set()


@pytest.mark.parametrize("sound", Sound)
async def test_each_sound_can_be_asked_for(started: Listener, sound: Sound) -> None:
    started.announcer.sound(sound)
    await started.announcer.stop()


async def test_a_sentence_after_quiet_is_heard(started: Listener) -> None:
    started.announcer.quiet()
    started.announcer.say("Cancelled.", "en")
    await started.announcer.stop()
    assert ("Cancelled." in started.heard) is started.speaks


async def test_nothing_is_wrong_with_calls_after_the_end(started: Listener) -> None:
    await started.announcer.stop()
    started.announcer.say("too late", "en")
    started.announcer.quiet()
    await started.announcer.stop()


async def test_it_can_be_stopped_before_it_was_started(listener: Listener) -> None:
    await listener.announcer.stop()


async def test_it_can_be_started_again(started: Listener) -> None:
    await started.announcer.stop()
    await started.announcer.start()
    started.announcer.say("Again.", "en")
    await started.announcer.stop()
    assert ("Again." in started.heard) is started.speaks


async def test_a_way_that_is_not_open_here_says_so(tmp_path: Path) -> None:
    ways = [SsipAnnouncer(Service(tmp_path / "nowhere"), {}), SoundAnnouncer(None, {})]
    for way in [*ways, RecordingAnnouncer(available=False)]:
        with pytest.raises(DesktopUnavailable):
            await way.start()
