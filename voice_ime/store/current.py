"""Each profile as it is now, for those who ask at every utterance."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from voice_ime.errors import NotFound, ProfileExists, ProfileNotFound, StoreBusy, StoreError
from voice_ime.personalize.profile import DEFAULT, Profile
from voice_ime.store.base import Store

OLD_S = 12 * 3600.0
"""After this a snapshot is read again even where only the moments have changed at which entries were last used."""


class Profiles:
    """Snapshots out of a store, read again only after somebody, in whatever process, has changed the profile.

    An unchanged profile is the very same object, so that what is derived from it can be kept beside it. Safe to use
    from several threads.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds from any moment on."""
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._stamp: int | None = None
        self._checked: set[str] = set()
        """Names whose snapshot is that of the present stamp."""
        self._snapshots: dict[str, Profile] = {}
        self._read_at: dict[str, float] = {}

    def current(self, name: str) -> Profile:
        """Some microseconds where nothing was changed. ProfileNotFound, and what is wrong with the store."""
        with self._lock:
            try:
                self._check(name)
            except (NotFound, StoreBusy):
                raise
            except StoreError:
                self._checked.clear()
                self._snapshots.clear()  # what comes after the trouble may have the same numbers
                raise
            return self._snapshots[name]

    def _check(self, name: str) -> None:
        stamp = self._store.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._checked.clear()
        if name not in self._checked:
            try:
                self._refresh(name)
            except ProfileNotFound:
                if name != DEFAULT:
                    raise
                self._make(name)
            self._checked.add(name)

    def _make(self, name: str) -> None:
        """Whoever names no profile has the usual one, whatever became of it."""
        self._snapshots.pop(name, None)
        with suppress(ProfileExists):
            self._store.create(name)
        self._refresh(name)

    def _refresh(self, name: str) -> None:
        """Writes that leave the revision as it is, such as those to another profile, change nothing here for now."""
        known, now = self._snapshots.get(name), self._clock()
        is_old = now - self._read_at.get(name, now) > OLD_S
        if known is None or is_old or self._store.revision(name) != known.revision:
            self._snapshots.pop(name, None)
            self._snapshots[name] = self._store.get(name)
            self._read_at[name] = now
