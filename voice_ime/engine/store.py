"""Where model files are: found without importing the packages that carry them, and checked before they are loaded."""

import hashlib
import importlib.util
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from voice_ime.errors import ModelDamaged, ModelNotFound


@dataclass(frozen=True)
class ModelFile:
    """One file of a model, and how to know that it is whole."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hexadecimal digits."""


@dataclass(frozen=True)
class ModelSource:
    """A model that comes inside an ordinary Python package."""

    model: str
    """The name a person hears."""
    package: str
    """The package as it is imported; it is only looked for, never imported."""
    requirement: str
    """The package as it is installed."""
    folder: str
    """Where the files are inside the package."""
    files: tuple[ModelFile, ...]

    @property
    def command(self) -> str:
        """The command that brings the files, and brings them again."""
        pip = [sys.executable, "-m", "pip", "install", "--force-reinstall", "--no-deps"]
        return shlex.join([*pip, self.requirement])


MOONSHINE_TINY_EN = ModelSource(
    model="Moonshine tiny English",
    package="moonshine_voice",
    requirement="moonshine-voice==0.0.73",
    folder="assets/tiny-en",
    files=(
        ModelFile("encoder_model.ort", 13_281_600, "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221"),
        ModelFile(
            "decoder_model_merged.ort", 30_412_256, "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0"
        ),
        ModelFile("tokenizer.bin", 249_974, "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d"),
    ),
)

SILERO_V6 = ModelSource(
    model="Silero speech detector",
    package="faster_whisper",
    requirement="faster-whisper==1.2.1",
    folder="assets",
    files=(
        ModelFile("silero_vad_v6.onnx", 1_245_151, "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2"),
    ),
)


def package_folder(package: str) -> Path | None:
    """The folder of an installed top-level package, without importing it; None where it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def checked_files(source: ModelSource, folder: Path | None = None) -> tuple[Path, ...]:
    """The files of `source` in its order, each read once and found whole.

    `folder`: where they are; None: inside the package. Reading them costs some 50 ms for 44 MB, so once for each load.
    ModelNotFound, ModelDamaged.
    """
    place = folder if folder is not None else _folder_in_package(source)
    return tuple(checked_file(source, file, place / file.name) for file in source.files)


def checked_file(source: ModelSource, file: ModelFile, path: Path) -> Path:
    """`path`, found to be `file` of `source`, whole. ModelNotFound, ModelDamaged."""
    if not path.is_file():
        raise ModelNotFound(model=source.model, where=str(path), command=source.command)
    if not _is_whole(path, file):
        raise ModelDamaged(model=source.model, file=str(path), command=source.command)
    return path


def _folder_in_package(source: ModelSource) -> Path:
    package = package_folder(source.package)
    if package is None:
        raise ModelNotFound(model=source.model, where=source.requirement, command=source.command)
    return package / source.folder


def _is_whole(path: Path, file: ModelFile) -> bool:
    if path.stat().st_size != file.size:
        return False
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    except OSError:  # a disk that cannot read the file back
        return False


def sample_recording() -> Path | None:
    """The recording that comes with the embedded model (English, 44 s, 48 kHz); None where it is not installed."""
    package = package_folder(MOONSHINE_TINY_EN.package)
    if package is None:
        return None
    path = package / "assets" / "two_cities.wav"
    return path if path.is_file() else None
