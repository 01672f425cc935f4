"""Each profile as it is now, for those who ask at every utterance."""

import threading

from voice_ime.personalize.profile import Profile
from voice_ime.store.base import Store


class Profiles:
    """Snapshots out of a store, read again only after somebody, in whatever process, has changed the profile.

    An unchanged profile is the very same object, so that what is derived from it can be kept beside it. Safe to use
    from several threads.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._stamp: int | None = None
        self._checked: set[str] = set()
        """Names whose snapshot is that of the present stamp."""
        self._snapshots: dict[str, Profile] = {}

    def current(self, name: str) -> Profile:
        """Some microseconds where nothing was changed. ProfileNotFound, and what is wrong with the store."""
        with self._lock:
            stamp = self._store.stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self._checked.clear()
            if name not in self._checked:
                self._refresh(name)
                self._checked.add(name)
            return self._snapshots[name]

    def _refresh(self, name: str) -> None:
        """Writes that leave the revision as it is, such as those to another profile, change nothing here."""
        known = self._snapshots.get(name)
        if known is None or self._store.revision(name) != known.revision:
            self._snapshots.pop(name, None)
            self._snapshots[name] = self._store.get(name)
