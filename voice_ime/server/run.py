"""Starting and ending the server process."""

import errno
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from voice_ime import protocol as wire
from voice_ime.engine.engines import Engines, only_for_profiles
from voice_ime.engine.speech import SpeechDetector
from voice_ime.errors import CannotListen, PortTaken, ServerError, VoiceImeError
from voice_ime.files import write_atomically
from voice_ime.messages import Messages
from voice_ime.server.app import create_app
from voice_ime.server.auth import new_token
from voice_ime.server.garbage import leave_old_objects_alone
from voice_ime.server.hosts import in_url
from voice_ime.settings import ServerSettings, Settings
from voice_ime.store.sql import SqlStore

GRACE_S = 3
"""Time that open connections get at the end."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Announcement:
    """Tells whoever started the server where it is, once it is ready."""

    attached: bool
    """Started by a program that reads one JSON line and keeps our standard input open for as long as it wants us."""
    token_file: Path
    """Where other programs of this person find the token."""

    def ready(self, address: str, token: str, messages: Messages) -> None:
        if self.attached:
            print(json.dumps({"url": address, "token": token}), flush=True)
        else:
            print(messages("serve.ready", url=address, token_file=self.token_file), flush=True)

    def missing(self, engine: str, error: VoiceImeError, messages: Messages) -> None:
        """Not to a program: whoever's profile asks for the engine is told then."""
        if self.attached:
            logger.warning("an engine that profiles can ask for is not loaded: %s", error.code)
        else:
            reason, advice = messages.error(error)
            print(messages("serve.without", engine=engine, reason=reason, advice=advice), file=sys.stderr, flush=True)

    def failed(self, error: VoiceImeError, messages: Messages) -> None:
        if self.attached:
            message, remedy = messages.error(error)
            print(json.dumps({"error": {"code": error.code, "message": message, "remedy": remedy}}), flush=True)


def serve(settings: Settings, messages: Messages, *, attached: bool, token_file: Path) -> int:
    """Runs until told to end (a signal; when attached, also the end of standard input). 0."""
    announcement = Announcement(attached, token_file)
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
    try:
        listening = _bind(settings.server)
        try:
            _serve_on(listening, settings, messages, announcement)
        finally:
            listening.close()
    except VoiceImeError as error:
        announcement.failed(error, messages)
        raise
    return 0


def _serve_on(listening: socket.socket, settings: Settings, messages: Messages, announcement: Announcement) -> None:
    token = settings.server.token or new_token()
    if not announcement.attached and not settings.server.token:
        write_atomically(announcement.token_file, token.encode())
    with ExitStack() as opened:
        store = None if settings.store.file is None else opened.enter_context(closing(SqlStore(settings.store.file)))
        spare = only_for_profiles(settings.engines)
        engine = opened.enter_context(closing(Engines(settings.engines, spare=spare)))
        app = create_app(settings, engine, SpeechDetector(settings.speech.detector), token, store)
        host, port = listening.getsockname()[:2]
        address = f"ws://{in_url(host)}:{port}{wire.PATH}"

        def ready() -> None:
            leave_old_objects_alone()
            for name, error in engine.missing.items():
                announcement.missing(name, error, messages)
            announcement.ready(address, token, messages)

        server = ReadyServer(uvicorn_config(app, settings.server), ready)
        if announcement.attached:
            _end_with_stdin(server)
        server.run(sockets=[listening])


class ReadyServer(uvicorn.Server):
    """Calls `ready` when it takes connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._say_ready = ready

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM is how a server is meant to end: not to be raised again afterwards, as Ctrl-C is."""
        if sig == signal.SIGTERM and not self.should_exit:
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say_ready()


def uvicorn_config(app: object, settings: ServerSettings) -> uvicorn.Config:
    """How connections are taken. Nothing that is larger than a frame is ever held or unpacked."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        ws="websockets-sansio",
        ws_max_size=settings.max_frame_bytes,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """uvicorn takes a connection that was refused with an answer for one that got none."""
    return "without completing handshake" not in str(record.msg)


def _bind(settings: ServerSettings) -> socket.socket:
    """The socket is taken before anything is loaded, so that a taken port is said at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _not_listening(settings, error) from error
    return listening


def _not_listening(settings: ServerSettings, error: OSError) -> ServerError:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(host=settings.host, port=settings.port)
    number = errno.EADDRNOTAVAIL if isinstance(error, socket.gaierror) else error.errno
    reason = os.strerror(number) if number else type(error).__name__
    return CannotListen(host=settings.host, port=settings.port, detail=reason)


def _end_with_stdin(server: uvicorn.Server) -> None:
    """Reads past the buffer of Python: at its end it wants the lock of that, and would abort while we wait here."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        server.should_exit = True

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
