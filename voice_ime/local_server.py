"""A server of our own: a child process that is kept running, and that ends by itself when we do."""

import argparse
import asyncio
import contextlib
import json
import logging
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from voice_ime.client import Address
from voice_ime.errors import PortTaken, ServerEnded, ServerRefused, VoiceImeError

Command = Callable[[int], Sequence[str]]
"""The program and its arguments, for a port (0: any free one)."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How much a server may fail."""

    starts: int = 5
    """So often it is started within `within_s`."""
    within_s: float = 60
    ready_s: float = 120
    """A slow disk may need long to load a model."""
    end_s: float = 5
    """Time to end by itself when it is no longer needed."""


def serve_command(options: Sequence[str] = ()) -> Command:
    """`voice-ime serve` of this very installation, with further options, e.g. ("--engine", "script")."""

    def command(port: int) -> Sequence[str]:
        # -P: a file in the present folder that is called like a module must not be taken for it
        return (sys.executable, "-P", "-m", "voice_ime", "serve", "--port", str(port), "--attached", *options)

    return command


def same_settings(arguments: argparse.Namespace) -> Sequence[str]:
    """The options that give a server of our own the settings that we were started with."""
    names = ("config", "engine", "model", "messages", "log_level")
    given = ((f"--{name.replace('_', '-')}", getattr(arguments, name, None)) for name in names)
    return [word for option, value in given if value is not None for word in (option, str(value))]


class LocalServer:
    """Keeps a server running while `run` does; `address` tells where the present one is.

    It is started again when it dies, on the same port where that is free. Its standard input stays open: when we end,
    however that happens, it ends too. All calls belong on one event loop.
    """

    def __init__(self, command: Command, patience: Patience | None = None) -> None:
        self._command = command
        self._patience = patience or Patience()
        self._address: Address | None = None
        self._failure: VoiceImeError | None = None
        self._changed = asyncio.Condition()
        self.process_id: int | None = None
        """Of the present server; None while there is none."""

    async def address(self, other_than: Address | None = None) -> Address:
        """Waits until a server is ready; after one has died, until the next is, if it is not to be `other_than`.

        Whatever ended `run` is raised here: ServerEnded, ServerRefused.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._failure or self._address not in (None, other_than))
            if self._failure is not None:
                raise self._failure
            assert self._address is not None
            return self._address

    async def run(self) -> None:
        """Until it is cancelled, or until starting again cannot help: then `address` raises the reason."""
        starts: deque[float] = deque(maxlen=self._patience.starts)
        port = 0
        try:
            while True:
                starts.append(time.monotonic())
                port, status = await self._life(port)
                if len(starts) == starts.maxlen and time.monotonic() - starts[0] < self._patience.within_s:
                    raise ServerEnded(status=status)
        except VoiceImeError as error:
            await self._set(None, error)
        except asyncio.CancelledError:  # whoever still waits for an address would wait for ever
            await self._set(None, ServerEnded(status="cancelled"))
            raise

    async def _life(self, port: int) -> tuple[int, int | str]:
        """One server from start to end: (the port to take next, its exit status)."""
        child = await asyncio.create_subprocess_exec(
            *self._command(port),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,  # Ctrl-C is for us: we still want its answer to what was said
        )
        self.process_id = child.pid
        log = asyncio.create_task(_log(child.stderr))
        try:
            address = await self._ready(child)
            await self._set(address, None)
            await _drain(child.stdout)
            return _port(address), await child.wait()
        except ServerRefused as error:
            if port and error.values["code"] == PortTaken.code:
                return 0, PortTaken.code  # by somebody else, since our last server died
            raise
        finally:
            self.process_id = None
            await self._set(None, None)
            await self._end(child)
            log.cancel()
            await asyncio.gather(log, return_exceptions=True)

    async def _ready(self, child: Process) -> Address | None:
        """Where it is; None: it ended without a word."""
        assert child.stdout is not None
        try:
            async with asyncio.timeout(self._patience.ready_s):
                line = await child.stdout.readline()
        except TimeoutError:
            raise ServerEnded(status="timeout") from None
        return read_announcement(line)

    async def _set(self, address: Address | None, failure: VoiceImeError | None) -> None:
        async with self._changed:
            self._address, self._failure = address, failure
            self._changed.notify_all()

    async def _end(self, child: Process) -> None:
        """By closing its standard input; by force where that does not help."""
        assert child.stdin is not None
        child.stdin.close()
        ended = asyncio.ensure_future(child.wait())
        # Not asyncio.timeout: in a task that is being cancelled, as ours is here, it never fires before Python 3.11.3.
        done, _ = await asyncio.wait({ended}, timeout=self._patience.end_s)
        if not done:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
        await ended


def read_announcement(line: bytes) -> Address | None:
    """The one line of an attached server; None where it is no such line. ServerRefused, with the error it tells."""
    try:
        told = json.loads(line)
        error = told.get("error")
        if error is None:
            return Address(str(told["url"]), str(told["token"]))
        refused = ServerRefused(**{name: str(error[name]) for name in ("code", "message", "remedy")})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    raise refused


def _port(address: Address | None) -> int:
    return 0 if address is None else urlsplit(address.url).port or 0


async def _drain(stream: asyncio.StreamReader | None) -> None:
    """Until its end: a full pipe would stop the server."""
    while stream is not None and await stream.read(4096):
        pass


async def _log(stream: asyncio.StreamReader | None) -> None:
    """What the server has to say about itself is for whoever looks into our own log."""
    while stream is not None and (text := await stream.read(4096)):
        logger.info("server: %s", text.decode(errors="replace").rstrip())
