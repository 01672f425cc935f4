"""Writing into the person's settings file which model is to be used; everything else in it stays as it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_ime.engine.catalog import ROWS, Row
from voice_ime.errors import ConfigError, ModelNotUsable, StoreError
from voice_ime.files import write_atomically
from voice_ime.models.manifest import Model
from voice_ime.settings import Settings

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def row_of(model: Model, rows: tuple[Row, ...] = ROWS) -> Row:
    """The engine that runs the model. ModelNotUsable where this version has none."""
    for row in rows:
        if row.name == model.engine:
            return row
    raise ModelNotUsable(model=model.id, engine=model.engine)


def engine_settings(model: Model, folder: Path | None, row: Row) -> dict[str, Any]:
    """The [engine] part of the settings that chooses the model, kept in `folder`; None: inside its package."""
    chosen: dict[str, Any] = {"name": row.name}
    if row.settings is not None and folder is not None:
        own = {name: list(value) if isinstance(value, tuple) else value for name, value in model.settings.items()}
        chosen[row.settings] = {"folder": str(folder)} | own
    return chosen


def write_choice(
    file: Path, chosen: Mapping[str, Any], manifest_settings: frozenset[str], own_name: str | None = None
) -> None:
    """Puts `chosen`, as `engine_settings` made it, into the settings file, which is made where there is none.

    `manifest_settings`: what other models of the list set for their engines; it must not stay behind. `own_name`: it is
    one of `engine.others`; None: the usual engine. ConfigError, DiskFull, StoreError.
    """
    import tomlkit

    document = _read(file)
    engine = document.setdefault("engine", tomlkit.table())
    if own_name is not None:
        engine = engine.setdefault("others", tomlkit.table(True)).setdefault(own_name, tomlkit.table())
    for name, value in chosen.items():
        if isinstance(value, Mapping):
            own = engine.setdefault(name, tomlkit.table())
            for left in manifest_settings - set(value):
                own.pop(left, None)
            own.update(value)
        else:
            engine[name] = value
    _write(file, document)


def take_back(file: Path, own_name: str) -> None:
    """Takes the engine that `write_choice` put under `own_name` out again, where there is one. Raises the same."""
    document = _read(file)
    engine = document.get("engine", {})
    engine.get("others", {}).pop(own_name, None)
    if not engine.get("others", True):
        del engine["others"]
    _write(file, document)


def _read(file: Path) -> "TOMLDocument":
    import tomlkit

    try:
        return tomlkit.parse(file.read_text("utf-8")) if file.exists() else tomlkit.document()
    except (OSError, ValueError) as error:
        raise ConfigError(where=str(file), detail=str(error)) from None


def _write(file: Path, document: "TOMLDocument") -> None:
    import tomlkit

    text = tomlkit.dumps(document)
    _require_valid(file, document.unwrap())
    write_atomically(file, text.encode(), mode=0o600)


def _require_valid(file: Path, tree: Mapping[str, Any]) -> None:
    from pydantic import ValidationError

    try:
        Settings.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(where=".".join(map(str, first["loc"])), detail=first["msg"]) from None
    except RecursionError:
        raise StoreError(path=str(file), detail="too deep") from None
