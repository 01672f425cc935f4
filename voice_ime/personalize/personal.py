"""An engine that writes in the words of the person who speaks: any engine, with that person's profile behind it."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol

from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Utterance
from voice_ime.engine.han import Script, Writing
from voice_ime.engine.wrapped import WrappedUtterance
from voice_ime.engine.written import WrittenUtterance
from voice_ime.errors import EngineUnavailable, OwnEngineMissing, RecognitionFailed
from voice_ime.personalize.correct import Corrector
from voice_ime.personalize.profile import DEFAULT, Preferences, Profile
from voice_ime.personalize.spacing import spaced

logger = logging.getLogger(__name__)


class Profiles(Protocol):
    """Where profiles come from. Safe to use from several threads."""

    def current(self, name: str) -> Profile:
        """As it is now, with every change that was acknowledged; the same object where there was none. NotFound."""
        ...


class PersonalEngine(Engine):
    """Each utterance is heard and corrected with its profile as it was when the utterance began."""

    def __init__(self, engine: Engine, profiles: Profiles, prepare: Callable[[Profile], Corrector]) -> None:
        """`prepare`: makes a profile ready for use; asked for each utterance, so it must be quick for the same one."""
        self._engine = engine
        self._profiles = profiles
        self._prepare = prepare
        self._writings = Writings()
        self._missing: dict[str, OwnEngineMissing | None] = {}

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """Those of the engine within, which may be changed while it runs."""
        return self._engine.capabilities

    def begin(self, options: Options) -> Utterance:
        """Also NotFound, where there is no such profile."""
        if options.profile is None:
            return self._engine.begin(options)
        profile = self._profiles.current(options.profile)
        options = self._wished(options, profile.preferences)
        self._missing[profile.name] = _missing(profile.name, options, self._engine.unloaded(options))
        engine = self._engine.chosen(options)
        can = engine.capabilities
        utterance = engine.begin(options)
        if options.script is not None and (writing := self._writings.of(options.script)):
            utterance = WrittenUtterance(utterance, writing)
        return PersonalUtterance(utterance, can, options, self._prepare(profile), profile.preferences.latin_spaces)

    def missing(self, profile: str) -> OwnEngineMissing | None:
        """What the person must know if the profile, when last used, asked for an engine that was not loaded. Quick."""
        return self._missing.get(profile)

    def close(self) -> None:
        self._engine.close()

    def _wished(self, options: Options, preferences: Preferences) -> Options:
        """What the client asks for goes before what the profile says, except for engines."""
        known = self._engine.capabilities.languages
        language = preferences.language if preferences.language in known else None
        script = (options.script or preferences.script) if "zh" in known else None
        return replace(
            options,
            language=options.language or language,
            script=script if script is not None and self._writings.of(script) else None,
            engine=preferences.engine,
            final_engine=preferences.final_engine,
        )


def _missing(profile: str, options: Options, unloaded: Collection[str]) -> OwnEngineMissing | None:
    asked = {"--own-engine": options.engine, "--own-final-engine": options.final_engine}
    wished = {option: name for option, name in asked.items() if name in unloaded}
    if not wished:
        return None
    words = ["voice-ime profile preferences", *(f"{option} usual" for option in wished)]
    command = " ".join([*words, *([] if profile == DEFAULT else [f"--profile {profile}"])])
    names = list(dict.fromkeys(wished.values()))
    return OwnEngineMissing(engine=tuple(names), own=names[0], command=command)


class Writings:
    """Kept, since reading the tables takes a tenth of a second. Without OpenCC there are none."""

    def __init__(self) -> None:
        self._known: dict[Script, Writing | None] = {}

    def of(self, script: Script) -> Writing | None:
        if script not in self._known:
            try:
                self._known[script] = Writing(script)
            except EngineUnavailable:
                logger.warning("Chinese stays in the script that it is heard in: OpenCC is not installed")
                self._known[script] = None
        return self._known[script]


class PersonalUtterance(WrappedUtterance):
    """An utterance whose final is corrected, also when it is prepared in advance. Partials are left as they are:
    text that changes to and fro cannot be followed by ear or braille."""

    def __init__(
        self, utterance: Utterance, can: Capabilities, options: Options, corrector: Corrector, latin_spaces: bool
    ) -> None:
        super().__init__(utterance)
        self._can = can
        self._options = options
        self._corrector = corrector
        self._latin_spaces = latin_spaces
        self._prepared: tuple[Hypothesis, Hypothesis] | None = None
        """What the engine heard, and what became of it."""

    def feed(self, samples: Samples) -> None:
        if len(samples):
            self._prepared = None
        self._inner.feed(samples)

    def prepare(self) -> Hypothesis | None:
        heard = self._inner.prepare()
        return None if heard is None else self._corrected(heard)

    def finish(self) -> Hypothesis:
        return self._corrected(self._inner.finish())

    def cancel(self) -> None:
        self._prepared = None
        self._inner.cancel()

    def _corrected(self, heard: Hypothesis) -> Hypothesis:
        prepared = self._prepared
        if prepared is not None and prepared[0] is heard:
            return prepared[1]
        try:
            corrected = self._corrector.correct(heard, self._inner, self._can, self._options)
        except RecognitionFailed:
            logger.warning("names could not be verified against the sound: the text stays as it was heard")
            corrected = heard
        corrected = spaced(corrected, blanks=self._latin_spaces)
        self._prepared = (heard, corrected)
        return corrected
