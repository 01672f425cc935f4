"""Dictating in a terminal: what is said becomes lines, every state is told. Knows nothing of options or processes."""

import asyncio
import math
import time
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from enum import Enum
from typing import Protocol

from voice_ime import protocol as wire
from voice_ime.client import Connected, Disconnected, Event
from voice_ime.errors import AudioError, MicrophoneError, VoiceImeError
from voice_ime.messages import Messages
from voice_ime.spoken import what_to_do
from voice_ime.terminal import Screen

WORKING_AFTER_S = 2.0
"""An answer that takes longer than this is worth a word."""


class Key(Enum):
    """What the person does."""

    ENTER = "enter"
    END = "end"


class Client(Protocol):
    """The part of `voice_ime.client.DictationClient` that is needed here."""

    @property
    def position(self) -> int: ...

    def send(self, pcm: bytes) -> None: ...

    def finalize(self) -> int: ...

    def kept(self, final: wire.Final) -> None: ...

    def events(self) -> AsyncIterator[Event]: ...


class Source(Protocol):
    """The part of `voice_ime_desktop.microphone.Microphone` that is needed here."""

    def start(self, on_pcm: Callable[[bytes], None]) -> None: ...

    def stop(self) -> None: ...


class SentTimes:
    """When which sound was sent. Times in seconds of any one clock."""

    def __init__(self, most: int = 50 * 600) -> None:
        self._positions: deque[int] = deque(maxlen=most)
        self._times: deque[float] = deque(maxlen=most)
        self._released: dict[int, float] = {}

    def sent(self, position: int, now: float) -> None:
        """The sound before `position` (samples) has been sent."""
        self._positions.append(position)
        self._times.append(now)

    def released(self, position: int, now: float) -> None:
        """The answer to everything before `position` was asked for."""
        self._released[position] = now

    def delay(self, final: wire.Final, now: float) -> float | None:
        """From the moment at which the end of this utterance could be known here to now; None: too long ago.

        That is when the sound that decided it was sent, or when the answer was asked for.
        """
        if final.reason == "finalize" and final.decided_sample in self._released:
            return now - self._released[final.decided_sample]
        place = bisect_left(self._positions, final.decided_sample)
        forgotten = place == 0 and len(self._positions) == self._positions.maxlen
        return None if forgotten or place == len(self._times) else now - self._times[place]


class Dictation:
    """One person's dictation over a client. All calls belong on one event loop."""

    def __init__(
        self,
        client: Client,
        screen: Screen,
        messages: Messages,
        clock: Callable[[], float] = time.monotonic,
        working_after_s: float = WORKING_AFTER_S,
    ) -> None:
        self._client = client
        self._screen = screen
        self._messages = messages
        self._clock = clock
        self._working_after_s = working_after_s
        self._times = SentTimes()
        self._awaited: set[int] = set()
        self._changed = asyncio.Condition()
        self._heard_since_release = False
        self._announced = True
        """Whether it was said that the microphone is open."""
        self.connected: wire.Ready | None = None
        self.delays: list[float] = []
        self.utterances = 0

    # --- sound ---

    def hear(self, pcm: bytes) -> None:
        """Further sound of the microphone."""
        if not self._announced:
            self._announced = True
            self._say("listening")
        self._client.send(pcm)
        self._times.sent(self._client.position, self._clock())

    def opening(self) -> None:
        """The microphone is being opened: its first sound will be announced."""
        self._announced = False

    def release(self) -> None:
        """Ask for the answer to everything that was said."""
        sample = self._client.finalize()
        self._times.released(sample, self._clock())
        self._awaited.add(sample)
        asyncio.get_running_loop().call_later(self._working_after_s, self._still_working, sample)

    def _still_working(self, sample: int) -> None:
        if sample in self._awaited:
            self._say("working")

    def stopped(self) -> None:
        """The microphone was closed: what was said is to be answered."""
        self._announced = True
        self._say("stopped")
        self.release()

    def microphone_told(self, trouble: MicrophoneError | None) -> None:
        """The open microphone stopped working, or (None) works again."""
        if trouble is None:
            self._say("microphone_back")
        else:
            self.tell(trouble)

    # --- answers ---

    async def told(self) -> None:
        """Tells what happens until the client ends."""
        async for event in self._client.events():
            self._on(event)
            async with self._changed:
                self._changed.notify_all()

    async def until_connected(self) -> wire.Ready:
        async with self._changed:
            await self._changed.wait_for(lambda: self.connected is not None)
        assert self.connected is not None
        return self.connected

    async def until_answered(self) -> None:
        """Waits until everything that was asked for is answered."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._awaited)

    def _on(self, event: Event) -> None:
        match event:
            case Connected(ready, again):
                self.connected = ready
                if again:
                    self._say("connected_again")
            case Disconnected() if self.connected is not None:
                self._say("disconnected")
            case wire.Partial():
                self._screen.watch(event.stable + event.unstable)
            case wire.Final():
                self._final(event)
            case wire.Finalized():
                self._finalized(event.sample)
            case wire.Error():
                self._screen.line(event.message)
                self._screen.line(event.remedy)

    def _final(self, final: wire.Final) -> None:
        delay = self._times.delay(final, self._clock())
        if text := "".join(edit.text for edit in final.edits).strip():
            self._heard_since_release = True
            self.utterances += 1
            if delay is None:
                self._screen.line(text)
            else:
                self.delays.append(delay)
                self._screen.line(self._messages("dictate.final", text=text, delay=f"{delay:.2f}"))
        else:
            self._screen.clear()
        self._client.kept(final)

    def _finalized(self, sample: int) -> None:
        if sample not in self._awaited:
            return
        self._awaited = {other for other in self._awaited if other > sample}
        if not self._heard_since_release:
            self._say("nothing_heard")
        self._heard_since_release = False
        self._screen.clear()

    # --- words ---

    def summary(self) -> None:
        """How many utterances, and how long their finals took."""
        if not self.delays:
            self._say("summary_without_delay", count=self.utterances)
            return
        p50, p95 = (f"{percentile(self.delays, share):.2f}" for share in (0.5, 0.95))
        self._say("summary_one" if self.utterances == 1 else "summary", count=self.utterances, p50=p50, p95=p95)

    def tell(self, error: VoiceImeError) -> None:
        """What is wrong and what to do."""
        for sentence in what_to_do(error, self._messages):
            self._screen.line(sentence)

    def _say(self, key: str, **values: str | int) -> None:
        self._screen.line(self._messages(f"dictate.{key}", **values))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that at least `share` of `values` do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


# --- with a microphone, with a recording ---


class Talk:
    """Enter opens the microphone and closes it again; the end of input or Ctrl-C ends."""

    def __init__(self, dictation: Dictation, microphone: Source, keys: "asyncio.Queue[Key]") -> None:
        self._dictation = dictation
        self._microphone = microphone
        self._keys = keys
        self._open = False

    async def run(self) -> bool:
        """Whether everything that was said was answered; False: a second Ctrl-C cut it short."""
        try:
            while await self._keys.get() is Key.ENTER:
                await (self._stop() if self._open else self._start())
            if self._open:
                await self._stop()
        finally:
            await asyncio.to_thread(self._microphone.stop)
        return await _answered(self._dictation, self._keys)

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._dictation.opening()
        try:
            await asyncio.to_thread(self._microphone.start, lambda pcm: _post(loop, lambda: self._dictation.hear(pcm)))
            self._open = True
        except MicrophoneError as error:
            self._dictation.tell(error)

    async def _stop(self) -> None:
        self._open = False
        await asyncio.to_thread(self._microphone.stop)
        self._dictation.stopped()


async def play(dictation: Dictation, make: Callable[[Callable[[], None]], Source], keys: "asyncio.Queue[Key]") -> bool:
    """Dictate a recording, in its own time. False: Ctrl-C cut it short.

    `make` gives the recording; what it is given is to be called at the end, from any thread.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    recording = make(lambda: _post(loop, ended.set))
    recording.start(lambda pcm: _post(loop, lambda: dictation.hear(pcm)))
    try:
        whole = await done_before(ended.wait(), end_key(keys))
    finally:
        await asyncio.to_thread(recording.stop)
    dictation.release()
    return await _answered(dictation, keys) and whole


async def _answered(dictation: Dictation, keys: "asyncio.Queue[Key]") -> bool:
    """False: the person would not wait for the answer."""
    return await done_before(dictation.until_answered(), end_key(keys))


async def end_key(keys: "asyncio.Queue[Key]") -> None:
    while await keys.get() is not Key.END:
        pass


async def done_before(one: Coroutine[None, None, object], other: Coroutine[None, None, object]) -> bool:
    """Whether `one` is done before `other`; what is not done is cancelled."""
    first, second = asyncio.ensure_future(one), asyncio.ensure_future(other)
    try:
        await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
        if first.done():
            first.result()
        return first.done()
    finally:
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)


def _post(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Make a call from another thread."""
    loop.call_soon_threadsafe(call)


class Recording:
    """16-bit sound of a file, in pieces; keeps what was wrong with it until it can be told."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.trouble: AudioError | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except AudioError as error:
            self.trouble = error
