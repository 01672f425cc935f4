"""Small real programs with fields, run inside a private session; each tells by itself what stands in its fields."""

import json
import os
import select
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.desktop.session import Session, bury, descendants, require
from tests.desktop.x11 import until

APPS = Path(__file__).parent / "apps"
SYSTEM_PYTHON = "/usr/bin/python3"


@dataclass(frozen=True)
class Program:
    """One file of `apps`."""

    name: str
    packages: tuple[str, ...]
    """The Debian packages that it needs."""
    main_field: str = "text"
    python: str = SYSTEM_PYTHON


GTK3 = Program("gtk3", ("python3-gi", "gir1.2-gtk-3.0", "ibus-gtk3"))
GTK4 = Program("gtk4", ("python3-gi", "gir1.2-gtk-4.0", "ibus-gtk4"))
QT5 = Program("qt5", ("python3-pyqt5",))
CHROMIUM = Program("chromium", ("chromium",), python=sys.executable)
VTE = Program("vte", ("python3-gi", "gir1.2-vte-2.91", "ibus-gtk3"), main_field="terminal")
XTERM = Program("xterm", ("xterm", "x11-utils"), main_field="terminal", python=sys.executable)
TK = Program("tk", ("python3-tk",))
ALL = (GTK3, GTK4, QT5, CHROMIUM, VTE, XTERM, TK)


class Application:
    """A program that runs. Its standard error is dropped: toolkits complain about everything."""

    def __init__(self, session: Session, program: Program, field: str, more: Sequence[str]) -> None:
        require(*program.packages)
        self.name = program.name
        self._session = session
        self._rest = b""
        before = set(session.screen.windows())
        command = [program.python, str(APPS / f"{program.name}.py"), field, *more]
        self.process = session.start(command, pipes=True)
        until(lambda: self.focused() == field, f"the focus in {program.name}", 30)
        self.window: int = until(lambda: self._window(before), f"the window of {program.name}") or 0

    def text(self, field: str) -> str:
        """What stands in `field`, as the program itself sees it."""
        return str(self._ask(f"text {field}")["text"])

    def focus(self, field: str) -> None:
        """Move the focus inside the program, as its own Tab key would; returns when it is there."""
        self._ask(f"focus {field}")
        until(lambda: self.focused() == field, f"the focus in {field}")

    def focused(self) -> str | None:
        """The field that has the keyboard; None: none of this program's."""
        field = self._ask("focused")["field"]
        return None if field is None else str(field)

    def close(self) -> None:
        """End the program and all that it started."""
        below = descendants(self.process.pid)
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(20)
        until(lambda: not set(below) & set(self._session.processes()), f"the end of {self.name}")
        bury(below)

    def _window(self, before: set[int]) -> int | None:
        active = self._session.screen.active()
        return active if active not in before else None

    def _ask(self, request: str, within_s: float = 30) -> dict[str, object]:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(request.encode() + b"\n")
        stdin.flush()
        end = time.monotonic() + within_s
        while b"\n" not in self._rest:
            if not select.select([stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"{self.name} does not answer")
            block = os.read(stdout.fileno(), 65536)
            if not block:
                raise RuntimeError(f"{self.name} has ended")
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, object] = json.loads(line)
        return answer


@contextmanager
def application(session: Session, program: Program, field: str = "", *more: str) -> Iterator[Application]:
    """`program`, its `field` ("" is its main one) in focus. PackageMissing."""
    one = Application(session, program, field or program.main_field, more)
    try:
        yield one
    finally:
        one.close()
