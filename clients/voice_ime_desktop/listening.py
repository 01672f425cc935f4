"""The armed microphone: open all the time so that no first word is clipped, but what it hears goes nowhere.

Until a take begins only the last moment of sound is in memory. All methods belong to the event loop's thread; the
microphone has a thread of its own, which does no more than put blocks down.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable

from voice_ime_desktop.microphone import SAMPLE_RATE, Microphone

Send = Callable[[bytes], None]
"""Is given sound as the microphone delivers it, on the event loop's thread."""

_SLACK_S = 0.1
"""A block may have been on its way that long when it counts for the pre-roll."""


class _Take:
    """One time of talking: where its sound goes, and how much of it is still to come."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.left: int | None = None
        """Bytes until it is whole; None: the key is still down."""
        self.over = asyncio.Event()


class Listening:
    """A microphone and the takes of it. Sound goes into one take or into none, never into two.

    `pre_roll_s`: sound from before `begin` that belongs to the take. `tail_s`: sound from after `end` that does.
    `patience_s`: how much longer than the tail `end` waits for a microphone that delivers nothing.
    """

    def __init__(
        self,
        microphone: Microphone,
        pre_roll_s: float,
        tail_s: float,
        *,
        patience_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._microphone = microphone
        self._pre_roll_s = pre_roll_s
        self._pre_roll = _bytes(pre_roll_s)
        self._tail = _bytes(tail_s)
        self._tail_within_s = tail_s + patience_s
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._take: _Take | None = None
        self._lock = threading.Lock()
        # Under the lock, for both threads:
        self._sound: deque[tuple[float, bytes]] = deque()
        """What no take was given yet, with the times at which it came."""
        self._size = 0
        """Bytes of it."""
        self._wanted = False
        """Whether it goes into a take, else only its end is kept."""
        self._collecting = False
        """Whether the loop was already asked to give it on."""

    # --- the microphone

    def arm(self) -> None:
        """Open the microphone; blocks until it is open. MicrophoneError. Again: it is opened anew."""
        self.disarm()
        self._loop = asyncio.get_running_loop()
        self._microphone.start(self._hear)

    def disarm(self) -> None:
        """Close the microphone, forget what it heard; a take that goes on is over. May be called at any time."""
        self._microphone.stop()
        self.drop()

    def _hear(self, block: bytes) -> None:
        """On the microphone's thread."""
        with self._lock:
            self._sound.append((self._clock(), block))
            self._size += len(block)
            if not self._wanted:
                self._keep(self._pre_roll)
            elif not self._collecting and self._loop is not None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                    self._loop.call_soon_threadsafe(self._give)
                    self._collecting = True

    def _keep(self, size: int) -> None:
        """Only the last `size` bytes, to the sample."""
        while self._size > size:
            came, block = self._sound.popleft()
            self._size -= len(block)
            if missing := max(0, size - self._size):
                self._sound.appendleft((came, block[-missing:]))
                self._size += missing

    # --- takes

    def begin(self, send: Send) -> None:
        """Give the sound of just before, at once, then each block. A take that still has its tail to come ends here."""
        self._give()
        self._finish()
        self._take = _Take(send)
        with self._lock:
            self._wanted = True
            self._forget_before(self._clock() - self._pre_roll_s - _SLACK_S)
        self._give()

    async def end(self) -> None:
        """Go on for the tail, counted in sound; returns when the take is over, whatever ended it."""
        take = self._take
        if take is None:
            return
        self._give()
        if take.left is None:
            take.left = self._tail
        self._finish_if_whole(take)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._tail_within_s):
                await take.over.wait()
        if self._take is take:  # the microphone is dead
            self._finish()

    def drop(self) -> None:
        """Stop at once; what was not given yet is forgotten."""
        with self._lock:
            self._sound.clear()
            self._size = 0
        self._finish()

    def _give(self) -> None:
        """Hand on what is there; of the last take's tail what is too much stays for the next one."""
        with self._lock:
            self._collecting = False
            take = self._take
            blocks = self._taken(take.left) if take is not None else []
        if take is None:
            return
        if take.left is not None:
            take.left -= sum(map(len, blocks))
        for block in blocks:
            take.send(block)
        self._finish_if_whole(take)

    def _taken(self, most: int | None) -> list[bytes]:
        """The oldest sound, at most `most` bytes; under the lock."""
        blocks: list[bytes] = []
        while self._sound and most != 0:
            came, block = self._sound.popleft()
            if most is not None:
                block, rest = block[:most], block[most:]
                most -= len(block)
                if rest:
                    self._sound.appendleft((came, rest))
            self._size -= len(block)
            blocks.append(block)
        return blocks

    def _finish_if_whole(self, take: _Take) -> None:
        if take.left == 0 and self._take is take:
            self._finish()

    def _finish(self) -> None:
        take, self._take = self._take, None
        with self._lock:
            self._wanted = False
            self._keep(self._pre_roll)
        if take is not None:
            take.over.set()

    def _forget_before(self, moment: float) -> None:
        """Sound from before the microphone died, perhaps minutes ago, is no pre-roll."""
        while self._sound and self._sound[0][0] < moment:
            _, block = self._sound.popleft()
            self._size -= len(block)


def _bytes(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE) * 2
