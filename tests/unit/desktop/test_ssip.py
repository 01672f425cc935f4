"""Speech over SSIP: what the service is asked, and what happens when it comes and goes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from voice_ime_desktop.announce.recording import RecordingAnnouncer
from voice_ime_desktop.announce.ssip import FRESH_S, MOST, SLOW_S, Service, SsipAnnouncer, service_of

from tests.desktop.ssip_server import SpeechService
from voice_ime.errors import DesktopUnavailable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service(tmp_path: Path) -> SpeechService:
    return SpeechService(tmp_path / "speech" / "socket")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def printed() -> RecordingAnnouncer:
    return RecordingAnnouncer()


@pytest.fixture
async def announcer(service: SpeechService, printed: RecordingAnnouncer, clock: Clock) -> AsyncIterator[SsipAnnouncer]:
    service.start()
    announcer = SsipAnnouncer(Service(service.socket), {}, meanwhile=printed, clock=clock)
    await announcer.start()
    yield announcer
    await announcer.stop()
    service.stop()


async def heard(service: SpeechService, *sentences: str) -> None:
    """Wait until exactly these were spoken, so far."""
    await until(lambda: service.said("voice-ime") == list(sentences))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  what is waited for is in other threads and has no event
            await asyncio.sleep(0.005)


async def test_sentences_cut_in_on_the_screen_reader_and_queue_among_themselves(
    announcer: SsipAnnouncer, service: SpeechService
) -> None:
    announcer.say("Ready.", "en")
    announcer.say("Held.", "en")
    await heard(service, "Ready.", "Held.")
    assert {one.priority for one in service.requests} == {"message"}


async def test_each_sentence_is_spoken_in_its_language(announcer: SsipAnnouncer, service: SpeechService) -> None:
    for sentence, language in (("Ready.", "en"), ("准备好了。", "zh"), ("已保留。", "zh"), ("Held.", "en")):
        announcer.say(sentence, language)
    await heard(service, "Ready.", "准备好了。", "已保留。", "Held.")
    assert [one.language for one in service.requests] == ["en", "zh", "zh", "en"]


async def test_nothing_is_not_spoken(announcer: SsipAnnouncer, service: SpeechService) -> None:
    announcer.say("", "en")
    announcer.say(" \n", "en")
    announcer.say("Ready.", "en")
    await heard(service, "Ready.")


async def test_half_a_character_does_not_silence_it(announcer: SsipAnnouncer, service: SpeechService) -> None:
    announcer.say("broken \ud83d here", "en")
    announcer.say("Ready.", "en")
    await heard(service, "broken ? here", "Ready.")


async def test_when_the_person_begins_to_talk_it_is_silent(announcer: SsipAnnouncer, service: SpeechService) -> None:
    announcer.say("One.", "en")
    await heard(service, "One.")
    announcer.say("Two.", "en")
    announcer.quiet()
    announcer.say("Three.", "en")
    await heard(service, "One.", "Three.")
    assert [one.text or one.kind for one in service.requests] == ["One.", "ALL", "Three."]  # a screen reader, too


async def test_nothing_was_printed_while_it_could_be_spoken(
    announcer: SsipAnnouncer, service: SpeechService, printed: RecordingAnnouncer
) -> None:
    announcer.say("Ready.", "en")
    await heard(service, "Ready.")
    await announcer.stop()
    assert printed.spoken == []


async def test_what_comes_while_the_service_is_away_is_printed_at_once_and_said_when_it_is_back(
    announcer: SsipAnnouncer, service: SpeechService, printed: RecordingAnnouncer
) -> None:
    announcer.say("One.", "en")
    await heard(service, "One.")
    service.stop()
    announcer.say("Two.", "en")
    announcer.say("三。", "zh")
    await until(lambda: printed.spoken == ["Two.", "三。"])
    service.start()
    await heard(service, "One.", "Two.", "三。")
    announcer.say("Four.", "en")
    await heard(service, "One.", "Two.", "三。", "Four.")
    assert printed.spoken == ["Two.", "三。"]


async def test_what_was_said_long_ago_is_not_said_any_more(
    announcer: SsipAnnouncer, service: SpeechService, printed: RecordingAnnouncer, clock: Clock
) -> None:
    service.stop()
    announcer.say("Old.", "en")
    await until(lambda: printed.spoken == ["Old."])
    clock.now += FRESH_S + 1
    announcer.say("New.", "en")
    service.start()
    await heard(service, "New.")


async def test_of_very_many_sentences_the_last_are_kept(
    announcer: SsipAnnouncer, service: SpeechService, printed: RecordingAnnouncer
) -> None:
    service.stop()
    announcer.say("0", "en")
    await until(lambda: printed.spoken == ["0"])
    for number in range(1, MOST + 5):
        announcer.say(str(number), "en")
    service.start()
    await heard(service, *(str(number) for number in range(5, MOST + 5)))


async def test_when_the_person_begins_to_talk_while_it_is_away_nothing_old_is_said_later(
    announcer: SsipAnnouncer, service: SpeechService, printed: RecordingAnnouncer
) -> None:
    service.stop()
    announcer.say("Old.", "en")
    await until(lambda: printed.spoken == ["Old."])
    announcer.quiet()
    announcer.say("New.", "en")
    service.start()
    await heard(service, "New.")


async def test_last_words_are_said(service: SpeechService) -> None:
    service.start()
    announcer = SsipAnnouncer(Service(service.socket), {})
    await announcer.start()
    announcer.say("Dictation ended.", "en")
    await announcer.stop()
    assert service.said("voice-ime") == ["Dictation ended."]
    service.stop()


# --- progress


async def test_progress_leaves_the_screen_reader_its_turn(announcer: SsipAnnouncer, service: SpeechService) -> None:
    announcer.say("Getting it.", "en")
    announcer.progress("Half of it.", "en")
    await heard(service, "Getting it.", "Half of it.")
    announcer.say("It is here.", "en")
    await heard(service, "Getting it.", "Half of it.", "It is here.")
    assert [one.priority for one in service.requests] == ["message", "progress", "message"]


async def test_of_progress_while_the_service_is_away_only_the_last_is_said(
    announcer: SsipAnnouncer, service: SpeechService, printed: RecordingAnnouncer
) -> None:
    service.stop()
    for percent in (25, 50, 75):
        announcer.progress(f"{percent} percent.", "en")
        await until(lambda percent=percent: f"{percent} percent." in printed.spoken)  # type: ignore[misc]
    service.start()
    await heard(service, "75 percent.")


async def test_what_was_done_while_the_service_was_away_makes_its_progress_old(
    announcer: SsipAnnouncer, service: SpeechService, printed: RecordingAnnouncer
) -> None:
    service.stop()
    announcer.progress("75 percent.", "en")
    await until(lambda: printed.spoken == ["75 percent."])
    announcer.say("It is here.", "en")
    service.start()
    await heard(service, "It is here.")


# --- services that behave in other ways


class Script:
    """A service that answers as it is told, to the last line. `sentences`: what it got, in order."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.spoken = "225-{number}\r\n225 OK MESSAGE QUEUED\r\n"
        """The answer to a sentence, and what else comes with it."""
        self.speak = "230 OK RECEIVING DATA\r\n"
        self._writer: asyncio.StreamWriter | None = None

    def cut(self) -> None:
        assert self._writer is not None
        self._writer.close()

    def tell(self, code: str, number: int) -> None:
        assert self._writer is not None
        self._writer.write(_event(code, number))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        while line := (await reader.readline()).decode().rstrip():
            if line != "SPEAK":
                writer.write(b"299 OK\r\n")
                continue
            writer.write(self.speak.encode())
            if self.speak.startswith("230"):
                self.sentences.append((await reader.readuntil(b"\r\n.\r\n"))[:-5].decode())
                writer.write(self.spoken.format(number=len(self.sentences)).encode())
        writer.close()


def _event(code: str, number: int) -> bytes:
    return f"{code}-{number}\r\n{code}-7\r\n{code} EVENT\r\n".encode()


@asynccontextmanager
async def speaking(
    folder: Path, script: Script, printed: RecordingAnnouncer, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[SsipAnnouncer]:
    server = await asyncio.start_unix_server(script.serve, folder / "s")
    announcer = SsipAnnouncer(Service(folder / "s"), {}, meanwhile=printed, clock=clock)
    await announcer.start()
    try:
        yield announcer
    finally:
        await announcer.stop()
        server.close()


async def test_a_sentence_that_broke_off_is_said_again_and_one_that_was_over_is_not(
    tmp_path: Path, printed: RecordingAnnouncer
) -> None:
    script = Script()
    async with speaking(tmp_path, script, printed) as announcer:
        for sentence in ("One.", "Two.", "Three."):
            announcer.say(sentence, "en")
        await until(lambda: len(script.sentences) == 3)
        script.tell("701", 1)
        script.tell("702", 1)
        script.tell("701", 2)
        script.cut()
        await until(lambda: script.sentences == ["One.", "Two.", "Three.", "Two.", "Three."])
    assert printed.spoken == ["Two.", "Three."]


async def test_a_service_that_never_tells_the_end_repeats_the_last_sentence_at_most(
    tmp_path: Path, printed: RecordingAnnouncer
) -> None:
    script = Script()
    async with speaking(tmp_path, script, printed) as announcer:
        announcer.say("One.", "en")
        announcer.say("Two.", "en")
        await until(lambda: len(script.sentences) == 2)
        script.tell("701", 1)
        script.tell("701", 2)
        script.cut()
        await until(lambda: script.sentences == ["One.", "Two.", "Two."])


async def test_what_the_person_silenced_is_not_said_again(tmp_path: Path, printed: RecordingAnnouncer) -> None:
    script = Script()
    async with speaking(tmp_path, script, printed) as announcer:
        announcer.say("One.", "en")
        announcer.say("Two.", "en")
        await until(lambda: len(script.sentences) == 2)
        script.tell("703", 1)
        script.tell("703", 2)
        announcer.say("Three.", "en")
        await until(lambda: len(script.sentences) == 3)
        script.cut()
        await until(lambda: script.sentences == ["One.", "Two.", "Three.", "Three."])


async def test_while_a_sentence_of_ours_is_said_only_the_last_progress_waits(
    tmp_path: Path, printed: RecordingAnnouncer
) -> None:
    """speech-dispatcher would say each of them after it."""
    script = Script()
    async with speaking(tmp_path, script, printed) as announcer:
        announcer.say("Getting it.", "en")
        await until(lambda: script.sentences == ["Getting it."])
        script.tell("701", 1)
        for percent in (25, 50, 75):
            announcer.progress(f"{percent} percent.", "en")
        script.tell("702", 1)
        await until(lambda: script.sentences == ["Getting it.", "75 percent."])


async def test_a_service_that_never_tells_the_end_does_not_hold_progress_up_for_ever(
    tmp_path: Path, printed: RecordingAnnouncer, clock: Clock
) -> None:
    script = Script()
    async with speaking(tmp_path, script, printed, clock) as announcer:
        announcer.say("Getting it.", "en")
        await until(lambda: script.sentences == ["Getting it."])
        clock.now += SLOW_S + 1
        announcer.progress("Half of it.", "en")
        await until(lambda: script.sentences == ["Getting it.", "Half of it."])


async def test_an_end_that_is_told_before_the_number_counts(tmp_path: Path, printed: RecordingAnnouncer) -> None:
    script = Script()
    script.spoken = _event("702", 1).decode() + script.spoken
    async with speaking(tmp_path, script, printed) as announcer:
        announcer.say("One.", "en")
        await until(lambda: script.sentences == ["One."])
        script.spoken = Script().spoken
        announcer.say("Two.", "en")
        await until(lambda: script.sentences == ["One.", "Two."])
        script.cut()
        await until(lambda: script.sentences == ["One.", "Two.", "Two."])


async def test_what_the_service_does_not_take_is_printed(tmp_path: Path, printed: RecordingAnnouncer) -> None:
    script = Script()
    script.speak = "300 ERR INTERNAL\r\n"
    async with speaking(tmp_path, script, printed) as announcer:
        announcer.say("One.", "en")
        await until(lambda: printed.spoken == ["One."])
        script.speak = Script().speak
        announcer.say("Two.", "en")
        await until(lambda: script.sentences == ["Two."])


async def test_another_kind_of_service_at_the_socket_counts_as_none(tmp_path: Path) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 200_000)
        writer.close()

    server = await asyncio.start_unix_server(chatter, tmp_path / "s")
    with pytest.raises(DesktopUnavailable):
        await SsipAnnouncer(Service(tmp_path / "s"), {}).start()
    server.close()


async def test_a_service_that_cannot_be_started_counts_as_none(tmp_path: Path) -> None:
    for command in (("false",), ("no-such-program-anywhere",)):
        with pytest.raises(DesktopUnavailable):
            await SsipAnnouncer(Service(tmp_path / "s", command), {"PATH": "/usr/bin:/bin"}).start()


# --- where it is


@pytest.mark.parametrize(
    ("environment", "socket"),
    [
        ({"SPEECHD_ADDRESS": "unix_socket:/a/b:c"}, "/a/b:c"),
        ({"XDG_RUNTIME_DIR": "/run/user/7", "HOME": "/h"}, "/run/user/7/speech-dispatcher/speechd.sock"),
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/speech-dispatcher/speechd.sock"),
        ({"HOME": "/h"}, "/h/.cache/speech-dispatcher/speechd.sock"),
    ],
)
def test_the_service_is_where_others_look_for_it(environment: dict[str, str], socket: str) -> None:
    service = service_of(environment)
    assert service is not None
    assert service.socket == Path(socket)


def test_a_service_of_somebodys_own_is_not_started() -> None:
    service = service_of({"SPEECHD_ADDRESS": "unix_socket:/a"})
    assert service is not None
    assert service.spawn == ()


def test_a_service_at_another_kind_of_address_is_none() -> None:
    assert service_of({"SPEECHD_ADDRESS": "inet_socket:127.0.0.1:6560"}) is None
