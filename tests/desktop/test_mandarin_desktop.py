"""Mandarin in real windows: spoken to micro models, written with rare characters, and with everything breaking."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.desktop.applications import CHROMIUM, GTK3, GTK4, QT5, TK, VTE, XTERM, Application, Program
from tests.desktop.conftest import Open
from tests.desktop.dictation import Dictation, dictation, loud, script
from tests.desktop.inserting import accessible
from tests.desktop.session import Parts, Session
from tests.desktop.test_client_killed import intended, journal
from tests.desktop.x11 import until
from tests.needs import needs_package
from voice_ime.audio import to_pcm16

for package in ("av", "fastapi", "miniaudio", "onnxruntime", "sherpa-onnx", "kaldi-native-fbank", "faster-whisper"):
    needs_package(package)
needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

pytestmark = pytest.mark.slow

READABLE = (GTK3, GTK4, QT5, CHROMIUM)
EDITABLE = (GTK3, GTK4, QT5)
MICRO = MODELS / "micro_zh"
SHERPA = {"name": "sherpa", "sherpa": {"folder": str(MICRO / "streaming-transducer")}}
WHISPER = {"folder": str(MODELS / "whisper_micro"), "compute_type": "int8"}
VOICE, MAIL = "老赵的声音在成都", "小林的邮件在武汉"
RARE = "我在𠮷野家吃𰻝𰻝面。"
"""Three characters beyond the basic plane: two units each in UTF-16, four bytes in UTF-8."""
NEXT = "𠀀后来䶮回家了😀。"


@pytest.fixture
def parts() -> Parts:
    return Parts(sound=True)


@pytest.fixture
def session(session: Session) -> Session:
    """Programs of Qt that start together with the accessibility service may never be seen by it."""
    if session.parts.accessible:
        asyncio.run(accessible(session))
    return session


def named(program: Program) -> str:
    return program.name


def clip(name: str) -> bytes:
    return to_pcm16(sound_of(MODELS / name))


def voice() -> bytes:
    return clip("micro_zh/clips/trained-24.ogg")


def mail() -> bytes:
    return clip("micro_zh/clips/trained-36.ogg")


@pytest.fixture
def field(open_application: Open) -> Application:
    return open_application(GTK3)


@pytest.fixture
def client(session: Session, field: Application) -> Iterator[Dictation]:
    """Hears Mandarin, says everything in Chinese."""
    with mandarin(session) as client:
        yield client


def mandarin(session: Session, engine: dict[str, Any] | None = None) -> Any:
    return dictation(session, {"engine": engine or SHERPA}, language="zh")


def outcomes(client: Dictation, count: int = 1) -> list[tuple[str, str | None]]:
    """State and reason of each utterance, once there are so many."""
    return [(entry.state, entry.reason) for entry in client.settled(count)]


# --- spoken, and in the window


@pytest.mark.parametrize("program", READABLE, ids=named)
def test_mandarin_stands_in_the_window_as_announced(program: Program, session: Session, open_application: Open) -> None:
    window = open_application(program)
    with mandarin(session) as client:
        mark = client.mark()
        client.say(voice())
        client.say(mail())
        entries = client.settled(2)
        client.wait_for(MAIL, since=mark)

        assert [(entry.text, entry.state) for entry in entries] == [(VOICE, "verified"), (MAIL, "verified")]
        assert client.spoken(mark) == [VOICE, MAIL]
        assert window.text("text") == VOICE + MAIL


def test_mandarin_waits_for_enter_in_a_terminal_which_the_screen_reader_reads(
    session: Session, open_application: Open
) -> None:
    terminal = open_application(VTE)
    until(lambda: "$" in terminal.text("screen"), "the prompt")
    with mandarin(session) as client:
        mark = client.mark()
        client.say(voice())

        assert outcomes(client) == [("verified", None)]
        assert terminal.text("terminal") == VOICE
        assert VOICE not in client.spoken(mark)


@pytest.mark.parametrize("program", [XTERM, TK], ids=named)
def test_that_mandarin_could_not_be_read_back_is_said_in_chinese(
    program: Program, session: Session, open_application: Open
) -> None:
    window = open_application(program)
    with mandarin(session) as client:
        mark = client.mark()
        client.say(voice())
        client.wait_for("未核对。", since=mark)

        until(lambda: window.text(program.main_field) == VOICE, "the words")
        assert outcomes(client) == [("unverified", None)]


@pytest.mark.parametrize("program", READABLE, ids=named)
def test_in_two_passes_mandarin_and_english_come_into_one_field(
    program: Program, session: Session, open_application: Open
) -> None:
    """While one speaks, a model hears that knows Mandarin only; the one that writes knows both."""
    window = open_application(program)
    with mandarin(session, SHERPA | {"final": "whisper", "whisper": WHISPER}) as client:
        mark = client.mark()
        for name in ("zh-weather.flac", "en-window.flac", "zh-meeting.flac"):
            client.say(clip(name))
        entries = client.settled(3)
        client.wait_for(entries[-1].text, since=mark)

        letters = "".join(filter(str.isalnum, window.text("text").lower()))
        assert letters == "天气很好openthewindowplease今天下午三点开会"
        assert window.text("text") == "".join(entry.text for entry in entries)
        assert [text.strip() for text in client.spoken(mark)] == [entry.text.strip() for entry in entries]
        assert {entry.state for entry in entries} == {"verified"}


# --- rare characters: counted as characters, whatever each toolkit counts by


@pytest.mark.parametrize("program", READABLE, ids=named)
def test_characters_beyond_the_basic_plane_are_read_back_where_they_stand(
    program: Program, session: Session, open_application: Open
) -> None:
    window = open_application(program)
    with dictation(session, script(RARE, NEXT), language="zh") as client:
        client.say(loud(1.5))
        client.say(loud(1.5))

        assert outcomes(client, 2) == [("verified", None)] * 2
        assert window.text("text") == RARE + NEXT


@pytest.mark.parametrize("program", EDITABLE, ids=named)
def test_only_the_last_sentence_is_taken_out_again(program: Program, session: Session, open_application: Open) -> None:
    window = open_application(program)
    with dictation(session, script(RARE, NEXT), language="zh") as client:
        for count in (1, 2):
            client.say(loud(1.5))
            client.settled(count)
        client.wait_for(NEXT)
        client.run("key", "undo")
        client.wait_for("已撤回。")

        assert window.text("text") == RARE


class TestWithoutAnInputMethod:
    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(sound=True, input_method=False)

    @pytest.mark.parametrize("program", READABLE, ids=named)
    def test_rare_characters_arrive_by_the_other_ways(
        self, program: Program, session: Session, open_application: Open
    ) -> None:
        """Accessibility's own way, or the clipboard in Chromium, which knows several encodings."""
        window = open_application(program)
        with dictation(session, script(RARE, NEXT), language="zh") as client:
            client.say(loud(1.5))
            client.say(loud(1.5))

            assert outcomes(client, 2) == [("verified", None)] * 2
            assert window.text("text") == RARE + NEXT


# --- what breaks


@pytest.mark.parametrize("program", [GTK3, CHROMIUM], ids=named)
def test_a_server_killed_in_mid_sentence_loses_and_doubles_no_character(
    program: Program, session: Session, open_application: Open
) -> None:
    window = open_application(program)
    sound = voice()
    with mandarin(session) as client:
        client.say(sound + mail(), client.kill_server, len(sound))
        client.settled()

        until(lambda: window.text("text") == VOICE + MAIL, "the words")


def test_after_the_input_method_was_restarted_mandarin_arrives(
    client: Dictation, session: Session, field: Application
) -> None:
    client.say(voice())
    client.wait_for(VOICE)
    session.kill("ibus-daemon")
    session.start_input_method()
    client.say(mail())

    assert outcomes(client, 2) == [("verified", None)] * 2
    assert field.text("text") == VOICE + MAIL


def test_a_sound_service_that_dies_is_told_in_chinese_and_after_it_came_back_mandarin_arrives(
    client: Dictation, session: Session, field: Application
) -> None:
    from voice_ime.errors import MicrophoneSilent

    mark = client.mark()
    session.sound.kill()
    client.wait_for(client.trouble(MicrophoneSilent()), since=mark)
    session.sound.start()
    client.wait_for("麦克风恢复了。", since=mark)
    client.say(voice())
    client.wait_for(VOICE)

    assert field.text("text") == VOICE


def test_mandarin_for_a_window_that_lost_the_focus_is_held_and_goes_where_it_is_sent(
    client: Dictation, session: Session, field: Application, open_application: Open
) -> None:
    mark = client.mark()
    sound = voice()
    others = open_application(QT5)
    session.screen.activate(field.window)
    until(field.focused, "the focus")
    client.say(sound + mail(), lambda: session.screen.activate(others.window), len(sound))
    client.wait_for(client.sentence("held", why=client.sentence("reason.focus_moved")), since=mark)
    assert field.text("text") == others.text("text") == ""

    (held,) = client.settled()
    client.run("key", "insert")
    client.wait_for(held.text, since=mark)
    assert (field.text("text"), others.text("text")) == ("", held.text)


def test_a_password_field_gets_no_mandarin(session: Session, open_application: Open) -> None:
    window = open_application(GTK3, "password")
    with mandarin(session) as client:
        mark = client.mark()
        client.say(voice())
        client.wait_for(client.sentence("reason.password"), since=mark)

        assert not any(VOICE in one for one in client.spoken(mark))
        assert [entry.text for entry in client.journal()] in ([], [""])
        assert all(window.text(name) == "" for name in ("password", "text", "line"))


def test_a_client_killed_before_it_inserted_says_the_chinese_words_at_its_next_start(
    client: Dictation, session: Session, field: Application
) -> None:
    with closing(journal(session)) as database:
        client.say(voice())
        until(lambda: intended(database) or client.journal(), "the note")
        client.kill()
    mark = client.mark()
    client.start()
    (entry,) = client.journal()

    if entry.reason == "perhaps_inserted":
        client.wait_for(client.sentence("perhaps_inserted_at_start", count=1, texts=VOICE), since=mark)
    assert field.text("text") in ("", VOICE)
    client.say(mail())
    until(lambda: field.text("text").endswith(MAIL), "the next words")
    assert field.text("text").count(VOICE) <= 1


class TestWithoutAccessibility:
    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(sound=True, accessible=False)

    @pytest.mark.parametrize("program", EDITABLE, ids=named)
    def test_mandarin_is_read_back_in_programs_that_ran_before_it_was_switched_on(
        self, program: Program, session: Session, open_application: Open
    ) -> None:
        window = open_application(program)
        with mandarin(session) as client:
            client.say(voice())
            client.wait_for(VOICE)

            assert window.text("text") == VOICE
            assert [entry.state for entry in client.journal()] == ["verified"]
