"""A program in a terminal of its own, driven by keys as a person would."""

import codecs
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from tests.needs import ROOT

ENTER = b"\n"
CTRL_C = b"\x03"


class Terminal:
    """`shown` is everything that was written so far."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._controller, terminal = pty.openpty()
        self.shown = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may come in two pieces
        self.process = subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=dict(environment), preexec_fn=_own_terminal
        )
        os.close(terminal)

    def press(self, key: bytes) -> None:
        os.write(self._controller, key)

    def wait_for(self, pattern: str, within_s: float = 60) -> "re.Match[str]":
        """Reads on until `pattern` was shown."""
        until = time.monotonic() + within_s
        while (match := re.search(pattern, self.shown)) is None:
            left = until - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"{pattern!r} was not shown in {self.shown!r}")
        return match

    def end(self, within_s: float = 60) -> int:
        """Reads to the end. The exit status."""
        while self._read(within_s):
            pass
        return self.process.wait(within_s)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._controller)

    def _read(self, within_s: float) -> bool:
        if not select.select([self._controller], [], [], within_s)[0]:
            return False
        try:
            block = os.read(self._controller, 65536)
        except OSError:  # the program has ended
            return False
        self.shown += self._decoder.decode(block).replace("\r\n", "\n")
        return bool(block)


def voice_ime(*words: str) -> list[str]:
    return [sys.executable, "-m", "voice_ime", *words]


def environment(**more: str) -> dict[str, str]:
    """Ours, with this checkout to be imported."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "clients")])
    return os.environ | {"PYTHONPATH": paths, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm"} | more


def _own_terminal() -> None:
    """Ctrl-C reaches the program only where the terminal is its controlling one."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
