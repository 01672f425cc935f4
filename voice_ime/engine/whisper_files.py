"""A Whisper model's folder: which files must be there, and the command that gets them."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

from voice_ime.errors import ModelDamaged, ModelNotFound
from voice_ime.models.manifest import read_manifest
from voice_ime.models.shelf import RECORD, pull_command

MODEL = "faster-whisper-small"
FOLDER = Path("~/voice-ime-models") / MODEL
"""Where the model is looked for if the settings name no folder."""
OWNER, OWNERS = "Systran", {"faster-whisper-large-v3-turbo": "mobiuslabsgmbh"}
"""Who offers a model of a given name."""
_MODEL_NAME = re.compile(r"faster-(distil-)?whisper-[\w.-]+")


def whole_folder(folder: Path) -> Path:
    """`folder` with `~` filled in, with all files in it. ModelNotFound, ModelDamaged (a file of text that is none)."""
    folder = folder.expanduser()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        _require(folder, (name,))
    _require(folder, ("vocabulary.json", "vocabulary.txt"))
    for path in sorted(folder.glob("*.json")):
        if not _is_json(path):
            raise damaged(folder, path.name)
    return folder


def damaged(folder: Path, file: str) -> ModelDamaged:
    """That `file` of this model is not what it should be, with the command that gets it again."""
    return ModelDamaged(model=folder.name, file=file, command=_command(folder, again=True))


def _require(folder: Path, names: tuple[str, ...]) -> None:
    if not any((folder / name).is_file() for name in names):
        where = folder / names[0] if folder.is_dir() else folder
        raise ModelNotFound(model=folder.name, where=str(where), command=_command(folder))


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict | list)
    except ValueError:
        return False


def _command(folder: Path, *, again: bool = False) -> str:
    """What gets the model of this name, or else a small one, into `folder`; `again`: over files that are there."""
    if _is_fetched_by_us(folder):
        return pull_command(folder.name)
    model = folder.name if _MODEL_NAME.fullmatch(folder.name) else MODEL
    command = f"{_downloader()} download {OWNERS.get(model, OWNER)}/{model} --local-dir {shlex.quote(str(folder))}"
    return f"{command} --force-download" if again else command


def _is_fetched_by_us(folder: Path) -> bool:
    """Whether `voice-ime models pull` brought it there, or would do so."""
    ours = folder.parent == FOLDER.parent.expanduser()
    return (folder / RECORD).is_file() or (ours and any(model.id == folder.name for model in read_manifest().model))


def _downloader() -> str:
    """The program that comes with faster-whisper; with its folder where a terminal would not find it by name."""
    beside = Path(sys.executable).with_name("hf")
    return "hf" if shutil.which("hf") or not beside.exists() else shlex.quote(str(beside))
