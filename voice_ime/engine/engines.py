"""The engines that are loaded: who hears which utterance, and changing them while people speak."""

import logging
import threading
import weakref
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from voice_ime.engine.base import Capabilities, Engine, Options, Utterance
from voice_ime.engine.by_language import ByLanguageEngine
from voice_ime.engine.calibration import Calibration
from voice_ime.engine.catalog import ROWS, Row, facts, load
from voice_ime.engine.two_pass import TwoPassEngine
from voice_ime.errors import LanguageNotSupported, VoiceImeError
from voice_ime.settings import EngineSettings, OneEngineSettings, RouteSettings

logger = logging.getLogger(__name__)


class Engines(Engine):
    """All engines of the settings, loaded, as one: each utterance goes to the one or two that are to hear it.

    Its capabilities are those of the usual engine, with the languages of all. Raises what `catalog.load` does;
    ConfigError and LanguageNotSupported where engines are to work together that do not hear the same.
    """

    def __init__(self, settings: EngineSettings, rows: Sequence[Row] = ROWS, *, spare: Container[str] = ()) -> None:
        """`spare`: names of engines that may be missing, where they cannot be loaded."""
        self._rows = rows
        self._team = _gather(settings, {}, rows, spare)
        self._changing = threading.Lock()
        self._logged: set[str] = set()
        self.capabilities = self._team.capabilities

    @property
    def settings(self) -> EngineSettings:
        """What is loaded now."""
        return self._team.settings

    @property
    def loaded(self) -> Mapping[str, Capabilities]:
        """What each loaded engine can do, by the name that the settings have for it."""
        return {name: model.engine.capabilities for name, model in self._team.models.items()}

    @property
    def missing(self) -> Mapping[str, VoiceImeError]:
        """Those that could not be loaded, and why."""
        return self._team.missing

    def chosen(self, options: Options) -> Engine:
        """LanguageNotSupported where none hears the language."""
        self._log_unloaded(options)
        team = self._team
        if options.language is not None:
            _require(options.language, team.capabilities)
        return team.chosen(options)

    def begin(self, options: Options) -> Utterance:
        return self.chosen(options).begin(options)

    def unloaded(self, options: Options) -> tuple[str, ...]:
        asked = dict.fromkeys((options.engine, options.final_engine))
        return tuple(name for name in asked if name and name not in self._team.models)

    def writes(self, text: str) -> bool:
        """Whether the usual engine does; of others it is asked through `chosen`."""
        return self._team.chosen(Options()).writes(text)

    def switch(self, settings: EngineSettings, languages: Iterable[str] = ()) -> None:
        """From now on utterances are heard as `settings` say; those under way by the engines that they began with.

        What stays the same is not loaded again. Where anything fails, all stays as it was, and it is raised: as by the
        constructor, and LanguageNotSupported where none of the new engines hears one of `languages`. What was missing
        before, and is not asked for otherwise than before, may be missing still.
        """
        with self._changing:
            before = self._team.settings.others
            same = {name for name in self._team.missing if settings.others.get(name) == before[name]}
            team = _gather(settings, self._team.by_settings, self._rows, same & only_for_profiles(settings))
            for language in languages:
                _require(language, team.capabilities)
            self._team = team
            self.capabilities = team.capabilities

    def close(self) -> None:
        with self._changing:
            for model in self._team.models.values():
                model.close()

    def _log_unloaded(self, options: Options) -> None:
        for name in self.unloaded(options):
            if name not in self._logged:
                self._logged.add(name)
                logger.warning("a profile asks for the engine %s, which is not loaded", name)


class _Model:
    """A loaded engine. It is closed when nobody holds it any longer: neither a team nor an utterance."""

    def __init__(self, settings: object, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self.close = weakref.finalize(self, engine.close)
        self.close.atexit = False


class _Seat(Engine):
    """One engine, or several that work together. They stay loaded as long as an utterance of theirs is there."""

    def __init__(self, engine: Engine, models: tuple[_Model, ...]) -> None:
        self.capabilities = engine.capabilities
        self.engine = engine
        self.models = models

    @property
    def calibration(self) -> Calibration | None:
        """That of the engine, which it is passed on to."""
        return self.engine.calibration

    @calibration.setter
    def calibration(self, calibration: Calibration | None) -> None:
        self.engine.calibration = calibration

    def begin(self, options: Options) -> Utterance:
        utterance = self.engine.begin(options)
        weakref.finalize(utterance, _let_go, self.models).atexit = False
        return utterance

    def writes(self, text: str) -> bool:
        return self.engine.writes(text)

    def close(self) -> None:
        """Nothing: the models are not its own."""


def _let_go(models: tuple[_Model, ...]) -> None:
    """Called when an utterance is gone, which was all that kept `models` for it."""


@dataclass(frozen=True)
class _Team:
    """What is loaded at one time. Never changed."""

    settings: EngineSettings
    models: Mapping[str, _Model]
    missing: Mapping[str, VoiceImeError]

    @property
    def capabilities(self) -> Capabilities:
        usual = self._seat(_usual(self.settings)).capabilities
        others = (language for model in self.models.values() for language in model.engine.capabilities.languages)
        return replace(usual, languages=tuple(dict.fromkeys((*usual.languages, *others))))

    @property
    def by_settings(self) -> Mapping[object, _Model]:
        return {model.settings: model for model in self.models.values()}

    def chosen(self, options: Options) -> _Seat:
        """Who hears it: as the profile wishes, else as its language asks for, else as usual; anybody rather than those
        who do not hear the language. Where no language was said, the usual engine finds it out if it can."""
        route = self._able_route(options)
        seat, writers = self._seat(route), self._writers(options, route)
        if not writers:
            return seat
        engines = {language: writer.engine for language, writer in writers.items()}
        languages = self._writer(route).engine.capabilities.languages
        return _Seat(ByLanguageEngine(seat.engine, engines, languages), (*seat.models, *writers.values()))

    def _writers(self, options: Options, route: RouteSettings) -> Mapping[str, _Model]:
        """By language: other models than that of `route`, where no language was said and that one can tell them."""
        usual = self._writer(route)
        if options.language is not None or len(usual.engine.capabilities.languages) < 2:
            return {}
        routes = {each: self._able_route(replace(options, language=each)) for each in self.settings.by_language}
        writers = {language: self._writer(each) for language, each in routes.items()}
        return {language: writer for language, writer in writers.items() if writer is not usual}

    def _writer(self, route: RouteSettings) -> _Model:
        return self.models[route.final or route.name]

    def _able_route(self, options: Options) -> RouteSettings:
        """With engines only that hear the language."""
        route, usual = self._route(options), _usual(self.settings)
        names = (route.name, route.final, usual.name, usual.final, *self.models)
        able = [name for name in names if name and self._hears(name, options.language)]
        live = able[0]
        if route.final in able and self._share(live, route.final):
            return RouteSettings(name=live, final=route.final)
        return RouteSettings(name=live)

    def check(self) -> None:
        """ConfigError, LanguageNotSupported where those who are set to work together do not hear the same."""
        self._seat(_usual(self.settings))
        for language, route in self.settings.by_language.items():
            _require(language, self._seat(route).capabilities)

    def _route(self, options: Options) -> RouteSettings:
        if options.engine in self.models:
            route = RouteSettings(name=options.engine)
        else:
            route = self.settings.by_language.get(options.language or "", _usual(self.settings))
        if options.final_engine in self.models:
            route = route.model_copy(update={"final": options.final_engine})
        return route

    def _seat(self, route: RouteSettings) -> _Seat:
        live, final = self.models[route.name], self.models.get(route.final)
        if final is None or final is live:
            return _Seat(live.engine, (live,))
        return _Seat(TwoPassEngine(live.engine, final.engine), (live, final))

    def _hears(self, name: str, language: str | None) -> bool:
        return language is None or language in self.models[name].engine.capabilities.languages

    def _share(self, *names: str) -> bool:
        first, second = (set(self.models[name].engine.capabilities.languages) for name in names)
        return not first.isdisjoint(second)


def _gather(
    settings: EngineSettings, here: Mapping[object, _Model], rows: Sequence[Row], spare: Container[str]
) -> _Team:
    """`here`: what is loaded already; `spare`: names of those that may be missing."""
    found = dict(here)
    models: dict[str, _Model] = {}
    missing: dict[str, VoiceImeError] = {}
    for name, wanted in wanted_by(settings).items():
        own = _own(wanted, rows)
        try:
            models[name] = found[own] = found.get(own) or _Model(own, load(wanted, rows))
        except VoiceImeError as error:
            if name not in spare:
                raise
            missing[name] = error.with_traceback(None)
    team = _Team(settings, models, missing)
    team.check()
    return team


def only_for_profiles(settings: EngineSettings) -> Set[str]:
    """Names of the engines that hear nobody but whose profile asks for them."""
    usual = settings.model_copy(update={"others": {}})
    return settings.others.keys() - wanted_by(usual).keys()


def wanted_by(settings: EngineSettings) -> Mapping[str, OneEngineSettings]:
    """The engines that are to be loaded, by the names that `settings` have for them, the usual one first."""
    routes = (_usual(settings), *settings.by_language.values())
    names = (name for route in routes for name in (route.name, route.final) if name)
    return {name: _settings_of(name, settings) for name in (*names, *settings.others)}


def _settings_of(name: str, settings: EngineSettings) -> OneEngineSettings:
    return settings.others.get(name) or settings.model_copy(update={"name": name})


def _own(settings: OneEngineSettings, rows: Sequence[Row]) -> object:
    """All that makes a loaded engine what it is. UnknownEngine."""
    row = facts(settings.name, rows)
    return row.name, None if row.settings is None else getattr(settings, row.settings)


def _usual(settings: EngineSettings) -> RouteSettings:
    return RouteSettings(name=settings.name, final=settings.final)


def _require(language: str, can: Capabilities) -> None:
    if language not in can.languages:
        raise LanguageNotSupported(language=language, engine=can.engine, known=can.languages)
