"""The private desktop itself: what other tests rely on when they use it."""

import socket
import subprocess
from array import array
from pathlib import Path

import pytest

from tests.desktop.applications import ALL, CHROMIUM, GTK3, GTK4, QT5, TK, VTE, Program
from tests.desktop.conftest import Open
from tests.desktop.session import Parts, Session, private_session
from tests.desktop.x11 import until

WITH_FIELDS = (GTK3, GTK4, QT5, CHROMIUM, TK)


def named(program: Program) -> str:
    return program.name


class TestKeys:
    """Without an input method: GTK 4 with IBus mixes up keys that come quickly, and loses those after a new focus."""

    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(input_method=False)

    @pytest.mark.parametrize("program", ALL, ids=named)
    def test_each_program_tells_what_was_typed_into_it(
        self, program: Program, session: Session, open_application: Open
    ) -> None:
        one = open_application(program)

        session.screen.type("hi 5")

        until(lambda: one.text(program.main_field) == "hi 5", "the text")

    @pytest.mark.parametrize("field", ["line", "password"])
    @pytest.mark.parametrize("program", WITH_FIELDS, ids=named)
    def test_the_focus_goes_from_field_to_field(
        self, program: Program, field: str, session: Session, open_application: Open
    ) -> None:
        one = open_application(program)
        one.focus(field)

        session.screen.type("x")

        until(lambda: one.text(field) == "x", "the key")
        assert one.text("text") == ""


def test_the_focus_goes_from_window_to_window(session: Session, open_application: Open) -> None:
    first = open_application(GTK3)
    second = open_application(QT5)
    assert (first.focused(), second.focused()) == (None, "text")

    session.screen.activate(first.window)

    until(lambda: (first.focused(), second.focused()) == ("text", None), "the focus")


def test_a_program_that_asks_for_a_password_in_a_terminal_gets_it_unseen(
    session: Session, open_application: Open
) -> None:
    terminal = open_application(VTE, "", "bash", "-c", "printf 'Password: '; read -s word; echo got $word; cat")
    until(lambda: "Password:" in terminal.text("screen"), "the question")

    session.screen.type("x")
    until(lambda: terminal.text("terminal") == "x", "the key")
    assert "x" not in terminal.text("screen").partition("Password:")[2]

    session.screen.tap("Return")
    until(lambda: "got x" in terminal.text("screen"), "the word")


def test_a_session_leaves_no_process_and_no_file() -> None:
    with private_session(Parts(sound=True)) as session:
        home = session.home
        assert {"Xvfb", "openbox", "dbus-daemon", "ibus-daemon"} <= names(session)
        assert home.is_dir()

    assert session.processes() == []
    assert not home.exists()


def names(session: Session) -> set[str]:
    return {Path(f"/proc/{number}/comm").read_text().strip() for number in session.processes()}


def test_two_sessions_at_once_know_nothing_of_each_other() -> None:
    quiet = Parts(input_method=False)
    with private_session(quiet) as one, private_session(quiet) as other:
        assert one.environment["DISPLAY"] != other.environment["DISPLAY"]
        assert not set(one.processes()) & set(other.processes())


def test_the_input_method_can_be_killed_and_comes_back(session: Session) -> None:
    session.kill("ibus-daemon")
    assert session.named("ibus-daemon") == []

    session.start_input_method()

    assert session.named("ibus-daemon")


class TestSound:
    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(input_method=False, sound=True)

    def test_what_is_played_is_heard_in_the_microphone(self, session: Session) -> None:
        recorder = subprocess.Popen(
            ["parec", "--raw", "--rate=16000", "--channels=1", "--format=s16le", "--latency-msec=20"],
            env=session.environment, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert recorder.stdout is not None
        assert recorder.stdout.read(640)  # it listens
        session.sound.play(b"\x00\x40" * 16_000)

        heard = recorder.stdout.read(32_000)

        recorder.kill()
        recorder.wait()
        recorder.stdout.close()
        loud = [value for value in array("h", heard) if value > 16_000]
        assert len(loud) > 1_000


class TestSpeech:
    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(input_method=False)

    def test_what_clients_want_spoken_is_kept_with_their_name_and_priority(self, session: Session) -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(session.speech.socket))
            answers = line.makefile("rw", encoding="utf-8", newline="\r\n")
            answers.write("SET SELF CLIENT_NAME user:some-client:main\r\nSET SELF PRIORITY message\r\n")
            answers.write("SET SELF NOTIFICATION ALL ON\r\nSPEAK\r\n..one\r\n你好 😀\r\n.\r\n")
            answers.flush()
            codes = [answers.readline()[:3] for _ in range(12)]
            answers.close()

        assert " ".join(codes) == "208 202 220 230 225 225 701 701 701 702 702 702"
        assert session.speech.said("some-client") == [".one\n你好 😀"]
        assert session.speech.requests[0].priority == "message"


class TestScreenReader:
    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(screen_reader=True)

    def test_orca_speaks_the_window_that_gets_the_focus(self, session: Session, open_application: Open) -> None:
        open_application(GTK3, "button")

        session.speech.wait_for(lambda said: any("Press" in one.text for one in said if one.client == "orca"))
