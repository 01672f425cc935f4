"""Presses from other programs: the socket, and the command voice-ime key."""

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from voice_ime_desktop.hotkeys.base import Press
from voice_ime_desktop.hotkeys.control import WORDS, ControlHotkeys, send

from voice_ime.cli import main
from voice_ime.commands import ExitCode
from voice_ime.errors import DesktopAlreadyRunning, DesktopNotRunning, DesktopUnavailable

PATIENCE_S = 10.0

CLIENT = """
import sys
from pathlib import Path
from voice_ime_desktop.hotkeys.control import ControlHotkeys
ControlHotkeys(Path(sys.argv[1])).start(print)
print("runs", flush=True)
sys.stdin.read()
"""


class Pressed:
    """What came through the socket."""

    def __init__(self) -> None:
        self.presses: list[Press | int] = []
        self._came = threading.Condition()

    def __call__(self, press: Press | int) -> None:
        with self._came:
            self.presses.append(press)
            self._came.notify_all()

    def wait_for(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.presses) >= count, PATIENCE_S)


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def path(runtime: Path) -> Path:
    return runtime / "voice-ime" / "control.sock"


@pytest.fixture
def pressed() -> Pressed:
    return Pressed()


@pytest.fixture
def client(path: Path, pressed: Pressed) -> Iterator[ControlHotkeys]:
    client = ControlHotkeys(path, pressed)
    client.start(pressed)
    yield client
    client.stop()


@pytest.fixture
def other_client(path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A client in another process, so that it can be killed."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CLIENT, str(path)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"runs\n"
        yield process
        process.kill()


def caller(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE_S)
    connection.connect(str(path))
    return connection


def key(runtime: Path, *words: str, language: str = "C") -> int:
    environment = {"XDG_RUNTIME_DIR": str(runtime), "HOME": str(runtime), "LANG": language}
    return main(["key", *words], environment=environment)


# --- the socket


def test_the_socket_is_for_this_user_only(client: ControlHotkeys, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_unknown_word_is_answered_and_presses_nothing(client: ControlHotkeys, path: Path, pressed: Pressed) -> None:
    assert not send(path, "explode")
    assert send(path, "press")
    assert pressed.presses == [Press.TALK_DOWN]


def test_a_text_of_the_journal_is_inserted_by_its_number(client: ControlHotkeys, path: Path, pressed: Pressed) -> None:
    assert send(path, "insert 12")
    assert not send(path, "insert twelve")
    assert pressed.presses == [12]


def test_a_word_that_was_offered_is_taken_by_its_number(path: Path, pressed: Pressed, runtime: Path) -> None:
    taken = Pressed()
    client = ControlHotkeys(path, pressed, taken)
    client.start(pressed)
    assert key(runtime, "take", "2") == ExitCode.OK
    assert not send(path, "press 2")
    client.stop()
    assert (taken.presses, pressed.presses) == ([2], [])


def test_several_words_may_come_on_one_connection(client: ControlHotkeys, path: Path, pressed: Pressed) -> None:
    with caller(path) as connection:
        connection.sendall(b"press\nrelease\n  toggle \r\n")
        pressed.wait_for(3)
    assert pressed.presses == [Press.TALK_DOWN, Press.TALK_UP, Press.TALK_TOGGLE]


def test_a_word_may_come_in_pieces(client: ControlHotkeys, path: Path, pressed: Pressed) -> None:
    with caller(path) as connection:
        for piece in (b"pre", b"ss", b"\n"):
            connection.sendall(piece)
        assert connection.recv(100) == b"taken\n"
    assert pressed.presses == [Press.TALK_DOWN]


def test_a_caller_that_says_nothing_keeps_nobody_waiting(client: ControlHotkeys, path: Path, pressed: Pressed) -> None:
    with caller(path):
        assert send(path, "where")


def test_a_caller_that_does_not_wait_for_the_answer_is_obeyed(
    client: ControlHotkeys, path: Path, pressed: Pressed
) -> None:
    with caller(path) as connection:
        connection.sendall(b"undo\n")
    pressed.wait_for(1)
    assert send(path, "where")


def test_a_caller_that_never_ends_its_line_is_sent_away(client: ControlHotkeys, path: Path) -> None:
    with caller(path) as connection:
        connection.sendall(b"x" * 200)
        with suppress(ConnectionResetError):
            assert connection.recv(100) == b""


# --- one client at a time


def test_a_second_client_is_refused_and_the_first_goes_on(client: ControlHotkeys, path: Path, pressed: Pressed) -> None:
    with pytest.raises(DesktopAlreadyRunning):
        ControlHotkeys(path).start(pressed)
    assert send(path, "repeat")


def test_a_client_may_follow_one_that_has_ended(client: ControlHotkeys, path: Path, pressed: Pressed) -> None:
    client.stop()
    assert not path.exists()
    follower = ControlHotkeys(path)
    follower.start(pressed)
    assert send(path, "repeat")
    follower.stop()


def test_the_socket_of_a_client_that_was_killed_is_replaced(
    other_client: "subprocess.Popen[bytes]", path: Path, pressed: Pressed
) -> None:
    client = ControlHotkeys(path)
    with pytest.raises(DesktopAlreadyRunning):
        client.start(pressed)
    other_client.kill()
    other_client.wait()
    assert path.exists()
    with pytest.raises(DesktopNotRunning):
        send(path, "press")
    client.start(pressed)
    assert send(path, "press")
    client.stop()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, pressed: Pressed) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DesktopUnavailable):
        ControlHotkeys(tmp_path / "file" / "control.sock").start(pressed)


def test_a_path_that_is_too_long_for_a_socket_is_told_and_nothing_stays_locked(
    tmp_path: Path, pressed: Pressed
) -> None:
    path = tmp_path / ("x" * 120) / "control.sock"
    for _ in range(2):
        with pytest.raises(DesktopUnavailable):
            ControlHotkeys(path).start(pressed)


# --- voice-ime key


@pytest.mark.parametrize("word", WORDS)
def test_each_word_of_the_command_is_a_press(
    client: ControlHotkeys, runtime: Path, pressed: Pressed, word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert key(runtime, word) == ExitCode.OK
    assert pressed.presses == [WORDS[word]]
    assert capfd.readouterr() == ("", "")


def test_without_a_client_the_command_says_how_to_start_one(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert key(runtime, "press") == 4
    assert capsys.readouterr().err == "The desktop client is not running.\nStart it with ./dictate\n"
    assert key(runtime, "press", language="zh_CN.UTF-8") == 4
    assert capsys.readouterr().err == "桌面客户端没有运行。\n请用 ./dictate 启动它。\n"


def test_the_complaint_is_in_the_language_of_the_settings(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = runtime / ".config" / "voice-ime" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text('language = "zh"')
    assert key(runtime, "press") == 4
    assert "桌面客户端没有运行" in capsys.readouterr().err


def test_wrong_settings_do_not_hide_the_complaint(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = runtime / ".config" / "voice-ime" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text("language = 7")
    assert key(runtime, "press") == 4
    assert "not running" in capsys.readouterr().err


def test_a_word_that_does_not_exist_is_wrong_usage(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert key(runtime, "explode") == ExitCode.WRONG_USAGE
    assert "explode" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("press", "2"), ("take", "two")])
def test_a_number_where_none_belongs_and_a_word_in_place_of_one_are_wrong_usage(
    client: ControlHotkeys, runtime: Path, pressed: Pressed, words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert key(runtime, *words) == ExitCode.WRONG_USAGE
    assert words[1] in capsys.readouterr().err
    assert pressed.presses == []


def test_the_command_loads_neither_settings_nor_event_loop(client: ControlHotkeys, runtime: Path) -> None:
    code = (
        "import sys; from voice_ime.cli import main; "
        f"assert main(['key', 'where'], environment={{'XDG_RUNTIME_DIR': {str(runtime)!r}}}) == 0; "
        "print(*({'pydantic', 'asyncio', 'websockets', 'numpy'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
