"""Whose words are used: profiles, the engine that writes in them, and what their corrections teach."""

import logging

from voice_ime.engine.base import Engine, Options
from voice_ime.errors import NotFound, ProfileNotFound, StoreError
from voice_ime.personalize.learn import Learner
from voice_ime.personalize.personal import PersonalEngine
from voice_ime.personalize.profile import DEFAULT, Preferences
from voice_ime.personalize.ready import Preparation
from voice_ime.personalize.retrieve import Lexicons
from voice_ime.personalize.sounding import Pronouncer
from voice_ime.personalize.sounds_alike import Ears
from voice_ime.server.explaining import Explanations
from voice_ime.server.learning import Corrections
from voice_ime.store.base import Store
from voice_ime.store.current import Profiles
from voice_ime.store.last_known import LastKnown, Trouble

logger = logging.getLogger(__name__)


class People:
    """Everything that depends on who speaks. It closes neither engine nor store."""

    def __init__(self, engine: Engine, store: Store) -> None:
        lexicons = Lexicons()
        self.store = store
        self.profiles = Profiles(store)
        self._words = LastKnown(self.profiles)
        self._words.current(DEFAULT)  # whoever names none has this one
        preparation = Preparation(lexicons)
        self.engine = PersonalEngine(engine, self._words, preparation)
        self.learner = Learner(Ears(lexicons.english, lexicons.chinese))
        self.pronouncer = Pronouncer(lexicons)
        self.corrections = Corrections(store, self.learner)
        self.explanations = Explanations(self._words, preparation.explainer)

    def preferences(self, profile: str) -> Preferences:
        """Of the person who dictates, as far as they can be read. ProfileNotFound."""
        found = self._words.current(profile)
        trouble = self._words.trouble(profile)
        if trouble is not None and isinstance(trouble.error, NotFound):
            raise ProfileNotFound(profile=profile)
        return found.preferences

    def trouble(self, profile: str) -> Trouble | None:
        """Why the words that were last asked for cannot be read; None: they were. Very quick."""
        return self._words.trouble(profile)

    def note_used(self, profile: str, entries: list[str]) -> None:
        """That these were written. It matters too little to disturb anybody where it cannot be kept."""
        if self._words.trouble(profile) is None:  # nothing is written to a file that cannot be read
            try:
                self.corrections.used(profile, entries)
            except StoreError as error:
                logger.warning("that an entry was used could not be kept: %s", error.code)

    def make_ready(self, options: Options) -> None:
        """Loads what the first utterance would else have to wait for: a second's work at most. Raises what `begin`
        does."""
        self.engine.begin(options).cancel()
