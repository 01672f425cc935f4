"""Making a profile ready for use: the one place where the parts of the correction are put together."""

import threading
from collections import OrderedDict

from voice_ime.personalize.correct import Corrector, Judge
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.explain import Explainer
from voice_ime.personalize.indexes import english_index_of, mandarin_index_of
from voice_ime.personalize.profile import Profile
from voice_ime.personalize.retrieve import Indexes, Lexicons

MOST_READY = 8
"""Profiles that are kept ready for use."""


class Preparation:
    """What all profiles share, and what was made of those that were used last. Safe to use from several threads."""

    def __init__(self, lexicons: Lexicons) -> None:
        self._lexicons = lexicons
        self._judge = Decider()
        self._lock = threading.Lock()
        self._making = threading.Lock()
        """Another one than `_lock`: those whose profile is ready do not wait for one that is being made ready."""
        self._ready: OrderedDict[str, _Ready] = OrderedDict()

    def __call__(self, profile: Profile) -> Corrector:
        """Up to some tenths of a second for thousands of entries; at once for the same object as the last time."""
        return self._of(profile).corrector

    def explainer(self, profile: Profile) -> Explainer:
        """Likewise; whoever has the one has the other at once."""
        return self._of(profile).explainer

    def _of(self, profile: Profile) -> "_Ready":
        ready = self._known(profile)
        if ready is None:
            with self._making:
                ready = self._known(profile) or self._kept(_Ready(profile, self._lexicons, self._judge))
        return ready

    def _known(self, profile: Profile) -> "_Ready | None":
        with self._lock:
            ready = self._ready.get(profile.name)
            if ready is None or ready.profile is not profile:
                return None
            self._ready.move_to_end(profile.name)
            return ready

    def _kept(self, ready: "_Ready") -> "_Ready":
        with self._lock:
            self._ready[ready.profile.name] = ready
            self._ready.move_to_end(ready.profile.name)
            while len(self._ready) > MOST_READY:
                self._ready.popitem(last=False)
            return ready


class _Ready:
    """One profile at one revision, searchable by sound."""

    def __init__(self, profile: Profile, lexicons: Lexicons, judge: Judge) -> None:
        english, mandarin = english_index_of(profile, lexicons), mandarin_index_of(profile, lexicons)
        if profile.entries:
            lexicons.english.read()
        self.profile = profile
        self.corrector = Corrector(profile, Indexes([english, mandarin]), judge)
        self.explainer = Explainer(profile, mandarin, lexicons.chinese, lexicons.english)
