"""An engine that writes in the words of the person who speaks: any engine, with that person's profile behind it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from voice_ime.engine.base import Engine, Hypothesis, Options, Samples, Substitution, Utterance
from voice_ime.personalize.correct import Corrector
from voice_ime.personalize.profile import Profile

MOST_READY = 8
"""Profiles that are kept ready for use."""


class Profiles(Protocol):
    """Where profiles come from. Safe to use from several threads."""

    def current(self, name: str) -> Profile:
        """As it is now, with every change that was acknowledged. NotFound."""
        ...


class PersonalEngine(Engine):
    """Each utterance is corrected with its profile as it was when the utterance began."""

    def __init__(self, engine: Engine, profiles: Profiles, prepare: Callable[[Profile], Corrector]) -> None:
        """`prepare`: makes a profile ready for use; called once for each of its revisions."""
        self.capabilities = engine.capabilities
        self._engine = engine
        self._profiles = profiles
        self._prepare = prepare
        self._ready: OrderedDict[str, tuple[int, Corrector]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, options: Options) -> Utterance:
        """Also NotFound, where there is no such profile."""
        utterance = self._engine.begin(options)
        if options.profile is None:
            return utterance
        corrector = self._corrector(self._profiles.current(options.profile))
        return PersonalUtterance(utterance, self._engine, options, corrector)

    def close(self) -> None:
        self._engine.close()

    def _corrector(self, profile: Profile) -> Corrector:
        with self._lock:
            revision, corrector = self._ready.get(profile.name, (None, None))
            if corrector is None or revision != profile.revision:
                corrector = self._prepare(profile)
                self._ready[profile.name] = (profile.revision, corrector)
            self._ready.move_to_end(profile.name)
            while len(self._ready) > MOST_READY:
                self._ready.popitem(last=False)
            return corrector


class PersonalUtterance(Utterance):
    """An utterance whose final is corrected, also when it is prepared in advance. Partials are left as they are:
    text that changes to and fro cannot be followed by ear or braille."""

    def __init__(self, utterance: Utterance, engine: Engine, options: Options, corrector: Corrector) -> None:
        self._utterance = utterance
        self._can = engine.capabilities
        self._options = options
        self._corrector = corrector
        self._prepared: tuple[Hypothesis, Hypothesis] | None = None
        """What the engine heard, and what became of it."""

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._prepared = None
        self._utterance.feed(samples)

    def partial(self) -> Hypothesis | None:
        return self._utterance.partial()

    def prepare(self) -> Hypothesis | None:
        heard = self._utterance.prepare()
        return None if heard is None else self._corrected(heard)

    def completeness(self) -> float | None:
        return self._utterance.completeness()

    def finish(self) -> Hypothesis:
        return self._corrected(self._utterance.finish())

    def cancel(self) -> None:
        self._prepared = None
        self._utterance.cancel()

    def score(self, texts: list[str]) -> list[float]:
        return self._utterance.score(texts)

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> list[float]:
        return self._utterance.price(final, substitutions)

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        return self._utterance.rehear(phrases)

    def _corrected(self, heard: Hypothesis) -> Hypothesis:
        prepared = self._prepared
        if prepared is not None and prepared[0] is heard:
            return prepared[1]
        corrected = self._corrector.correct(heard, self._utterance, self._can, self._options)
        self._prepared = (heard, corrected)
        return corrected
