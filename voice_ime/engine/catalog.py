"""The one table of engines: a new engine is one file and one row here. Importing this imports no engine."""

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

from voice_ime.engine.base import Engine
from voice_ime.errors import EngineUnavailable, UnknownEngine
from voice_ime.settings import OneEngineSettings


@dataclass(frozen=True)
class Row:
    """One engine."""

    name: str
    """What people call it: the value of the setting `engine.name`."""
    where: str
    """Its class, "module:Class"; imported only if it is chosen."""
    summary: str
    """Key of the sentence in the message catalogues that says what it is."""
    needs: tuple[str, ...] = ()
    """Packages it needs, by the name they are installed by; the import name is the same with underscores."""
    settings: str | None = None
    """The field of OneEngineSettings that its constructor takes; None: the constructor takes nothing."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes; empty: depends on the model that is loaded."""
    licence: str = ""
    """Licence of the model; empty: depends on the model."""

    def missing(self) -> str | None:
        """The first package that is not installed; None: all are."""
        return next((package for package in self.needs if not _installed(package)), None)


ROWS = (
    Row(
        name="moonshine-tiny-en",
        where="voice_ime.engine.moonshine:MoonshineEngine",
        summary="engine.moonshine_tiny_en.summary",
        needs=("numpy", "onnxruntime"),
        settings="moonshine",
        languages=("en",),
        licence="MIT",
    ),
    Row(
        name="whisper",
        where="voice_ime.engine.whisper:WhisperEngine",
        summary="engine.whisper.summary",
        needs=("numpy", "faster-whisper"),
        settings="whisper",
    ),
    Row(
        name="sherpa",
        where="voice_ime.engine.sherpa:SherpaEngine",
        summary="engine.sherpa.summary",
        needs=("numpy", "onnxruntime", "sherpa-onnx", "kaldi-native-fbank"),
        settings="sherpa",
    ),
    Row(
        name="moonshine-streaming",
        where="voice_ime.engine.moonshine_streaming:MoonshineStreamingEngine",
        summary="engine.moonshine_streaming.summary",
        needs=("numpy", "moonshine-voice"),
        settings="moonshine_streaming",
        languages=("en",),
        licence="MIT",
    ),
    Row(
        name="script",
        where="voice_ime.engine.script:ScriptEngine",
        summary="engine.script.summary",
        needs=("numpy",),
        settings="script",
        languages=("en", "zh"),
        licence="MIT",
    ),
)


def names(rows: Sequence[Row] = ROWS) -> tuple[str, ...]:
    """The names of all engines, the embedded one first."""
    return tuple(row.name for row in rows)


def facts(name: str, rows: Sequence[Row] = ROWS) -> Row:
    """The row of an engine, to list it without loading it. UnknownEngine."""
    for row in rows:
        if row.name == name:
            return row
    raise UnknownEngine(engine=name, known=tuple(names(rows)))


def load(settings: OneEngineSettings, rows: Sequence[Row] = ROWS) -> Engine:
    """The engine that `settings.name` says, with its model loaded.

    UnknownEngine, EngineUnavailable, and what its constructor raises (ModelNotFound, ModelDamaged, ConfigError).
    """
    row = facts(settings.name, rows)
    if package := row.missing():
        raise EngineUnavailable(engine=row.name, package=package)
    module, _, attribute = row.where.partition(":")
    try:
        engine_class = getattr(importlib.import_module(module), attribute)
    except ImportError as error:  # a package that is installed, but not whole or not for this machine
        package = (error.name or "").partition(".")[0]
        if package in ("", module.partition(".")[0]):
            raise
        raise EngineUnavailable(engine=row.name, package=package) from error
    engine: Engine = engine_class() if row.settings is None else engine_class(getattr(settings, row.settings))
    return engine


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package.replace("-", "_")) is not None
