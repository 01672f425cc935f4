"""Terminals that ask for a password, and those that do not: real programs in a pseudo terminal of the test's."""

import os
import pty
import select
import shlex
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from voice_ime_desktop.focus.terminal import hidden_input, shows

from tests.needs import needs_debian

PATIENCE_S = 20.0
BASH = ["bash", "--norc", "--noprofile"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "TERM": "dumb", "PS1": "ready> ", "LC_ALL": "C"}
GETPASS = [sys.executable, "-c", "import getpass; getpass.getpass('secret: ')"]


class Terminal:
    """A program in a terminal of its own, as a terminal emulator would start it: our child, with a pty."""

    def __init__(self, command: Sequence[str]) -> None:
        self._ours, theirs = pty.openpty()
        self._said = b""
        self._program = subprocess.Popen(
            [sys.executable, "-c", _TAKE_THE_TERMINAL, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=ENVIRONMENT,
            start_new_session=True,
        )
        os.close(theirs)

    @property
    def process(self) -> int:
        return self._program.pid

    def type(self, line: str) -> None:
        os.write(self._ours, line.encode() + b"\n")

    def wait_for(self, said: str) -> None:
        while said.encode() not in self._said:
            ready, _, _ = select.select([self._ours], [], [], PATIENCE_S)
            assert ready, f"{said!r} did not come"
            self._said += os.read(self._ours, 4096)
        self._said = self._said.split(said.encode(), 1)[1]

    def modes(self) -> int:
        return int(termios.tcgetattr(self._ours)[3])

    def close(self) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._ours)


_TAKE_THE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""

Opens = Callable[..., Terminal]


@pytest.fixture
def opens() -> Iterator[Opens]:
    with ExitStack() as stack:

        def opens(*command: str) -> Terminal:
            terminal = Terminal(command)
            stack.callback(terminal.close)
            return terminal

        yield opens


def until_hidden(hidden: bool, process: int | None = None) -> bool:
    """What is said of the terminals of `process`, else ours, once that is `hidden` or patience is at its end."""
    end = select.poll()
    for _ in range(int(PATIENCE_S * 100)):
        if hidden_input(process or os.getpid()) is hidden:
            return hidden
        end.poll(10)
    return not hidden


def test_a_process_without_terminals_hides_nothing() -> None:
    assert not hidden_input(os.getpid())


def test_a_process_that_does_not_exist_hides_nothing() -> None:
    assert not hidden_input(2**30)


def test_a_shell_at_its_prompt_hides_nothing(opens: Opens) -> None:
    shell = opens(*BASH)
    shell.wait_for("ready> ")
    assert not hidden_input(os.getpid())


def test_a_program_that_reads_lines_hides_nothing(opens: Opens) -> None:
    opens("cat").type("something")
    assert not hidden_input(os.getpid())


def test_a_program_that_reads_single_keys_hides_nothing(opens: Opens) -> None:
    keys = opens(sys.executable, "-c", "import tty; tty.setraw(0); print('raw', flush=True); input()")
    keys.wait_for("raw")
    assert not keys.modes() & (termios.ECHO | termios.ICANON)
    assert not hidden_input(os.getpid())


def test_a_silent_read_of_the_shell_is_hidden_and_no_longer_once_it_was_answered(opens: Opens) -> None:
    shell = opens(*BASH)
    shell.wait_for("ready> ")
    shell.type("read -s -p 'secret: ' word")
    shell.wait_for("\nsecret: ")
    assert until_hidden(True)
    shell.type("xylophone")
    assert not until_hidden(False)


def test_getpass_is_hidden(opens: Opens) -> None:
    opens(*GETPASS).wait_for("secret: ")
    assert hidden_input(os.getpid())


def test_a_password_asked_for_deep_below_a_shell_is_hidden(opens: Opens) -> None:
    opens("bash", "-c", "bash -c \"$0 -c 'import getpass; getpass.getpass()' ; true\"; true", sys.executable).wait_for(
        "Password: "
    )
    assert hidden_input(os.getpid())


def test_a_password_asked_for_in_a_terminal_within_the_terminal_is_hidden(opens: Opens) -> None:
    needs_debian("bsdutils", "script")
    opens("script", "-qec", "bash -c 'read -s -p secret: word'", "/dev/null").wait_for("secret:")
    assert until_hidden(True)


def test_a_password_asked_for_in_tmux_is_hidden(opens: Opens, tmp_path: Path) -> None:
    """What tmux shows runs below a process of its own, outside the terminal."""
    needs_debian("tmux")
    tmux = ["tmux", "-f", "/dev/null", "-S", str(tmp_path / "tmux")]
    asking = shlex.join([*tmux, "new-session", "bash -c 'read -s word'"])
    window = opens("bash", "-c", f"export TERM=xterm LC_ALL=C.UTF-8; {asking}; true")
    try:
        assert until_hidden(True, window.process)
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


def test_one_of_several_windows_is_enough(opens: Opens) -> None:
    opens("cat")
    opens(*GETPASS).wait_for("secret: ")
    assert hidden_input(os.getpid())


def test_the_terminal_of_another_process_does_not_count(opens: Opens) -> None:
    opens(*GETPASS).wait_for("secret: ")
    quiet = opens("cat")
    assert not hidden_input(quiet.process)


def test_the_terminal_that_a_terminal_emulator_was_started_from_does_not_count(opens: Opens) -> None:
    emulator = opens("bash", "-c", "stty -echo; echo started; cat; true")
    emulator.wait_for("started")
    assert hidden_input(os.getpid())
    assert not hidden_input(emulator.process)


def test_a_program_whose_name_looks_like_numbers_confuses_nothing(opens: Opens, tmp_path: Path) -> None:
    odd = tmp_path / ") S 1 2 3 (4"
    odd.symlink_to("/bin/sh")
    opens(str(odd), "-c", "stty -echo; echo asking; read word").wait_for("asking")
    assert hidden_input(os.getpid())


# --- who shows whom


def test_a_terminal_shows_what_runs_in_it_and_nothing_else(opens: Opens) -> None:
    one, other = opens("cat"), opens("cat")
    assert shows(os.getpid(), one.process)
    assert not shows(one.process, other.process)
    assert not shows(one.process, os.getpid())
    assert not shows(2**30, one.process)


def test_a_terminal_shows_what_runs_in_its_tmux(opens: Opens, tmp_path: Path) -> None:
    needs_debian("tmux")
    tmux = ["tmux", "-f", "/dev/null", "-S", str(tmp_path / "tmux")]
    asking = shlex.join([*tmux, "new-session", f"echo $$ > {tmp_path}/inside; read -s word"])
    window = opens("bash", "-c", f"export TERM=xterm LC_ALL=C.UTF-8; {asking}; true")
    try:
        assert until_hidden(True, window.process)
        assert shows(window.process, int((tmp_path / "inside").read_text()))
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
