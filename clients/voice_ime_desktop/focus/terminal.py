"""Whether a terminal asks for something that must not be seen, e.g. a password.

A program that asks for one switches the echo of its terminal off and still reads whole lines: `read -s`, getpass, sudo,
passwd, ssh asking for its own password. A shell's prompt switches both off, an ordinary program neither. Programs on
another machine and those that draw the whole screen cannot be told apart that way.
"""

import os
import termios
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PSEUDO_TERMINALS = range(136, 144)
"""Major numbers of Linux."""
_OF_ONE_MAJOR = 256


@dataclass(frozen=True)
class _Process:
    number: int
    parent: int
    terminal: int
    """Number of its controlling terminal as in /proc: major << 8 and parts of the minor; 0: none."""


def hidden_input(process: int) -> bool:
    """Whether a program below `process`, a terminal emulator, reads without showing what is typed.

    One process may have several windows: any of them counts. What may not be looked at counts as not hidden. Some
    milliseconds; waits for nothing.
    """
    below = defaultdict(list)
    own = 0
    for each in _processes():
        below[each.parent].append(each)
        if each.number == process:
            own = each.terminal  # what it was started from: no window of its
    terminals = {each.terminal for each in _descendants(process, below)} - {0, own}
    return any(_hidden(terminal) for terminal in terminals)


def _processes() -> Iterator[_Process]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (found := _process(int(entry))) is not None:
            yield found


def _process(number: int) -> _Process | None:
    try:
        stat = Path(f"/proc/{number}/stat").read_bytes()
    except OSError:  # it has ended, or is not ours to see
        return None
    # After the name, which may hold anything: state, parent, group, session, terminal, ...
    fields = stat[stat.rindex(b")") + 2 :].split(maxsplit=5)
    return _Process(number, int(fields[1]), int(fields[4]))


def _descendants(process: int, below: dict[int, list[_Process]]) -> Iterator[_Process]:
    waiting, seen = [process], {process}
    while waiting:
        for child in below.get(waiting.pop(), ()):
            if child.number not in seen:  # numbers are used again: what was read may have a circle
                seen.add(child.number)
                waiting.append(child.number)
                yield child


def _hidden(terminal: int) -> bool:
    major, minor = os.major(terminal), os.minor(terminal)
    if major not in _PSEUDO_TERMINALS:
        return False
    path = f"/dev/pts/{(major - _PSEUDO_TERMINALS.start) * _OF_ONE_MAJOR + minor}"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        modes = termios.tcgetattr(handle)[3]
    except termios.error:
        return False
    finally:
        os.close(handle)
    return bool(modes & termios.ICANON) and not modes & termios.ECHO
