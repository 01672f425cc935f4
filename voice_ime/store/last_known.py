"""Profiles for dictation, which goes on whatever becomes of the store."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from voice_ime.errors import NotFound, StoreError
from voice_ime.personalize.profile import Profile
from voice_ime.store.current import Profiles

AGAIN_S = 5.0
"""After trouble the store is left alone for so long: not every utterance is to wait for it."""


@dataclass(frozen=True)
class Trouble:
    """Why a profile cannot be read."""

    error: StoreError
    known: bool
    """Whether it was read before: then that is used, else nobody's words."""
    at: float
    """When it was last tried, in seconds of the clock."""

    def is_like(self, other: "Trouble | None") -> bool:
        """Whether a person would hear the same of both."""
        return other is not None and (other.error.code, other.known) == (self.error.code, self.known)


class LastKnown:
    """Each profile as it is now or, where that cannot be read, as it was read last. For several threads."""

    def __init__(self, profiles: Profiles, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds from any moment on."""
        self._profiles = profiles
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Profile] = {}
        self._empty: dict[str, Profile] = {}
        self._troubles: dict[str, Trouble] = {}

    def current(self, name: str) -> Profile:
        """An unchanged one is the same object, also one without words. Raises nothing."""
        if self._is_worth_asking(name):
            try:
                self._read(name)
            except StoreError as error:
                self._note(name, error)
        with self._lock:
            return self._known.get(name) or self._empty[name]

    def trouble(self, name: str) -> Trouble | None:
        """What stood in the way when the profile was last asked for; None: nothing."""
        with self._lock:
            return self._troubles.get(name)

    def _is_worth_asking(self, name: str) -> bool:
        trouble = self.trouble(name)
        return trouble is None or isinstance(trouble.error, NotFound) or self._clock() - trouble.at >= AGAIN_S

    def _read(self, name: str) -> None:
        profile = self._profiles.current(name)
        with self._lock:
            self._known[name] = profile
            self._troubles.pop(name, None)

    def _note(self, name: str, error: StoreError) -> None:
        with self._lock:
            if isinstance(error, NotFound):
                self._known.pop(name, None)
            self._troubles[name] = Trouble(error, name in self._known, self._clock())
            self._empty.setdefault(name, Profile(name=name))
