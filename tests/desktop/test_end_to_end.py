"""Words that are spoken arrive in real windows, and what is said about it is true.

A recording is played into the virtual microphone while a synthetic key is held; the program itself tells what arrived.
"""

import contextlib
import re
import subprocess

import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.desktop.applications import CHROMIUM, GTK3, GTK4, QT5, TK, VTE, XTERM, Program
from tests.desktop.conftest import Open
from tests.desktop.dictation import BOOK, SHORT_S, Dictation, dictation, loud, script, two_cities
from tests.desktop.session import Parts, Session
from tests.desktop.x11 import until
from tests.needs import needs_package
from voice_ime.audio import to_pcm16

for package in ("av", "fastapi", "miniaudio", "onnxruntime", "jiwer"):
    needs_package(package)
needs_package("moonshine-voice")
needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

pytestmark = pytest.mark.slow

MICRO_ZH = MODELS / "micro_zh"
READABLE = (GTK3, GTK4, QT5, CHROMIUM)
WORD_ERROR_RATE = 0.15


@pytest.fixture
def parts() -> Parts:
    return Parts(sound=True)


def named(program: Program) -> str:
    return program.name


def word_error_rate(book: str, heard: str) -> float:
    import jiwer

    return float(jiwer.wer(_words(book), _words(heard)))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower()))


# --- where it can be read back


@pytest.mark.parametrize("program", READABLE, ids=named)
def test_spoken_words_stand_in_the_field_as_announced(
    program: Program, session: Session, open_application: Open
) -> None:
    field = open_application(program)
    with dictation(session) as client:
        mark = client.mark()
        client.say(two_cities())
        entries = client.settled()
        client.wait_for(entries[-1].text, since=mark)

        assert {entry.state for entry in entries} == {"verified"}
        assert client.spoken(mark) == [entry.text for entry in entries]
        assert field.text("text") == "".join(entry.text for entry in entries)
        assert word_error_rate(BOOK, field.text("text")) <= WORD_ERROR_RATE


def test_mandarin_that_is_spoken_stands_in_the_field_as_announced(session: Session, open_application: Open) -> None:
    """A micro model that knows a synthetic voice; what it hears is what the clip says."""
    needs_package("sherpa-onnx")
    needs_package("kaldi-native-fbank")
    model = {"name": "sherpa", "sherpa": {"folder": str(MICRO_ZH / "streaming-transducer")}}
    clip = to_pcm16(sound_of(MICRO_ZH / "clips" / "trained-24.ogg"))
    field = open_application(GTK3)
    with dictation(session, {"engine": model}) as client:
        client.say(clip)
        client.wait_for("老赵的声音在成都")

        assert [entry.state for entry in client.settled()] == ["verified"]
        assert field.text("text") == "老赵的声音在成都"


@pytest.mark.parametrize("program", READABLE, ids=named)
def test_two_thousand_characters_of_chinese_with_emoji_arrive_as_they_are(
    program: Program, session: Session, open_application: Open
) -> None:
    text = "今天天气很好，我们去公园散步吧。👩‍👩‍👧😀🇨🇳" * 84
    field = open_application(program)
    with dictation(session, script(text)) as client:
        client.say(loud(2))
        client.wait_for(text)

        assert field.text("text") == text == client.settled()[0].text
        assert len(text) >= 2_000


def test_two_dictations_a_second_apart_stand_one_after_the_other(session: Session, open_application: Open) -> None:
    field = open_application(GTK3)
    with dictation(session, script("First words.", "Second words.")) as client:
        client.say(loud(1.5))
        session.sound.play(bytes(32_000))
        client.say(loud(1.5))
        entries = client.settled(2)

        assert [entry.state for entry in entries] == ["verified"] * 2
        assert field.text("text") == "".join(entry.text for entry in entries)
        assert [text.strip() for text in field.text("text").split(".")] == ["First words", "Second words", ""]


def test_the_last_words_can_be_taken_out_again(session: Session, open_application: Open) -> None:
    field = open_application(GTK3)
    with dictation(session, script("Words.")) as client:
        client.say(loud(1.5))
        client.wait_for("Words.")
        client.run("key", "undo")
        client.wait_for(client.sentence("undone"))

        assert field.text("text") == ""


def test_escape_while_talking_drops_what_was_said(session: Session, open_application: Open) -> None:
    field = open_application(GTK3)
    with dictation(session, script("First words.", "Second words.")) as client:
        mark = client.mark()
        client.say(loud(2), meanwhile=lambda: session.screen.tap("Escape"))
        client.wait_for(client.sentence("cancelled"), since=mark)
        client.say(loud(1.5))
        client.settled()

        assert len(client.journal()) == 1
        assert field.text("text") == client.journal()[0].text


def test_a_client_that_is_ended_says_so_and_leaves_no_complaint(session: Session, open_application: Open) -> None:
    open_application(GTK3)
    with dictation(session, script("Words.")) as client:
        client.say(loud(1.5))
        client.wait_for("Words.")
        servers = client.servers()

        assert client.end() == 0
        assert client.spoken()[-1] == client.sentence("ended")
        assert client.log == ""
        assert servers
        assert not set(servers) & set(session.processes())


def test_the_persons_own_input_method_is_theirs_again(session: Session, open_application: Open) -> None:
    field = open_application(GTK3)
    ibus(session, "engine", "xkb:us::eng")
    with dictation(session, script("Words.")) as client:
        client.say(loud(1.5))
        client.wait_for("Words.")

        assert field.text("text") == "Words."
        assert ibus(session, "engine") == "xkb:us::eng"


def ibus(session: Session, *words: str) -> str:
    done = subprocess.run(["ibus", *words], env=session.environment, capture_output=True, text=True, timeout=20)
    return done.stdout.strip()


def test_of_long_speech_nothing_is_said_into_the_microphone(session: Session, open_application: Open) -> None:
    """It is cut after four seconds here; what is inserted meanwhile is said when the person has ended."""
    field = open_application(GTK3)
    lines = ("One.", "Two.", "Three.")
    with dictation(session, script(*lines) | {"speech": {"longest_s": 4.0}}) as client:

        def look() -> None:
            until(lambda: field.text("text").startswith("One. Two."), "the first two")
            assert not set(client.spoken()) & set(lines)

        client.say(loud(10.0), look, first=2 * 16000 * 9)
        client.wait_for("Three.")
        assert [text.strip() for text in client.spoken() if text.strip() in lines] == list(lines)


# --- terminals, and programs that nobody can look into


def test_in_a_terminal_the_words_wait_for_enter_and_only_a_sound_is_made(
    session: Session, open_application: Open
) -> None:
    terminal = open_application(VTE)
    until(lambda: "$" in terminal.text("screen"), "the prompt")
    with dictation(session, script("echo hello")) as client:
        mark = client.mark()
        client.say(loud(1.5))
        entry = client.settled()[0]

        assert terminal.text("terminal") == entry.text
        assert entry.text.strip().lower().startswith("echo hello")
        assert entry.text not in client.spoken(mark)


@pytest.mark.parametrize("program", [XTERM, TK], ids=named)
def test_where_nothing_can_be_read_back_that_is_said(
    program: Program, session: Session, open_application: Open
) -> None:
    field = open_application(program)
    with dictation(session, script("Words.")) as client:
        mark = client.mark()
        client.say(loud(1.5))
        client.wait_for(client.sentence("unverified"), since=mark)

        entry = client.settled()[0]
        assert entry.state == "unverified"
        until(lambda: field.text(program.main_field) == entry.text, "the words")


# --- the wrong place


def test_words_for_a_window_that_lost_the_focus_are_held_and_go_where_they_are_sent(
    session: Session, open_application: Open
) -> None:
    first = open_application(GTK3)
    second = open_application(QT5)
    session.screen.activate(first.window)
    until(first.focused, "the focus")
    with dictation(session, script("Words.")) as client:
        mark = client.mark()
        client.say(loud(2), meanwhile=lambda: session.screen.activate(second.window))
        client.wait_for(client.sentence("held", why=client.sentence("reason.focus_moved")), since=mark)
        assert first.text("text") == second.text("text") == ""

        client.run("key", "insert")
        client.wait_for("Words.", since=mark)

        assert (first.text("text"), second.text("text")) == ("", "Words.")
        assert [entry.state for entry in client.journal()] == ["verified"]


@pytest.mark.parametrize("program", READABLE, ids=named)
def test_a_password_field_is_refused_and_nothing_is_typed(
    program: Program, session: Session, open_application: Open
) -> None:
    field = open_application(program, "password")
    with dictation(session, script("Secret words.")) as client:
        mark = client.mark()
        client.say(loud(1.5))
        client.wait_for(client.sentence("reason.password"), since=mark)

        assert not any("ecret" in one for one in client.spoken(mark))
        assert not any("ecret" in entry.text for entry in client.journal())
        assert all(field.text(name) == "" for name in ("password", "text", "line"))


def test_a_terminal_that_asks_for_a_password_is_refused(session: Session, open_application: Open) -> None:
    terminal = open_application(VTE, "", "bash", "-c", "printf 'Password: '; read -s word; cat")
    until(lambda: "Password:" in terminal.text("screen"), "the question")
    with dictation(session, script("Secret words.")) as client:
        mark = client.mark()
        client.say(loud(1.5))
        client.wait_for(client.sentence("reason.hidden_input"), since=mark)

        assert terminal.text("terminal") == ""
        assert not any("ecret" in entry.text for entry in client.journal())


# --- the screen reader


class TestWithScreenReader:
    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(sound=True, screen_reader=True)

    @pytest.mark.parametrize("program", [GTK3, QT5, CHROMIUM], ids=named)
    def test_the_words_are_heard_once(self, program: Program, session: Session, open_application: Open) -> None:
        self.open_noticed(program, session, open_application)
        with dictation(session, script("Marvellous words.")) as client:
            client.say(loud(1.5))
            client.wait_for("Marvellous words.")
            session.screen.tap("Left")
            session.speech.wait_for(lambda said: any(one.client == "orca" and one.text == "dot" for one in said))

        heard = [one for one in session.speech.requests if "arvellous" in one.text]
        assert [one.client for one in heard] == ["voice-ime"], session.speech.requests

    def open_noticed(self, program: Program, session: Session, open_application: Open) -> None:
        """Orca may have missed a window that opened while it was still starting: goes there until Orca speaks."""
        other = open_application(GTK3, "button")
        window = open_application(program)
        for _ in range(10):
            session.screen.activate(other.window)
            before = len(session.speech.requests)
            session.screen.activate(window.window)
            with contextlib.suppress(TimeoutError):
                session.speech.wait_for(
                    lambda said: any(one.kind == "SPEAK" and one.client == "orca" for one in said[before:]),  # noqa: B023
                    within_s=2,
                )
                return
        pytest.fail(f"Orca does not speak: {session.speech.requests}")

    def test_in_a_terminal_the_screen_reader_says_the_words(self, session: Session, open_application: Open) -> None:
        self.open_noticed(VTE, session, open_application)
        with dictation(session, script("marvellous")) as client:
            client.say(loud(1.5))
            session.speech.wait_for(lambda said: any("arvellous" in one.text for one in said))
            client.settled()

        heard = [one.client for one in session.speech.requests if "arvellous" in one.text]
        assert heard == ["orca"]


# --- what nobody may find


def test_no_word_is_in_the_log(session: Session, open_application: Open) -> None:
    field = open_application(GTK3)
    client = Dictation(session, script("Marvellous words."))
    client.start("-m voice_ime --log-level debug desktop")
    client.say(loud(1.5))
    client.wait_for("Marvellous words.")
    client.end()

    assert field.text("text") == "Marvellous words."
    assert "arvellous" not in client.log
    assert "gtk3" not in client.log, "the title of the window"


def test_short_words_come_with_their_first_and_last_sound(session: Session, open_application: Open) -> None:
    field = open_application(GTK3)
    with dictation(session) as client:
        client.say(two_cities(SHORT_S))
        until(lambda: field.text("text"), "the words")
        client.settled()

        assert word_error_rate("It was the best of times", field.text("text")) <= WORD_ERROR_RATE
