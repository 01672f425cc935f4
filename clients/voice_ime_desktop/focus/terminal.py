"""Whether a terminal asks for something that must not be seen, e.g. a password.

A program that asks for one switches the echo of its terminal off and still reads whole lines: `read -s`, getpass, sudo,
passwd, ssh asking for its own password. A shell's prompt switches both off, an ordinary program neither. Programs on
another machine and those that read single keys cannot be told apart that way.
"""

import os
import termios
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PSEUDO_TERMINALS = range(136, 144)
"""Major numbers of Linux."""
_OF_ONE_MAJOR = 256

_SHOWS_WHAT_RUNS_ELSEWHERE = {"tmux: client": "tmux: server", "screen": "screen", "zellij": "zellij"}
"""Name of a program in the terminal -> name of the processes, not below it, whose programs it shows."""


@dataclass(frozen=True)
class _Process:
    number: int
    name: str
    parent: int
    terminal: int
    """Number of its controlling terminal as in /proc: major << 8 and parts of the minor; 0: none."""


def hidden_input(process: int) -> bool:
    """Whether a program below `process`, a terminal emulator, reads without showing what is typed.

    One process may have several windows, and tmux several panes: any of them counts. What may not be looked at counts
    as not hidden. Takes some milliseconds; waits for nothing.
    """
    everything = {each.number: each for each in _processes()}
    if process not in everything:
        return False
    shown = _shown(process, everything)
    started_from = everything[process].terminal  # no window of its own
    return any(_hidden(terminal) for terminal in {each.terminal for each in shown} - {0, started_from})


def shows(process: int, other: int) -> bool:
    """Whether `other` runs in a window of `process`, a terminal emulator, also inside tmux and the like."""
    everything = {each.number: each for each in _processes()}
    return process in everything and any(each.number == other for each in _shown(process, everything))


def _processes() -> Iterator[_Process]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (found := _process(int(entry))) is not None:
            yield found


def _process(number: int) -> _Process | None:
    try:
        stat = Path(f"/proc/{number}/stat").read_bytes()
    except OSError:  # it has ended, or is not ours to see
        return None
    # number (name, which may hold anything) state parent group session terminal ...
    name, _, rest = stat.partition(b"(")[2].rpartition(b")")
    fields = rest.split(maxsplit=5)
    return _Process(number, name.decode(errors="replace"), int(fields[1]), int(fields[4]))


def _shown(process: int, everything: Mapping[int, _Process]) -> list[_Process]:
    """What runs in the windows of `process`; with tmux and the like also what that keeps running by itself."""
    below = defaultdict(list)
    for each in everything.values():
        below[each.parent].append(each)
    shown = list(_descendants(process, below))
    elsewhere = {_SHOWS_WHAT_RUNS_ELSEWHERE.get(each.name) for each in shown}
    servers = [each.number for each in everything.values() if each.name in elsewhere]
    return shown + [each for server in servers for each in _descendants(server, below)]


def _descendants(process: int, below: Mapping[int, list[_Process]]) -> Iterator[_Process]:
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
