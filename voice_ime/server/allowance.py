"""How often somebody may ask for something."""

import time
from collections.abc import Callable

from voice_ime.errors import TooFast

WINDOW_S = 2.0


class Allowance:
    """A bucket of requests that fills at a steady rate; it holds those of two seconds."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = per_second * WINDOW_S
        self._left = self._most
        self._clock = clock
        self._then = clock()

    def spend(self) -> None:
        """TooFast where none is left."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._then) * self._per_second)
        self._then = now
        if self._left < 1:
            raise TooFast(limit=self._per_second)
        self._left -= 1
