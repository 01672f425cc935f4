"""Loading a damaged model in a process that ends: some libraries never free what they had loaded before they failed."""

from voice_ime.engine.catalog import load
from voice_ime.errors import ModelDamaged
from voice_ime.settings import EngineSettings


def refusal(settings: EngineSettings) -> dict[str, str | int | float]:
    """The values of ModelDamaged; nothing where the model is loaded."""
    try:
        load(settings).close()
    except ModelDamaged as damaged:
        return damaged.values
    return {}
