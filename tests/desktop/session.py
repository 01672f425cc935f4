"""A private desktop session without a screen: X server, window manager, buses, input method, sound, speech.

Nothing of it touches the session of the person who runs it, several can live at once, as root or not, and all that was
started in it is gone when it ends. Free of pytest, so that benchmarks can use it.
"""

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from scripts.check import TESTS_NEED, is_there
from tests.audio.sound_service import SoundService
from tests.desktop.ssip_server import SpeechService
from tests.desktop.x11 import Screen, until

MARK = "VOICE_IME_TEST_SESSION"
"""Every process of a session has this in its environment: so they are all found again, whoever started them."""

_ORCA_WITHIN_S = (15, 30, 60)
_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37


class PackageMissing(Exception):
    """`package`: the Debian package without which there can be no such session."""

    def __init__(self, package: str) -> None:
        super().__init__(package)
        self.package = package


def require(*packages: str) -> None:
    """PackageMissing unless these Debian packages, of those that the tests need, are there."""
    for package in packages:
        if not is_there(TESTS_NEED[package], os.environ["PATH"]):
            raise PackageMissing(package)


@dataclass(frozen=True)
class Parts:
    """What a session has besides screen, window manager, D-Bus and accessibility."""

    input_method: bool = True
    accessible: bool = True
    """Accessibility is on before any program starts, as where a screen reader runs. Chromium that was started before
    shows itself only after the next key."""
    sound: bool = False
    """A virtual microphone to play into."""
    speech: bool = True
    """The recording speech service."""
    screen_reader: bool = False
    """Orca; needs `speech`."""


@dataclass
class Session:
    """`environment` is what a program needs to run inside; it holds nothing of the person's own session."""

    home: Path
    environment: dict[str, str]
    sound: SoundService
    speech: SpeechService
    parts: Parts
    _started: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _screen: Screen | None = None

    @property
    def screen(self) -> Screen:
        """Keys and windows."""
        if self._screen is None:
            self._screen = Screen(self.environment["DISPLAY"])
        return self._screen

    def start(
        self, command: Sequence[str], *, more: Mapping[str, str] | None = None, pipes: bool = False,
        inherit: Sequence[int] = (), errors: IO[bytes] | None = None,
    ) -> "subprocess.Popen[bytes]":  # fmt: skip
        """Start a program inside. `pipes`: its standard input and output are pipes to us, else they are nothing."""
        process = subprocess.Popen(
            command,
            env=self.environment | dict(more or {}),
            cwd=self.home,
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stderr=errors or subprocess.DEVNULL,
            pass_fds=inherit,
            start_new_session=True,  # Ctrl-C in the tests is not for them: the session ends them
        )
        self._started.append(process)
        return process

    # --- the parts, each of which can be killed and started again

    def start_input_method(self) -> None:
        """IBus, ready for programs of every toolkit; a running one is replaced."""
        require("ibus")
        before = self._input_method_address()
        self.start(["ibus-daemon", "--xim", "--replace", "--panel", "disable"])
        until(lambda: self._input_method_address() not in (before, ""), "IBus")
        until(self.screen.has_input_method, "IBus for XIM")

    def _input_method_address(self) -> str:
        """What IBus wrote for programs to find it; one that was killed leaves its own."""
        files = (self.home / ".config" / "ibus" / "bus").glob("*")
        return "".join(file.read_text() for file in files if file.is_file())

    def start_screen_reader(self) -> None:
        """Orca; returns when it has said that it is there. On a busy machine it may give up, so it is started again."""
        require("orca")
        for within_s in _ORCA_WITHIN_S:
            process = self.start(["orca", "--replace"])
            with contextlib.suppress(TimeoutError):
                self.speech.wait_for(lambda said: any("Screen reader on" in one.text for one in said), within_s)
                return
            process.kill()
        raise TimeoutError("Orca does not start")

    def processes(self) -> list[int]:
        """Every process of this session that lives, also those that others started in it."""
        mark = f"{MARK}={self.environment[MARK]}".encode()
        return [number for number in _processes() if mark in _environment_of(number)]

    def named(self, name: str) -> list[int]:
        """Its processes whose program has this name, e.g. "ibus-daemon"."""
        return [number for number in self.processes() if _name_of(number) == name[:15]]

    def kill(self, name: str) -> None:
        """SIGKILL to every process of that name; returns when none is left."""
        for number in self.named(name):
            _signal(number, signal.SIGKILL)
        until(lambda: not self._living(name), f"the end of {name}")

    def end(self) -> None:
        """End all that was started; nothing is left."""
        every = self.processes()
        if self._screen is not None:
            self._screen.close()
        self.sound.kill()
        self.speech.stop()
        for process in reversed(self._started):
            process.terminate()
        for number in every:
            _signal(number, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            until(lambda: not self._living(), "the end", 2)
        for number in self.processes():
            _signal(number, signal.SIGKILL)
        for process in self._started:
            process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
        until(lambda: not self.processes(), "the end of all processes", 10)
        bury(every)

    def _living(self, name: str | None = None) -> list[int]:
        for process in self._started:
            process.poll()
        return self.processes() if name is None else self.named(name)


@contextmanager
def private_session(parts: Parts | None = None) -> Iterator[Session]:
    """A session that runs, with `parts`. PackageMissing names the Debian package that it would need."""
    parts = parts or Parts()
    folder = Path(tempfile.mkdtemp(prefix="vi-"))  # short: the names of sockets may have 107 characters
    session = _new(folder, parts)
    with _adopting():
        try:
            _start(session)
            yield session
        finally:
            session.end()
            shutil.rmtree(folder, ignore_errors=True)


def _new(folder: Path, parts: Parts) -> Session:
    (folder / "run").mkdir(mode=0o700)
    (folder / "sound").mkdir()
    sound = SoundService(folder / "sound")
    speech = SpeechService(folder / "run" / "speech-dispatcher" / "speechd.sock")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "XDG_SESSION_TYPE": "x11",
        "XDG_CURRENT_DESKTOP": "voice-ime-test",
        "LANG": "C.UTF-8",
        "GTK_IM_MODULE": "ibus" if parts.input_method else "gtk-im-context-simple",
        "QT_IM_MODULE": "ibus" if parts.input_method else "compose",
        "XMODIFIERS": "@im=ibus" if parts.input_method else "@im=none",
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        "GSK_RENDERER": "cairo",
        "GSETTINGS_BACKEND": "memory",
        "SPEECHD_ADDRESS": f"unix_socket:{speech.socket}",
        MARK: uuid.uuid4().hex,
        **sound.environment,
    }
    return Session(folder, environment, sound, speech, parts)


def _start(session: Session) -> None:
    parts = session.parts
    require("xvfb", "openbox", "dbus-daemon", "at-spi2-core", "fonts-dejavu-core")
    if parts.speech:
        session.speech.start()
    _start_screen(session)
    _start_bus(session)
    session.start(["openbox", "--sm-disable"])
    until(session.screen.managed, "the window manager")
    if parts.accessible:
        _switch_accessibility_on(session)
    if parts.input_method:
        session.start_input_method()
    if parts.sound:
        require("pulseaudio", "pulseaudio-utils")
        session.sound.start()
    if parts.screen_reader:
        session.start_screen_reader()


def _start_screen(session: Session) -> None:
    """Without -noreset it would reset when its last client leaves, and the next one would fail."""
    ours, theirs = os.pipe()
    options = ["-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    session.start(["Xvfb", "-displayfd", str(theirs), *options], inherit=(theirs,))
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        session.environment["DISPLAY"] = ":" + pipe.readline().strip()  # comes when it is ready


def _start_bus(session: Session) -> None:
    bus = session.start(["dbus-daemon", "--session", "--nofork", "--print-address=1"], pipes=True)
    assert bus.stdout is not None
    session.environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()


def _switch_accessibility_on(session: Session) -> None:
    command = ["dbus-send", "--session", "--print-reply", "--dest=org.a11y.Bus", "/org/a11y/bus"]
    command += ["org.freedesktop.DBus.Properties.Set", "string:org.a11y.Status", "string:IsEnabled"]
    subprocess.run(
        [*command, "variant:boolean:true"], env=session.environment, stdout=subprocess.DEVNULL, check=True, timeout=30
    )


# --- processes


@contextmanager
def _adopting() -> Iterator[None]:
    """Orphans below us become our children: in a container there may be nobody else who takes notice of their end."""
    libc, before = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, before.value, 0, 0, 0)


def bury(numbers: Sequence[int]) -> None:
    """Take notice of the end of orphans that we adopted."""
    for number in numbers:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(number, os.WNOHANG)


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _environment_of(number: int) -> list[bytes]:
    try:
        return Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is somebody else's
        return []


def _name_of(number: int) -> str:
    try:
        return Path(f"/proc/{number}/comm").read_text().strip()
    except OSError:
        return ""


def _signal(number: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(number, which)


def descendants(process: int) -> list[int]:
    """All processes below this one."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [*map(int, listed), *itertools.chain.from_iterable(descendants(int(child)) for child in listed)]
