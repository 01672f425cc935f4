"""What the terminal is given: plain lines, one line that is redrawn, nothing that commands it."""

import io
import os
import pty
import termios
import threading

from voice_ime.terminal import Screen, last_columns, read_keys, unseen_keys

CLEARED = "\r\x1b[K"
PATIENCE_S = 10.0


def screen(width: int | None = 80) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(out, None if width is None else lambda: width), out


def test_a_line_is_written_as_it_is() -> None:
    terminal, out = screen()
    terminal.line("Listening.")
    assert out.getvalue() == "Listening.\n"


def test_a_line_takes_the_place_of_what_was_being_heard() -> None:
    terminal, out = screen()
    terminal.watch("it was")
    terminal.line("It was the best of times.")
    assert out.getvalue() == f"it was{CLEARED}It was the best of times.\n"


def test_only_what_is_new_is_written_while_the_text_grows() -> None:
    terminal, out = screen()
    terminal.watch("it was")
    terminal.watch("it was the best")
    assert out.getvalue() == "it was the best"


def test_text_that_changed_is_written_anew() -> None:
    terminal, out = screen()
    terminal.watch("it was the beast")
    terminal.watch("it was the best")
    assert out.getvalue() == f"it was the beast{CLEARED}it was the best"


def test_text_that_is_wider_than_the_terminal_shows_its_end() -> None:
    terminal, out = screen(width=10)
    terminal.watch("it was the best of times")
    assert out.getvalue() == "…of times"


def test_han_characters_take_two_columns() -> None:
    assert last_columns("这是最好的时代", 14) == "这是最好的时代"
    assert last_columns("这是最好的时代", 10) == "…好的时代"


def test_where_there_is_no_terminal_nothing_is_redrawn() -> None:
    terminal, out = screen(width=None)
    terminal.watch("it was")
    terminal.line("It was.")
    assert out.getvalue() == "It was.\n"


def test_what_was_heard_cannot_command_the_terminal() -> None:
    terminal, out = screen()
    terminal.line("a\x1b[2Jb\rc\x07")
    assert out.getvalue() == "a[2Jbc\n"


def test_clearing_an_empty_line_writes_nothing() -> None:
    terminal, out = screen()
    terminal.clear()
    assert out.getvalue() == ""


def test_each_enter_and_the_end_of_input_are_told() -> None:
    reader, writer = os.pipe()
    ended = threading.Event()
    enters: list[None] = []
    os.write(writer, b"\nwords that do not matter\n")
    os.close(writer)
    read_keys(reader, lambda: enters.append(None), ended.set)
    assert ended.wait(PATIENCE_S)
    os.close(reader)
    assert len(enters) == 2


def test_keys_are_not_shown_while_dictating_and_are_shown_afterwards() -> None:
    controller, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)[3]
    with unseen_keys(terminal):
        during = termios.tcgetattr(terminal)[3]
    after = termios.tcgetattr(terminal)[3]
    os.close(controller)
    os.close(terminal)
    assert before & termios.ECHO
    assert not during & termios.ECHO
    assert during & termios.ISIG
    assert after == before


def test_hiding_keys_needs_no_terminal() -> None:
    reader, writer = os.pipe()
    with unseen_keys(reader):
        pass
    os.close(reader)
    os.close(writer)
