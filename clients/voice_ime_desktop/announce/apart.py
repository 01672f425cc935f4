"""Speaking for code that waits, such as a download: on a thread with a loop of its own."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from types import TracebackType
from typing import Self

from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.announce.base import Announcer
from voice_ime_desktop.announce.null import NullAnnouncer
from voice_ime_desktop.read_out import ReadOut

END_S = 3.0
"""To hand over what is still to be said at the end."""

Say = Callable[[Announcer], None]

logger = logging.getLogger(__name__)


class ApartAnnouncer:
    """A context manager. Calls return at once, whatever the speech service does; where there is none, nothing is said.

    `read_out`: a sentence is left out where a screen reader reads what is printed just then.
    """

    def __init__(
        self, announcer: Announcer, language: str, read_out: ReadOut | None = None, *, end_s: float = END_S
    ) -> None:
        """`language` of all sentences: en or zh."""
        self._announcer = announcer
        self._language = language
        self._read_out = read_out
        self._end_s = end_s
        self._work: asyncio.Queue[Say | None] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._live, name="speech", daemon=True)
        self._speaking: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Returns when the last words were handed over, or the service took too long."""
        self._put(None)
        self._thread.join(self._end_s)
        if self._thread.is_alive() and self._loop is not None and self._speaking is not None:
            with suppress(RuntimeError):  # it ended just now
                self._loop.call_soon_threadsafe(self._speaking.cancel)  # what comes so late is not wanted any more

    def say(self, sentence: str) -> None:
        self._put(lambda announcer: announcer.say(sentence, self._language))

    def progress(self, sentence: str) -> None:
        self._put(lambda announcer: announcer.progress(sentence, self._language))

    def quiet(self) -> None:
        """Everybody stops speaking: the person has heard enough."""
        self._put(lambda announcer: announcer.quiet())

    def _put(self, work: Say | None) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # it ended
                self._loop.call_soon_threadsafe(self._work.put_nowait, work)

    # --- on the thread ---

    def _live(self) -> None:
        assert self._loop is not None
        self._speaking = self._loop.create_task(self._speak())
        with closing(self._loop), suppress(asyncio.CancelledError):
            try:
                self._loop.run_until_complete(self._speaking)
            except Exception as error:  # whoever prints goes on
                logger.warning("nothing is spoken any more: %s", type(error).__name__)

    async def _speak(self) -> None:
        announcer = await self._started()
        try:
            while (say := await self._work.get()) is not None:
                if self._read_out is None or not await self._read_out.now():
                    say(announcer)
        finally:
            await announcer.stop()
            if self._read_out is not None:
                await self._read_out.stop()

    async def _started(self) -> Announcer:
        try:
            await self._announcer.start()
        except DesktopUnavailable:
            return NullAnnouncer()
        return self._announcer
