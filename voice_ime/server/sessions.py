"""Who is dictating: admission, resumption after a cut, and forgetting."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from voice_ime import protocol as wire
from voice_ime.engine.pool import LATELY_S, Load
from voice_ime.errors import Replaced, ServerBusy, ServerFull, VoiceImeError
from voice_ime.server.stream import Stream
from voice_ime.settings import ServerSettings

logger = logging.getLogger(__name__)


@dataclass
class _Held:
    """A session that this server knows, connected or not."""

    stream: Stream
    task: asyncio.Task[None]
    disconnect: Callable[[Exception], None] | None
    """Ends its present connection; None: nobody is connected."""
    expiry: asyncio.TimerHandle | None = None
    opened: float = field(default_factory=time.monotonic)

    def stop_expiry(self) -> None:
        if self.expiry is not None:
            self.expiry.cancel()
            self.expiry = None


class Sessions:
    """Forgetting a session that is not connected loses nothing: its client sends the sound again."""

    def __init__(
        self,
        settings: ServerSettings,
        load: Callable[[], Load],
        make_stream: Callable[[wire.Hello], Stream],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.load = load
        self._settings = settings
        self._make_stream = make_stream
        self._tasks = tasks
        self._held: dict[str, _Held] = {}

    @property
    def connected(self) -> int:
        return sum(held.disconnect is not None for held in self._held.values())

    @property
    def _new(self) -> int:
        """Sessions that are too new for `load` to show what they cost."""
        since = time.monotonic() - LATELY_S
        return sum(held.opened > since for held in self._held.values())

    @property
    def free(self) -> int:
        """How many more would be served now; 0 also while those who are here keep the machine busy."""
        return 0 if self._is_busy() else max(0, self._settings.max_sessions - self.connected)

    @property
    def languages(self) -> frozenset[str]:
        """Those that somebody has asked for."""
        return frozenset(held.stream.session.language or "" for held in self._held.values()) - {""}

    def open(self, hello: wire.Hello, disconnect: Callable[[Exception], None]) -> tuple[Stream, bool]:
        """(the stream, whether it was known). ServerFull, ServerBusy; never for a session that is known."""
        known = self._held.get(hello.session)
        if known is not None:
            if known.disconnect is not None:
                known.disconnect(Replaced())
            known.stop_expiry()
            known.disconnect = disconnect
            return known.stream, True
        if self.connected >= self._settings.max_sessions:
            raise ServerFull(limit=self._settings.max_sessions)
        if self._is_busy():
            raise ServerBusy()
        stream = self._make_stream(hello)
        task = self._tasks.create_task(self._work(stream))
        self._held[hello.session] = _Held(stream, task, disconnect)
        return stream, False

    def detach(self, stream: Stream, disconnect: Callable[[Exception], None]) -> None:
        """The connection of `disconnect` is gone; its session waits to be resumed."""
        held = self._held.get(stream.session.name)
        if held is None or held.disconnect is not disconnect:
            return
        held.disconnect = None
        stream.sink = None
        held.expiry = asyncio.get_running_loop().call_later(self._settings.resume_s, self.forget, stream.session.name)
        self._make_room()

    def forget(self, name: str) -> None:
        held = self._held.pop(name, None)
        if held is not None:
            held.stop_expiry()
            held.task.cancel()

    def close(self) -> None:
        for name in list(self._held):
            self.forget(name)

    def _is_busy(self) -> bool:
        """Nobody is refused for the sake of nobody. Partials are the first to suffer: with them one sees it coming."""
        if not self.connected:
            return False
        load, limits = self.load(), self._settings
        return (
            load.left_out > limits.max_left_out
            or load.busy > limits.max_busy
            or load.wait_s > limits.max_wait_s
            or self._new >= limits.max_new_sessions
        )

    def _make_room(self) -> None:
        waiting = [name for name, held in self._held.items() if held.disconnect is None]
        for name in waiting[: max(0, len(waiting) - self._settings.max_kept_sessions)]:
            self.forget(name)

    async def _work(self, stream: Stream) -> None:
        try:
            await stream.run()
        except Exception as error:
            if not isinstance(error, VoiceImeError):
                logger.exception("a session ended by a fault of ours")
            held = self._held.get(stream.session.name)
            if held is not None and held.disconnect is not None:
                held.disconnect(error)
            self.forget(stream.session.name)
