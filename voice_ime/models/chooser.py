"""Everything about models of one person on one machine: put together from the settings, asked by commands."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_ime.engine.catalog import ROWS, facts, names
from voice_ime.engine.engines import wanted_by
from voice_ime.errors import ConfigError, ModelComesWith, ModelDamaged, ModelInUse, ModelNotHere
from voice_ime.models.download import Watcher
from voice_ime.models.manifest import Manifest, Model, read_manifest
from voice_ime.models.network import Network, Patience
from voice_ime.models.pull import Puller
from voice_ime.models.recommend import Resources, recommend
from voice_ime.models.shelf import Installed, Shelf, look_at, pull_command
from voice_ime.models.use import engine_settings, row_of, write_choice
from voice_ime.settings import OneEngineSettings, Settings


@dataclass(frozen=True)
class Advice:
    """What is recommended to this person on this machine."""

    model: Model | None
    """None: nothing fits."""
    languages: tuple[str, ...]
    resources: Resources
    here: bool = False
    used: bool = False


USUAL = "usual"
"""In place of a model: none besides the usual one."""
DEFAULTS = {"whisper": "faster-whisper-small", "sherpa": "x-asr-480ms"}
"""The model in which an engine looks by itself, where the settings name no folder."""


@dataclass(frozen=True)
class Chooser:
    manifest: Manifest
    shelf: Shelf
    network: Network
    settings: Settings
    resources: Resources
    engines: Collection[str] = names()

    # --- what there is ---

    @property
    def languages(self) -> tuple[str, ...]:
        """In which the person dictates."""
        given = self.settings.languages or (self.settings.language, "en")
        return tuple(dict.fromkeys(given))

    def is_here(self, model: Model) -> bool:
        return model.comes_with is not None or self.shelf.installed(model) is not None

    def present(self) -> list[Model]:
        """What lies in the models folder, damaged or not, ours or not."""
        return [model for model in self.manifest.model if self.shelf.place(model).is_dir()]

    def known(self, model: Model) -> dict[str, str | None]:
        return {file.name: self.shelf.known(model, file) for file in model.files}

    def recommended(self) -> Model | None:
        here = [model.id for model in self.manifest.model if self.is_here(model)]
        return recommend(self.manifest, self.languages, self.resources, self.engines, here)

    def advice(self) -> Advice:
        model = self.recommended()
        if model is None:
            return Advice(None, self.languages, self.resources)
        here = self.is_here(model)
        return Advice(model, self.languages, self.resources, here, here and self.is_used(model))

    def hears_all(self) -> bool:
        """Whether the engine of the settings hears the languages in which the person dictates; True where its row of
        the table does not tell."""
        known = facts(self.settings.engine.name).languages
        return not known or set(self.languages) <= set(known)

    def states(self, model: Model) -> tuple[str, ...]:
        """Keys under [models.state] that are true of the model, in the order in which they are told."""
        told = [
            ("used", self.is_used(model)),
            ("here", self.is_here(model)),
            ("unchecked", not self.is_here(model) and self.shelf.looks_there(model)),
            ("recommended", model == self.recommended()),
            ("not_usable", model.engine not in self.engines),
            ("never_run", not model.ran_here),
        ]
        return tuple(name for name, true in told if true)

    def is_used(self, model: Model) -> bool:
        """Whether the settings name it."""
        return bool(self._names_of(model))

    def _names_of(self, model: Model) -> tuple[str, ...]:
        """By which the settings have it loaded."""
        return tuple(name for name, one in wanted_by(self.settings.engine).items() if self._is_loaded_by(one, model))

    def _is_loaded_by(self, engine: OneEngineSettings, model: Model) -> bool:
        if model.engine != engine.name:
            return False
        own = getattr(engine, row_of(model).settings or "", None)
        folder: Path | None = getattr(own, "folder", None)
        if folder is None:
            return model.comes_with is not None or DEFAULTS.get(model.engine) == model.id
        return folder.expanduser() == self.shelf.place(model)

    # --- what is done ---

    def puller(self, watcher: Watcher) -> Puller:
        return Puller(self.shelf, self.network, watcher)

    def verify(self, model: Model) -> str | None:
        """The first file that is wrong or missing; None: the model is whole. A whole model that somebody put there is
        recorded. ModelNotHere, ModelComesWith, DiskFull, StoreError."""
        if model.comes_with is not None:
            raise ModelComesWith(model=model.id, command="voice-ime doctor")
        if not self.shelf.place(model).is_dir():
            raise ModelNotHere(model=model.id, command=pull_command(model.id))
        installed = self.shelf.installed(model)
        return self.shelf.damaged(installed) if installed is not None else self._adopted(model)

    def _adopted(self, model: Model) -> str | None:
        files = {}
        for file in model.files:
            seen = look_at(self.shelf.place(model) / file.name)
            wrong = seen is None or file.bytes not in (None, seen.bytes)
            if seen is None or wrong or self.shelf.known(model, file) not in (None, seen.sha256):
                return file.name
            files[file.name] = seen
        self.shelf.adopt(model, files)
        return None

    def remove(self, model: Model) -> None:
        """What `Shelf.remove` raises, ModelComesWith, and ModelInUse: without it nothing would start."""
        if model.comes_with is not None:
            raise ModelComesWith(model=model.id, command=f"pip install {model.comes_with}")
        if names := self._names_of(model):
            other = f"{USUAL} --as {names[0]}" if names[0] in self.settings.engine.others else "MODEL"
            raise ModelInUse(model=model.id, command=f"voice-ime models use {other}")
        self.shelf.remove(model)

    def use(self, model: Model, settings_file: Path, own_name: str | None = None) -> None:
        """From the next start on; with `own_name` beside the usual one.

        ModelNotUsable, ModelNotHere, ModelDamaged (it is read through), ConfigError, DiskFull, StoreError.
        """
        row = row_of(model, ROWS)
        installed: Installed | None = self.shelf.installed(model)
        if installed is None and model.comes_with is None:
            raise ModelNotHere(model=model.id, command=pull_command(model.id))
        if installed is not None and (file := self.shelf.damaged(installed)) is not None:
            raise ModelDamaged(model=model.id, file=file, command=pull_command(model.id))
        folder = installed.folder if installed is not None else None
        write_choice(settings_file, engine_settings(model, folder, row), _settings_of(self.manifest.model), own_name)


def _settings_of(models: Sequence[Model]) -> frozenset[str]:
    return frozenset(name for model in models for name in model.settings)


def chooser_of(settings: Settings, environment: Mapping[str, str]) -> Chooser:
    """ConfigError where the list of models that the settings name cannot be read, FileUnreadable where their folder
    cannot."""
    models = settings.models
    network = Network.of(environment, models.hub)
    patience = Patience(tries=models.tries, pause_s=models.pause_s, silence_s=models.silence_s)
    shelf = Shelf(models.folder)
    shelf.require_readable()
    return Chooser(
        _manifest(models.catalogue),
        shelf,
        Network(network.hub, network.proxies, patience),
        settings,
        this_machine(shelf.folder),
    )


def _manifest(file: Path | None) -> Manifest:
    try:
        return read_manifest(file.expanduser().read_text("utf-8") if file is not None else None)
    except (OSError, ValueError) as error:
        raise ConfigError(where="models.catalogue", detail=str(error).splitlines()[0]) from None


def this_machine(folder: Path) -> Resources:
    """Cores that we may use, memory, and room on the disk where `folder` is or will be."""
    import shutil

    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = shutil.disk_usage(there).free
    return Resources(len(os.sched_getaffinity(0)), memory // 1_000_000, free // 1_000_000)
