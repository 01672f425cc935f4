"""The websocket `/v1/dictate`: one connection of a client to its session."""

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass

from fastapi import WebSocket
from starlette.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from voice_ime import __version__
from voice_ime import protocol as wire
from voice_ime.engine.base import SAMPLE_RATE, Engine, Options
from voice_ime.errors import (
    AccessError,
    AudioGap,
    BadMessage,
    HelloTimeout,
    OutOfOrder,
    ProtocolError,
    ServerBusy,
    ServerFull,
    TooLarge,
    VoiceImeError,
    WrongSampleRate,
    WrongVersion,
)
from voice_ime.messages import Messages
from voice_ime.server.allowance import Allowance
from voice_ime.server.auth import Gate
from voice_ime.server.people import People
from voice_ime.server.sessions import Sessions
from voice_ime.server.stream import Stream
from voice_ime.session import is_fatal
from voice_ime.settings import Settings

CLOSE_PROTOCOL, CLOSE_FULL, CLOSE_FAULT = 1002, 1013, 1011
MOST_UNSENT = 2000
"""Messages waiting for a client that does not read; then its connection is cut (it can resume)."""
CAUGHT_UP_S = 0.002
"""A message that was waited for this long was the last one: no others lie there."""

logger = logging.getLogger(__name__)


class Gone(Exception):
    """The client is no longer there."""


@dataclass(frozen=True)
class Services:
    """What connections share."""

    settings: Settings
    gate: Gate
    sessions: Sessions
    engine: Engine
    people: People | None
    """None: no profiles are served."""


def explain(error: VoiceImeError, language: str, *, fatal: bool | None = None) -> wire.Error:
    """The one place where errors become messages on the wire."""
    message, remedy = Messages(language).error(error)
    return wire.Error(
        code=error.code,
        message=message,
        remedy=remedy,
        fatal=is_fatal(error) if fatal is None else fatal,
        expected_sample=error.expected if isinstance(error, AudioGap) else None,
    )


async def dictate(websocket: WebSocket, services: Services) -> None:
    """Serves one connection until it ends."""
    try:
        services.gate.check(websocket.headers)
    except AccessError as error:
        answer = explain(error, _language_of(websocket), fatal=True)
        await websocket.send_denial_response(JSONResponse(answer.model_dump(), status_code=403))
        return
    await websocket.accept()
    await _Connection(websocket, services).serve()


class _Connection:
    def __init__(self, websocket: WebSocket, services: Services) -> None:
        self._websocket = websocket
        self._services = services
        self._settings = services.settings.server
        self._language = _language_of(websocket)
        self._outbox: deque[wire.ServerMessage] = deque()
        self._outbox_changed = asyncio.Event()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._allowance = Allowance(self._settings.max_messages_per_s)

    async def serve(self) -> None:
        stream: Stream | None = None
        disconnect = self._disconnect
        try:
            hello = await self._hello()
            self._language = hello.messages
            await self._make_ready(hello)
            stream, resumed = self._services.sessions.open(hello, disconnect)
            self._welcome(hello, stream, resumed)
            await self._until_the_end(stream)
        except Gone as gone:
            gone.__traceback__ = None  # it goes round: to the task that raised it, this connection, and its session
        except Exception as error:
            await self._say_why(error)
            error.__traceback__ = None
        finally:
            if stream is not None:
                self._services.sessions.detach(stream, disconnect)

    async def _hello(self) -> wire.Hello:
        try:
            async with asyncio.timeout(self._settings.hello_timeout_s):
                first = await self._receive()
        except TimeoutError:
            raise HelloTimeout(seconds=self._settings.hello_timeout_s) from None
        if isinstance(first, bytes):
            raise OutOfOrder(type="sound")
        wishes = wire.wishes(first)
        if wishes is not None:
            self._language = wishes.messages or self._language
            _check(wishes)
        message = wire.read_client_message(first)
        if not isinstance(message, wire.Hello):
            raise OutOfOrder(type=message.type)
        return message

    async def _make_ready(self, hello: wire.Hello) -> None:
        """Reading thousands of entries is no work for the event loop, and none for the first utterance.

        What is wrong with the profile is said where it is used: a session that is resumed has finals to give first.
        """
        people = self._services.people
        if hello.profile is not None and people is not None:
            with contextlib.suppress(VoiceImeError):
                options = Options(language=hello.language, profile=hello.profile)
                await asyncio.to_thread(people.make_ready, options)

    def _welcome(self, hello: wire.Hello, stream: Stream, resumed: bool) -> None:
        missed = stream.session.resume(hello) if resumed else []
        self._post(self._ready(stream, resumed))
        stream.sink = self._post
        stream.tell_trouble()
        stream.put(missed)

    def _ready(self, stream: Stream, resumed: bool) -> wire.Ready:
        server, speech = self._settings, self._services.settings.speech
        capabilities = self._services.engine.capabilities
        return wire.Ready(
            version=wire.VERSION,
            server=f"voice-ime {__version__}",
            session=stream.session.name,
            next_sample=stream.session.received,
            resumed=resumed,
            capabilities=wire.EngineFacts.model_validate(vars(capabilities)),
            limits=wire.Limits(
                max_frame_bytes=server.max_frame_bytes,
                max_messages_per_s=server.max_messages_per_s,
                max_unkept_finals=server.max_unkept_finals,
                longest_utterance_s=speech.longest_s,
                resume_s=server.resume_s,
            ),
        )

    async def _until_the_end(self, stream: Stream) -> None:
        """Reads and writes until the client goes, breaks a rule, or is replaced."""
        reader = asyncio.create_task(self._read(stream))
        writer = asyncio.create_task(self._write())
        tasks: set[asyncio.Future[None]] = {reader, writer, self._ended}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    async def _read(self, stream: Stream) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            asked = clock()
            data = await self._receive()
            caught_up = clock() - asked > CAUGHT_UP_S
            try:
                if isinstance(data, bytes):
                    await stream.room_for(round(self._settings.max_waiting_s * SAMPLE_RATE))
                    stream.put(stream.session.audio(wire.read_audio(data)))
                elif self._leaves(stream, self._understood(stream, data)):
                    raise Gone
            except ProtocolError as error:
                if error.fatal:
                    raise
                self._post(explain(error, self._language))
            if caught_up and (rest_s := stream.rest_s):
                await asyncio.sleep(rest_s)

    def _understood(self, stream: Stream, text: str) -> wire.ClientMessage:
        """The message, counted against the allowance: all but the acknowledgements that our own finals ask for."""
        try:
            message = wire.read_client_message(text)
        except BadMessage:
            self._allowance.spend()
            raise
        if not (isinstance(message, wire.Kept) and stream.session.holds(message.utterance)):
            self._allowance.spend()
        return message

    def _leaves(self, stream: Stream, message: wire.ClientMessage) -> bool:
        if isinstance(message, wire.Bye):
            self._services.sessions.forget(stream.session.name)
            return True
        stream.put(stream.session.message(message))
        if isinstance(message, wire.Kept):
            stream.check_finished(at_least=1)
        return False

    async def _receive(self) -> str | bytes:
        """The next text or sound. Gone where the client is."""
        event = await self._websocket.receive()
        if event["type"] != "websocket.receive":
            raise Gone
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            return bytes(data or b"")
        if len(text) > self._settings.max_frame_bytes:
            raise TooLarge(limit=self._settings.max_frame_bytes)
        return str(text)

    async def _write(self) -> None:
        while True:
            await self._outbox_changed.wait()
            self._outbox_changed.clear()
            while self._outbox:
                await self._send(self._outbox.popleft())

    async def _send(self, message: wire.ServerMessage) -> None:
        try:
            await self._websocket.send_text(message.model_dump_json())
        except (RuntimeError, WebSocketDisconnect) as error:  # starlette's ways to say that the connection is closed
            raise Gone from error

    def _post(self, message: wire.ServerMessage) -> None:
        if len(self._outbox) >= MOST_UNSENT:
            self._disconnect(Gone())
            return
        self._outbox.append(message)
        self._outbox_changed.set()

    def _disconnect(self, why: Exception) -> None:
        if not self._ended.done():
            self._ended.set_exception(why)

    async def _say_why(self, error: Exception) -> None:
        """The last message of a connection that is ended from here."""
        if not isinstance(error, VoiceImeError):
            logger.error("a connection ended by a fault of ours", exc_info=error)
            error = VoiceImeError()
        code = CLOSE_PROTOCOL if isinstance(error, ProtocolError) else CLOSE_FAULT
        code = CLOSE_FULL if isinstance(error, ServerFull | ServerBusy) else code
        try:
            await self._send(explain(error, self._language, fatal=True))
            await self._websocket.close(code, error.code)
        except (Gone, RuntimeError):
            logger.debug("the client had gone before it could be told why")


def _check(wishes: wire.Wishes) -> None:
    """WrongVersion, WrongSampleRate."""
    if wishes.version != wire.VERSION:
        raise WrongVersion(asked=wishes.version, spoken=wire.VERSION)
    if wishes.sample_rate != wire.SAMPLE_RATE:
        raise WrongSampleRate(asked=wishes.sample_rate, spoken=wire.SAMPLE_RATE)


def _language_of(websocket: WebSocket) -> str:
    return "zh" if websocket.headers.get("accept-language", "").lower().startswith("zh") else "en"
