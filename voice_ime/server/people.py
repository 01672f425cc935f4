"""Whose words are used: profiles, the engine that writes in them, and what their corrections teach."""

from contextlib import suppress

from voice_ime.engine.base import Engine, Options
from voice_ime.errors import ProfileExists
from voice_ime.personalize.learn import Learner
from voice_ime.personalize.personal import PersonalEngine
from voice_ime.personalize.profile import DEFAULT
from voice_ime.personalize.ready import Preparation
from voice_ime.personalize.retrieve import Lexicons
from voice_ime.personalize.sounding import Pronouncer
from voice_ime.personalize.sounds_alike import Ears
from voice_ime.server.explaining import Explanations
from voice_ime.server.learning import Corrections
from voice_ime.store.base import Store
from voice_ime.store.current import Profiles


class People:
    """Everything that depends on who speaks. It closes neither engine nor store."""

    def __init__(self, engine: Engine, store: Store) -> None:
        lexicons = Lexicons()
        with suppress(ProfileExists):  # whoever names none has this one
            store.create(DEFAULT)
        self.store = store
        self.profiles = Profiles(store)
        preparation = Preparation(lexicons)
        self.engine = PersonalEngine(engine, self.profiles, preparation)
        self.learner = Learner(Ears(lexicons.english, lexicons.chinese))
        self.pronouncer = Pronouncer(lexicons)
        self.corrections = Corrections(store, self.learner)
        self.explanations = Explanations(self.profiles, preparation.explainer)

    def make_ready(self, options: Options) -> None:
        """Loads what the first utterance would else have to wait for: a second's work at most. Raises what `begin`
        does."""
        self.engine.begin(options).cancel()
