"""Speaks through speech-dispatcher, over SSIP, its protocol of lines on a unix socket."""

import asyncio
import contextlib
import itertools
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.announce.base import Announcer, Sound

CLIENT = "user:voice-ime:main"
MESSAGE, PROGRESS = "message", "progress"
"""Priorities. A message cuts in on a screen reader; a progress waits for it, and the last of several is said."""
PATIENCE_S = 5.0
"""A service that does not answer within this time is dead."""
SPAWN_S = 10.0
"""A service that starts may take this long."""
PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between attempts to find the service again; the last one repeats."""
FRESH_S = 30.0
"""What is older is not said any more when the service is back."""
MOST = 20
"""Sentences that wait at most; then the oldest is forgotten."""
SLOW_S = 30.0
"""No sentence takes longer; a service that did not tell the end of one by then never tells it."""
LAST_WORDS_S = 1.0
"""To hand over what is still to be said at the end."""


@dataclass(frozen=True)
class Service:
    """A speech service."""

    socket: Path
    spawn: tuple[str, ...] = ()
    """Command that starts it and returns; empty: it is not ours to start."""


def service_of(environment: Mapping[str, str]) -> Service | None:
    """Where speech-dispatcher is; None: at an address that is no unix socket."""
    address = environment.get("SPEECHD_ADDRESS", "")
    if address:  # somebody chose it, so somebody looks after it
        method, _, path = address.partition(":")
        return Service(Path(path)) if method == "unix_socket" and path else None
    home = Path(environment.get("HOME", "/"))
    folder = environment.get("XDG_RUNTIME_DIR") or environment.get("XDG_CACHE_HOME") or str(home / ".cache")
    return Service(Path(folder) / "speech-dispatcher" / "speechd.sock", ("speech-dispatcher", "--spawn"))


class SsipAnnouncer(Announcer):
    """Says each sentence once; one that the service had not finished when it died is said again when it is back.

    While there is no service, sentences go to `meanwhile`, too. `environment`: for the service that is started.
    """

    def __init__(
        self,
        service: Service,
        environment: Mapping[str, str],
        *,
        meanwhile: Announcer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._environment = environment
        self._meanwhile = meanwhile
        self._clock = clock
        self._unspoken: list[_Sentence] = []
        """In order: those that the service has and did not finish, then those that it has not."""
        self._connection: _Connection | None = None
        self._silence = False
        """Whether the service is to be silenced first of all."""
        self._ending = False
        self._news = asyncio.Event()
        self._speaking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        connection = await self._connect()
        if connection is None and await self._spawn():
            connection = await self._connect()
        if connection is None:
            raise DesktopUnavailable("speech", "no service answers at its socket")
        self._connection = connection
        self._ending = False
        self._speaking = asyncio.create_task(self._keep_speaking(connection))

    async def stop(self) -> None:
        speaking, self._speaking = self._speaking, None
        if speaking is None:
            return
        self._ending = True
        self._news.set()
        if self._connection is not None:
            await asyncio.wait([speaking], timeout=LAST_WORDS_S)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        self._connection = None

    def say(self, sentence: str, language: str) -> None:
        if not sentence.strip():
            return
        self._unspoken = [one for one in self._unspoken if not (one.is_progress and one.number is None)]
        self._queue(_Sentence(sentence, language, self._clock()))

    def progress(self, sentence: str, language: str) -> None:
        if not sentence.strip():
            return
        self._unspoken = [one for one in self._unspoken if not one.is_progress]
        self._queue(_Sentence(sentence, language, self._clock(), priority=PROGRESS))

    def sound(self, sound: Sound) -> None:
        """Sounds are not for this way: in the service's queue they would come late and cut off sentences."""

    def quiet(self) -> None:
        self._unspoken.clear()
        self._silence = True
        self._news.set()

    def _queue(self, one: "_Sentence") -> None:
        self._unspoken = [*self._unspoken[1 - MOST :], one]
        if self._connection is None:
            self._print(one)
        self._news.set()

    # --- while there is a service

    async def _keep_speaking(self, connection: "_Connection") -> None:
        while True:
            self._connection = connection
            try:
                await self._speak(connection)
            except OSError:
                pass  # it died
            finally:
                self._connection = None
                connection.close()
            for one in self._unspoken:
                one.number = None
                self._print(one)
            if self._ending:
                return
            connection = await self._found_again()
            self._forget_old()

    async def _speak(self, connection: "_Connection") -> None:
        """Until the end or, OSError, the service's."""
        while True:
            while work := self._next():
                if isinstance(work, _Sentence):
                    await self._hand_over(work, connection)
                else:
                    await connection.silence()
            if self._ending:
                return
            await self._news.wait()
            self._news.clear()
            connection.check()

    def _next(self) -> "_Sentence | bool":
        """True: silence; False: nothing to do."""
        if self._silence:
            self._silence = False
            return True
        waiting = (one for one in self._unspoken if one.number is None)
        return next((one for one in waiting if not (one.is_progress and self._is_talking())), False)

    def _is_talking(self) -> bool:
        """Whether a sentence of ours is being said. Behind one, the service keeps every progress that it gets; behind
        others' sentences only the last."""
        since = self._clock() - SLOW_S
        return any(one.number and not one.is_progress and one.at >= since for one in self._unspoken)

    async def _hand_over(self, one: "_Sentence", connection: "_Connection") -> None:
        one.number = await connection.speak(one.text, one.language, one.priority)
        if not one.number:  # refused
            self._print(one)
        if not one.number or one.number in connection.over:
            self._forget(one)

    def _spoken(self, number: str, code: str) -> None:
        """The service tells about one of our sentences."""
        places = [place for place, one in enumerate(self._unspoken) if one.number == number]
        for place in places:
            # Sentences are said in order: where one begins, those before it are over.
            del self._unspoken[: place if code == _BEGIN else place + 1]
        self._news.set()

    def _forget(self, one: "_Sentence") -> None:
        with contextlib.suppress(ValueError):  # `quiet` was first
            self._unspoken.remove(one)

    # --- while there is none

    def _print(self, one: "_Sentence") -> None:
        if self._meanwhile is not None and not one.printed:
            one.printed = True
            self._meanwhile.say(one.text, one.language)

    async def _found_again(self) -> "_Connection":
        for pause in itertools.chain(PAUSES_S, itertools.repeat(PAUSES_S[-1])):
            connection = await self._connect()
            if connection is not None:
                return connection
            if pause == PAUSES_S[1]:  # once, and not before a service that restarts had a moment to do so
                await self._spawn()
            await asyncio.sleep(pause)
        raise AssertionError  # never

    def _forget_old(self) -> None:
        since = self._clock() - FRESH_S
        self._unspoken = [one for one in self._unspoken if one.at >= since]

    async def _connect(self) -> "_Connection | None":
        try:
            return await _Connection.open(self._service.socket, self._news.set, self._spoken)
        except OSError:
            return None

    async def _spawn(self) -> bool:
        """Start the service; whether that was possible."""
        if not self._service.spawn:
            return False
        try:
            process = await asyncio.create_subprocess_exec(
                *self._service.spawn,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return False
        try:
            async with asyncio.timeout(SPAWN_S):
                return await process.wait() == 0
        except TimeoutError:
            process.kill()
            await process.wait()
            return False


@dataclass(eq=False)
class _Sentence:
    text: str
    language: str
    at: float
    """When it was to be said, on the announcer's clock."""
    number: str | None = None
    """That the service gave to it; None: it does not have it."""
    printed: bool = False
    priority: str = MESSAGE

    @property
    def is_progress(self) -> bool:
        return self.priority == PROGRESS


_BEGIN, _END, _CANCEL = "701", "702", "703"
"""Codes of the events about a sentence."""


class _Connection:
    """One connection: requests, one at a time, their answers, and events. OSError wherever the service is dead."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_news: Callable[[], None],
        on_event: Callable[[str, str], None],
    ) -> None:
        self._writer = writer
        self._on_news = on_news
        self._on_event = on_event
        self._answer: asyncio.Future[list[str]] | None = None
        self._language = ""
        self._priority = ""
        self._dead = False
        self.over: set[str] = set()
        """Numbers of sentences of which the end was told: that can come before the answer that tells the number."""
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    async def open(
        cls, socket: Path, on_news: Callable[[], None], on_event: Callable[[str, str], None]
    ) -> "_Connection":
        """`on_news` is called when the connection dies, `on_event` with the number of a sentence and a code."""
        reader, writer = await asyncio.open_unix_connection(socket)
        connection = cls(reader, writer, on_news, on_event)
        try:
            await connection._ask(f"SET SELF CLIENT_NAME {CLIENT}")
            for event in ("BEGIN", "END", "CANCEL"):
                await connection._ask(f"SET SELF NOTIFICATION {event} ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        self._reading.cancel()
        self._writer.transport.abort()

    def check(self) -> None:
        if self._dead:
            raise ConnectionResetError

    async def speak(self, text: str, language: str, priority: str) -> str:
        """The number of the sentence; empty: the service does not take it."""
        if priority != self._priority:
            await self._ask(f"SET SELF PRIORITY {priority}")
            self._priority = priority
        if language != self._language:
            await self._ask(f"SET SELF LANGUAGE {language}")
            self._language = language
        answer = await self._ask("SPEAK")
        if not answer[-1].startswith("230"):
            return ""
        answer = await self._ask(f"{_as_data(text)}\r\n.")
        return answer[0][4:] if answer[-1].startswith("225") else ""

    async def silence(self) -> None:
        await self._ask("CANCEL ALL")

    async def _ask(self, line: str) -> list[str]:
        """The lines of the answer."""
        self.check()
        self._answer = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE_S):
            self._writer.write(f"{line}\r\n".encode("utf-8", "replace"))
            await self._writer.drain()
            return await self._answer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        lines: list[str] = []
        try:
            while line := await reader.readline():
                lines.append(line.decode("utf-8", "replace").rstrip())
                if lines[-1][3:4] != "-":  # the last one of an answer or an event
                    self._got(lines)
                    lines = []
        except (OSError, ValueError):
            pass  # dead, or no service of this kind
        self._dead = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())
            self._answer.exception()  # taken notice of: whoever asked may have failed to write before it waited
        self._on_news()

    def _got(self, lines: list[str]) -> None:
        code = lines[-1][:3]
        if not code.startswith("7"):
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(lines)
            return
        number = lines[0][4:]
        if code in (_END, _CANCEL):
            self.over.add(number)
        if code in (_BEGIN, _END, _CANCEL):
            self._on_event(number, code)


def _as_data(text: str) -> str:
    """As SSIP wants it: lines that end in CRLF, none of them a lonely dot."""
    lines = text.replace("\0", " ").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\r\n".join(f".{line}" if line.startswith(".") else line for line in lines)
