"""The client of the wire: sends sound, gets finals, and sees to it that nothing is lost or doubled by a cut."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeGuard

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from voice_ime import __version__
from voice_ime import protocol as wire
from voice_ime.errors import BadMessage, ServerRefused, ServerUnreachable
from voice_ime.outbox import LONGEST_FRAME, Mark, Outbox

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 2.0
OPEN_TIMEOUT_S = 10
GOODBYE_S = 2
RETRIED = frozenset({"server_full", "server_busy", "internal", "hello_timeout"})
"""Fatal errors after which trying again may help."""

PUT_RIGHT = frozenset({"audio_gap", "audio_overlap"})
"""Errors that are put right here before anybody could do anything, so nobody is told."""

ONCE = frozenset({"own_engine_missing"})
"""Errors that are told once, though each server that is started anew says them again."""

logger = logging.getLogger(__name__)
_wire_logger = logging.getLogger(f"{__name__}.wire")
_wire_logger.setLevel(logging.INFO)  # below it the library logs every message, and with it what was said


@dataclass(frozen=True)
class Address:
    url: str
    """ws://host:port/v1/dictate"""
    token: str


@dataclass(frozen=True)
class ClientOptions:
    """What to ask for; see `protocol.Hello`."""

    language: str | None = None
    endpoints: bool = True
    endpoint_delay_s: float | None = None
    partials: bool = True
    messages: Literal["en", "zh"] = "en"
    profile: str | None = None


@dataclass(frozen=True)
class Connected:
    ready: wire.Ready
    again: bool
    """Whether there was a connection before."""


@dataclass(frozen=True)
class Disconnected:
    """The server cannot be reached just now; what is said is kept and sent later."""


Event = (
    Connected
    | Disconnected
    | wire.Partial
    | wire.Final
    | wire.Finalized
    | wire.Cancelled
    | wire.CorrectionTaken
    | wire.Explained
    | wire.Error
)


class DictationClient:
    """One dictation session. All calls belong on one event loop.

    `run` is to be running; `events` tells what happens. Each final is told once; say `kept` when it is safe.
    """

    def __init__(self, address: Callable[[], Awaitable[Address]], options: ClientOptions) -> None:
        self._address = address
        self._options = options
        self._session = secrets.token_urlsafe(16)
        self._outbox = Outbox()
        self._connection: ClientConnection | None = None
        self._to_send: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._context = wire.Context()
        self._context_sent = True
        self._corrections: list[wire.Correction] = []
        """Those without an answer."""
        self._sent_again_from = -1
        self._was_connected = False
        self._silence_told = False
        self._told_once: set[str] = set()
        self._closing = asyncio.Event()

    @property
    def position(self) -> int:
        """Samples given to `send` so far."""
        return self._outbox.position

    def send(self, pcm: bytes) -> None:
        """16-bit little-endian samples, mono, 16 kHz; whole samples, any number."""
        for start in range(0, len(pcm), 2 * LONGEST_FRAME):
            self._say(self._outbox.add(pcm[start : start + 2 * LONGEST_FRAME]))

    def finalize(self) -> int:
        """Ask for the finals of all that was sent; `Finalized` with the returned sample follows them."""
        return self._mark(self._outbox.finalize())

    def cancel(self, start: int = 0) -> int:
        """Forget what was sent from `start` on and has no final; `Cancelled` with the returned sample follows."""
        return self._mark(self._outbox.cancel(start))

    def context(self, context: wire.Context) -> None:
        """What stands around the caret now."""
        self._context = context
        self._context_sent = self._say(context)

    def explain(self, question: wire.Explain) -> bool:
        """`Explained` follows, if the connection holds. False: there is none just now."""
        return self._say(question)

    def correct(self, correction: wire.Correction) -> None:
        """`CorrectionTaken` follows."""
        self._corrections.append(correction)
        self._say(correction)

    def kept(self, final: wire.Final) -> None:
        """The final is safe; the server may forget it."""
        inserted = "".join(edit.text for edit in final.edits)
        self._context = self._context.model_copy(update={"before": (self._context.before + inserted)[-2000:]})
        self._say(wire.Kept(utterance=final.utterance))

    async def events(self) -> AsyncIterator[Event]:
        """What happens, until `close` or a fatal error."""
        while (event := await self._events.get()) is not None:
            yield event

    async def run(self) -> None:
        """Keeps connected until `close`. VoiceImeError where trying again cannot help."""
        try:
            wait = FIRST_WAIT_S
            while not self._closing.is_set():
                if await self._one_connection():
                    wait = FIRST_WAIT_S
                await self._pause(wait)
                wait = min(2 * wait, LONGEST_WAIT_S)
        finally:
            self._events.put_nowait(None)

    async def close(self) -> None:
        """Says goodbye: the session cannot be resumed. `run` ends."""
        self._closing.set()
        connection = self._connection
        if self._say(wire.Bye()) and connection is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._to_send.join()
            await connection.close()

    # --- one connection ---

    async def _one_connection(self) -> bool:
        """Whether there was a connection; returns when it is over."""
        try:
            address = await self._address()
            headers = {"Authorization": f"Bearer {address.token}", "Accept-Language": self._options.messages}
            async with connect(
                address.url,
                additional_headers=headers,
                compression=None,
                proxy=None,
                max_size=None,
                open_timeout=OPEN_TIMEOUT_S,
                logger=_wire_logger,
            ) as connection:
                return await self._talk(connection)
        except InvalidStatus as error:
            raise _refusal(error) from None
        except (OSError, InvalidHandshake, ConnectionClosed):
            return False
        finally:
            self._connection = None
            if not self._silence_told and not self._closing.is_set():
                self._silence_told = True
                self._events.put_nowait(Disconnected())

    async def _talk(self, connection: ClientConnection) -> bool:
        await connection.send(self._hello().model_dump_json())
        ready = wire.read_server_message(await connection.recv())
        if isinstance(ready, wire.Error):
            self._refused(ready)
            return False
        if not isinstance(ready, wire.Ready):
            raise BadMessage(detail=ready.type)
        self._begin(connection, ready)
        writer = asyncio.create_task(self._write(connection))
        try:
            async for data in connection:
                self._told(data)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return True

    def _begin(self, connection: ClientConnection, ready: wire.Ready) -> None:
        """From here on, without a pause in between, new sound follows the old."""
        self._to_send = asyncio.Queue()
        self._connection = connection
        self._sent_again_from = -1
        if not ready.resumed or not self._context_sent:
            self._context_sent = self._say(self._context)
        for item in [*self._outbox.again(ready.next_sample), *self._corrections]:
            self._say(item)
        self._events.put_nowait(Connected(ready, self._was_connected))
        self._was_connected = True
        self._silence_told = False

    def _hello(self) -> wire.Hello:
        options = self._options
        return wire.Hello(
            version=wire.VERSION,
            session=self._session,
            resume_from=self._outbox.resume_from,
            language=options.language,
            endpoints=options.endpoints,
            endpoint_delay_s=options.endpoint_delay_s,
            partials=options.partials,
            messages=options.messages,
            profile=options.profile,
            client=f"voice-ime {__version__}",
        )

    def _told(self, data: str | bytes) -> None:
        try:
            message = wire.read_server_message(data)
        except BadMessage:
            logger.warning("the server sent a message that this version does not know")
            return
        if isinstance(message, wire.Final) and message.start_sample < self._outbox.kept_end:
            self._say(wire.Kept(utterance=message.utterance))  # it came before the cut
            return
        self._take_note(message)
        if self._is_news(message):
            self._events.put_nowait(message)

    def _is_news(self, message: wire.ServerMessage) -> TypeGuard[Event]:
        match message:
            case wire.Finished() | wire.Ready():
                return False
            case wire.Error(code=code) if code in PUT_RIGHT:
                return False
            case wire.Error(code=code, message=sentence) if code in ONCE:
                before, self._told_once = self._told_once, self._told_once | {sentence}
                return sentence not in before
        return True

    def _take_note(self, message: wire.ServerMessage) -> None:
        match message:
            case wire.Final():
                self._outbox.kept(message.end_sample)
            case wire.Finalized():
                self._outbox.finalized(message.sample)
            case wire.Cancelled():
                self._outbox.cancelled(message.sample)
            case wire.Finished():
                self._outbox.finished(message.sample)
            case wire.CorrectionTaken():
                del self._corrections[:1]
            case wire.Error(expected_sample=int(sample)):
                self._send_again(sample)
            case wire.Error(fatal=True):
                self._refused(message)

    def _send_again(self, sample: int) -> None:
        if sample != self._sent_again_from:  # each frame behind a gap is complained of
            self._sent_again_from = sample
            for item in self._outbox.again(sample):
                self._say(item)

    def _refused(self, error: wire.Error) -> None:
        """The server ends the connection. ServerRefused unless trying again may help."""
        if error.code not in RETRIED:
            raise ServerRefused(code=error.code, message=error.message, remedy=error.remedy)
        self._events.put_nowait(error)

    def _mark(self, mark: Mark) -> int:
        self._say(mark)
        return mark.sample

    def _say(self, what: wire.ClientMessage | wire.AudioFrame | Mark) -> bool:
        """Whether it is on its way; what is not is said again where that matters."""
        if self._connection is None:
            return False
        self._to_send.put_nowait(_on_the_wire(what))
        return True

    async def _write(self, connection: ClientConnection) -> None:
        queue = self._to_send
        while True:
            await connection.send(await queue.get())
            queue.task_done()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()


def _on_the_wire(what: wire.ClientMessage | wire.AudioFrame | Mark) -> str | bytes:
    match what:
        case wire.AudioFrame():
            return wire.write_audio(what)
        case Mark(kind="finalize"):
            return wire.Finalize(sample=what.sample).model_dump_json()
        case Mark():
            return wire.Cancel(start=what.start, sample=what.sample).model_dump_json()
        case _:
            return what.model_dump_json()


def _refusal(error: InvalidStatus) -> ServerRefused | ServerUnreachable:
    """A handshake that was refused: the server says why, if it is ours."""
    try:
        said = wire.Error.model_validate_json(error.response.body or b"")
    except ValueError:
        return ServerUnreachable(url=str(error.response.status_code))
    return ServerRefused(code=said.code, message=said.message, remedy=said.remedy)
