"""Which model fits a person and a machine."""

from collections.abc import Collection
from dataclasses import dataclass

from voice_ime.models.manifest import MANY, Choice, Manifest, Model

SPARE = 2.2
"""An archive and what is in it are on the disk at the same time."""


@dataclass(frozen=True)
class Resources:
    """What a machine has to offer."""

    cores: int
    memory_mb: int
    free_mb: int
    """On the disk of the models folder."""


def recommend(
    manifest: Manifest,
    languages: Collection[str],
    resources: Resources,
    engines: Collection[str],
    here: Collection[str] = (),
) -> Model | None:
    """The first choice of the list for people who dictate in `languages` that this machine can hold and run.

    `engines`: those that this version has. `here`: ids of models that need not be fetched. None: nothing fits.
    """
    for choice in manifest.choice:
        model = manifest.get(choice.model)
        if (
            _is_for(choice, languages)
            and model.engine in engines
            and _fits(choice, resources)
            and (model.id in here or _has_room(model, resources))
        ):
            return model
    return None


def _is_for(choice: Choice, languages: Collection[str]) -> bool:
    return MANY in choice.languages or set(choice.languages) == set(languages)


def _fits(choice: Choice, resources: Resources) -> bool:
    return resources.cores >= choice.least_cores and resources.memory_mb >= choice.least_memory_mb


def _has_room(model: Model, resources: Resources) -> bool:
    return model.comes_with is not None or (model.megabytes or 0) * SPARE <= resources.free_mb
