"""Presses that come from other programs, through a socket: for keys that the person has bound elsewhere.

A line is a word, e.g. `press`, or one with a number: `insert` and that of a text in the journal, `take` and that of a
word that was offered. The answer is a line, `taken` or `unknown`. Light, so that `voice-ime key` is quick.
"""

import fcntl
import os
import re
import selectors
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from voice_ime.errors import DesktopAlreadyRunning, DesktopNotRunning, DesktopUnavailable
from voice_ime_desktop.hotkeys.base import Hotkeys, OnPress, Press

WORDS: Mapping[str, Press] = {
    "press": Press.TALK_DOWN,
    "release": Press.TALK_UP,
    "toggle": Press.TALK_TOGGLE,
    "cancel": Press.CANCEL,
    "insert": Press.INSERT_HELD,
    "repeat": Press.REPEAT,
    "where": Press.WHERE,
    "undo": Press.UNDO,
    "changes": Press.CHANGES,
    "explain": Press.EXPLAIN,
    "take": Press.TAKE,
}
NUMBERED = ("insert", "take")
"""The words that may have a number."""
OnNumber = Callable[[int], None]
"""As `OnPress`."""

_TAKEN, _UNKNOWN = b"taken\n", b"unknown\n"
_LONGEST = 64
"""Bytes of a line; what is longer means nothing."""
_PATIENCE_S = 2.0


def send(path: Path, line: str) -> bool:
    """Tell `line` to the client whose socket is at `path`; False: it knows no such thing.

    DesktopNotRunning where nobody answers.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE_S)
        try:
            connection.connect(str(path))
            connection.sendall(line.encode() + b"\n")
            answer = connection.recv(_LONGEST)
        except OSError as error:
            raise DesktopNotRunning() from error
    if not answer:
        raise DesktopNotRunning()
    return answer == _TAKEN


class ControlHotkeys(Hotkeys):
    """The client's end of the socket, on a thread of its own. It also sees to it that only one client runs.

    The socket of a client that was killed is replaced. `on_insert`: is told, as presses are, which text of the journal
    is to be inserted. `on_take`: which of the words that were offered is to be written.
    """

    def __init__(self, path: Path, on_insert: OnNumber | None = None, on_take: OnNumber | None = None) -> None:
        self._path = path
        self._numbered = dict(zip(NUMBERED, (on_insert, on_take), strict=True))
        self._thread: threading.Thread | None = None
        self._wake = -1
        self._held = ExitStack()
        """Socket and lock, while it runs."""

    def start(self, on_press: OnPress) -> None:
        """DesktopAlreadyRunning where another client has the socket, DesktopUnavailable("control", reason)."""
        self.stop()
        with ExitStack() as held:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                held.enter_context(_Lock(self._path.with_suffix(".lock")))
                listener = held.enter_context(_listener(self._path))
            except OSError as error:  # also a path that is too long for a socket
                raise DesktopUnavailable("control", error.strerror or str(error)) from error
            held.callback(self._path.unlink, missing_ok=True)
            asleep, self._wake = os.pipe()
            self._held = held.pop_all()
        obey = partial(self._obey, on_press)
        self._thread = threading.Thread(target=_serve, args=(listener, asleep, obey), name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        os.close(self._wake)  # the other end becomes readable
        thread.join()
        self._held.close()

    def _obey(self, on_press: OnPress, line: str) -> bool:
        if (press := WORDS.get(line)) is not None:
            on_press(press)
            return True
        numbered = re.fullmatch(r"(\w+) (\d{1,18})", line, re.ASCII)
        on_number = self._numbered.get(numbered[1]) if numbered else None
        if numbered is None or on_number is None:
            return False
        on_number(int(numbered[2]))
        return True


class _Lock:
    """A file that one process at a time can lock; the kernel unlocks it however that process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def __enter__(self) -> None:
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise DesktopAlreadyRunning() from None

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _listener(path: Path) -> socket.socket:
    """A socket that only this user can connect to; the lock is ours, so one that is there is a dead client's."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)  # before anybody can connect
        listener.listen()
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


# --- the thread


Obey = Callable[[str], bool]
"""Does what a line says; False: it says nothing that is known."""


def _serve(listener: socket.socket, asleep: int, obey: Obey) -> None:
    """Until the other end of `asleep` is closed."""
    with selectors.DefaultSelector() as ready, ExitStack() as stack:
        stack.callback(os.close, asleep)
        ready.register(listener, selectors.EVENT_READ)
        ready.register(asleep, selectors.EVENT_READ)
        callers = _Callers(ready, obey)
        stack.callback(callers.close)
        while True:
            sources = [key.fileobj for key, _ in ready.select()]
            if asleep in sources:
                return
            for source in sources:
                if source is listener:
                    callers.welcome(listener)
                elif isinstance(source, socket.socket):
                    callers.hear(source)


class _Callers:
    """The programs that are connected; a slow one keeps nobody waiting."""

    def __init__(self, ready: selectors.BaseSelector, obey: Obey) -> None:
        self._ready = ready
        self._obey = obey
        self._begun: dict[socket.socket, bytes] = {}
        """The line that each has begun."""

    def welcome(self, listener: socket.socket) -> None:
        with suppress(OSError):  # it is gone already
            caller, _ = listener.accept()
            caller.setblocking(False)
            self._begun[caller] = b""
            self._ready.register(caller, selectors.EVENT_READ)

    def hear(self, caller: socket.socket) -> None:
        try:
            said = caller.recv(_LONGEST)
        except OSError:
            said = b""
        *lines, begun = (self._begun[caller] + said).split(b"\n")
        for line in lines:
            self._answer(caller, self._obey(line.decode(errors="replace").strip()))
        self._begun[caller] = begun
        if not said or len(begun) > _LONGEST:
            self._dismiss(caller)

    def close(self) -> None:
        for caller in list(self._begun):
            self._dismiss(caller)

    def _answer(self, caller: socket.socket, known: bool) -> None:
        with suppress(OSError):  # who does not wait for the answer needs none
            caller.send(_TAKEN if known else _UNKNOWN, socket.MSG_NOSIGNAL)

    def _dismiss(self, caller: socket.socket) -> None:
        del self._begun[caller]
        self._ready.unregister(caller)
        caller.close()
