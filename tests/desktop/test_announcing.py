"""What is heard on a real desktop: sentences at the speech service, sounds at the loudspeaker, the doctor's advice."""

import array
import asyncio
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from voice_ime_desktop.announce.base import Sound
from voice_ime_desktop.announce.recording import RecordingAnnouncer
from voice_ime_desktop.announce.sounds import SoundAnnouncer, player_of
from voice_ime_desktop.announce.ssip import SsipAnnouncer, service_of
from voice_ime_desktop.announce.together import announcer_of

from tests.desktop.session import Parts, Session
from tests.desktop.ssip_server import Spoken
from tests.needs import needs_package
from voice_ime.messages import Messages

ROOT = Path(__file__).resolve().parents[2]
PATHS = {"PYTHONPATH": f"{ROOT}:{ROOT / 'clients'}"}
EN = Messages("en")
LOUD = 1000


def said(requests: list[Spoken], *sentences: str) -> bool:
    return [one.text for one in requests if one.client == "voice-ime" and one.kind == "SPEAK"] == list(sentences)


# --- speech


@pytest.fixture
def parts(request: pytest.FixtureRequest) -> Parts:
    return Parts(input_method=False, **getattr(request, "param", {}))


async def test_what_happens_is_spoken_and_not_printed(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    announcer = announcer_of(session.environment, sys.stdout, EN, sounds=False)
    await announcer.start()
    announcer.say("Ready.", "en")
    announcer.say("第一行\n.第二行 😀", "zh")
    await announcer.stop()
    assert session.speech.said("voice-ime") == ["Ready.", "第一行\n.第二行 😀"]
    assert capsys.readouterr().out == ""


async def test_a_speech_service_that_was_killed_is_spoken_through_again(session: Session) -> None:
    printed = RecordingAnnouncer()
    service = service_of(session.environment)
    assert service is not None
    announcer = SsipAnnouncer(service, session.environment, meanwhile=printed)
    await announcer.start()
    announcer.say("One.", "en")
    await asyncio.to_thread(session.speech.wait_for, lambda requests: said(requests, "One."))
    session.speech.stop()
    announcer.say("Two.", "en")
    session.speech.start()
    await asyncio.to_thread(session.speech.wait_for, lambda requests: said(requests, "One.", "Two."))
    await announcer.stop()


@pytest.mark.parametrize("parts", [{"screen_reader": True}], indirect=True)
async def test_beside_the_screen_reader_each_sentence_is_spoken_once(session: Session) -> None:
    announcer = announcer_of(session.environment, sys.stdout, EN, sounds=False)
    await announcer.start()
    announcer.say("Held.", "en")
    await asyncio.to_thread(session.speech.wait_for, lambda requests: said(requests, "Held."))
    await announcer.stop()
    assert [one.client for one in session.speech.requests if "Held." in one.text] == ["voice-ime"]


# --- sounds


@contextmanager
def loudspeaker(session: Session) -> Iterator["Loudspeaker"]:
    command = ["parec", "-d", "spk.monitor", "--raw", "--rate=16000", "--channels=1", "--format=s16le"]
    recorder = session.start([*command, "--latency-msec=10"], pipes=True)
    listening = Loudspeaker(recorder)
    try:
        yield listening
    finally:
        recorder.kill()
        listening.end()


class Loudspeaker:
    """Listens to what comes out of it."""

    def __init__(self, recorder: "subprocess.Popen[bytes]") -> None:
        assert recorder.stdout is not None
        self._pipe = recorder.stdout
        self._news = threading.Condition()
        self._begun = False
        self._loud = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def loud(self) -> int:
        """Samples so far that were loud."""
        with self._news:
            return self._loud

    def until_open(self) -> None:
        self._until(lambda: self._begun)

    def until_louder(self, than: int) -> None:
        self._until(lambda: self._loud > than)

    def end(self) -> None:
        self._thread.join(10)

    def _until(self, true: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(true, 20), "nothing was heard"

    def _listen(self) -> None:
        while block := os.read(self._pipe.fileno(), 640):
            samples = memoryview(block[: len(block) // 2 * 2]).cast("h")
            with self._news:
                self._begun = True
                self._loud += sum(abs(sample) > LOUD for sample in samples)
                self._news.notify_all()


@pytest.mark.parametrize("parts", [{"sound": True, "speech": False}], indirect=True)
async def test_each_sound_comes_out_of_the_loudspeaker(session: Session) -> None:
    announcer = SoundAnnouncer(player_of(session.environment), session.environment)
    await announcer.start()
    with loudspeaker(session) as heard:
        await asyncio.to_thread(heard.until_open)
        for sound in Sound:
            before = heard.loud
            announcer.sound(sound)
            await announcer.stop()
            await asyncio.to_thread(heard.until_louder, before)


@pytest.mark.parametrize("parts", [{"sound": True, "speech": False}], indirect=True)
async def test_while_the_sound_service_is_away_sounds_are_words_and_then_sounds_again(session: Session) -> None:
    instead = RecordingAnnouncer()
    announcer = SoundAnnouncer(player_of(session.environment), session.environment, meanwhile=instead)
    await announcer.start()
    session.sound.kill()
    announcer.sound(Sound.HELD)
    await announcer.stop()
    assert instead.sounds == [Sound.HELD]
    session.sound.start()
    announcer.sound(Sound.HELD)
    await announcer.stop()
    assert instead.sounds == [Sound.HELD]


# --- the doctor


def doctor(session: Session, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "voice_ime", "doctor", *words],
        env=session.environment | PATHS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def checks(told: "subprocess.CompletedProcess[str]") -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(told.stdout)["checks"]}


class TestDoctor:
    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(input_method=True, sound=True, screen_reader=True)

    def test_on_a_whole_desktop_it_finds_each_part(self, session: Session) -> None:
        needs_package("dbus-fast")
        needs_package("python-xlib", "Xlib")
        found = checks(doctor(session, "--json"))
        names = ("desktop_packages", "display", "input_method", "speech", "sounds", "permissions", "talk_key")
        assert {name: found[name]["status"] for name in names} == dict.fromkeys(names, "ok")
        assert found["screen_reader"]["message"] == "The screen reader Orca is running."
        assert found["accessibility"]["status"] == "ok"  # Orca has switched it on
        assert found["talk_key"]["message"] == "The talk key is Pause."


def test_on_a_bare_desktop_it_says_what_to_install(session: Session) -> None:
    session.speech.stop()
    found = checks(doctor(session, "--json"))
    assert found["speech"]["status"] == "warning"
    assert "speech-dispatcher" in found["speech"]["next_step"]
    assert found["input_method"]["status"] == "warning"
    assert "im-config" in found["input_method"]["next_step"]
    assert found["display"]["status"] == "ok"


@pytest.mark.parametrize("parts", [{"sound": True}], indirect=True)
@pytest.mark.parametrize(
    ("peak", "verdict"),
    [
        (0.1, ["The microphone hears you well, at -23 decibels."]),
        (0.004, ["Attention. The microphone hears you too quietly, at -51 decibels.", EN("desktop.level.quiet_step")]),
    ],
)
def test_how_well_the_microphone_hears_is_printed_and_spoken(session: Session, peak: float, verdict: list[str]) -> None:
    prepare = EN("desktop.level.prepare", seconds=3)
    asking = session.start([sys.executable, "-m", "voice_ime", "doctor", "--microphone"], more=PATHS, pipes=True)
    session.speech.wait_for(lambda requests: said(requests, prepare))
    speaking = threading.Thread(target=session.sound.play, args=(tone(peak, 6),))
    speaking.start()
    printed, _ = asking.communicate(b"\n", timeout=60)
    speaking.join()
    assert printed.decode().splitlines() == [prepare, "Listening.", *verdict]
    assert said(session.speech.requests, prepare, *verdict)


def tone(peak: float, seconds: float) -> bytes:
    samples = (round(32_767 * peak * math.sin(at / 5)) for at in range(round(seconds * 16_000)))
    return array.array("h", samples).tobytes()
