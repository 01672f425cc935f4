"""The models folder: one folder for each model, whole or not there.

What is being fetched lies in `.fetching/<model>`, locked by whoever fetches it, and is renamed into its place after the
check. After a crash the lock is gone and the next start clears up: what was fetched goes, and a model that was just
being replaced comes back. `checksums.json` holds what was seen at first downloads.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voice_ime.errors import (
    DiskFull,
    FileUnreadable,
    ModelBusy,
    ModelFolderTaken,
    ModelNotHere,
    StoreError,
    VoiceImeError,
)
from voice_ime.files import write_atomically
from voice_ime.models.manifest import File, Model

FOLDER = Path("~/voice-ime-models")
RECORD = "voice-ime-model.json"
CHECKSUMS = "checksums.json"
FETCHING = ".fetching"
NEW, OLD = "new", "old"
"""In a workplace: the model that is being made, and the one that it replaces."""
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def pull_command(model: str) -> str:
    return f"voice-ime models pull {model}"


@dataclass(frozen=True)
class Seen:
    """One file as it lies there."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Installed:
    """A model on the shelf."""

    model: str
    folder: Path
    files: Mapping[str, Seen]
    source: str
    """Where it came from; empty: somebody put it there."""


class Workplace:
    """Where one model is being made; ours until the lock is given back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.new = folder / NEW
        self.new.mkdir(exist_ok=True)

    @property
    def scratch(self) -> Path:
        """Of what does not become part of the model."""
        return self.folder

    @property
    def bytes(self) -> int:
        """That are there already."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def keep_only(self, names: Collection[str]) -> None:
        """Of what an earlier try left."""
        for path in self.new.iterdir():
            if path.name not in names:
                path.unlink()

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Shelf:
    """The models folder of a person; it is made when the first model comes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or FOLDER).expanduser()

    def place(self, model: Model) -> Path:
        return self.folder / model.id

    # --- what is there ---

    def require_readable(self) -> None:
        """FileUnreadable where nobody could tell which models are there; a folder that is not there yet is empty."""
        try:
            if self.folder.exists():
                os.listdir(self.folder)
        except OSError as error:
            raise FileUnreadable(path=str(self.folder), detail=error.strerror or "") from error

    def installed(self, model: Model) -> Installed | None:
        """The model as it was recorded when it came; its files are not read again. None: it is not there, or damaged
        in a way that shows at a glance."""
        record = _read(self.place(model) / RECORD)
        if record is None or not _fits(record, model):
            return None
        files = {name: Seen(**seen) for name, seen in record["files"].items()}
        if any(_size(self.place(model) / name) != seen.bytes for name, seen in files.items()):
            return None
        return Installed(model.id, self.place(model), files, str(record.get("source", "")))

    def looks_there(self, model: Model) -> bool:
        """Whether its folder holds all files by name: also a model that somebody downloaded without voice-ime."""
        return all(_size(self.place(model) / file.name) is not None for file in model.files)

    def damaged(self, installed: Installed) -> str | None:
        """The first file that is not what it was; None: all are. Reads every byte."""
        for name, seen in installed.files.items():
            if look_at(installed.folder / name) != seen:
                return name
        return None

    def known(self, model: Model, file: File) -> str | None:
        """The checksum that the list or an earlier download tells."""
        if file.sha256 is not None:
            return file.sha256
        told = self._checksums().get(model.id, {}).get(file.name)
        return str(told) if told is not None else None

    def forget_checksums(self, model: Model) -> None:
        """Those that were only recorded here. DiskFull, StoreError."""
        if model.id in self._checksums():
            self._change_checksums(model, None)

    # --- making and removing ---

    @contextlib.contextmanager
    def workplace(self, model: Model) -> Iterator[Workplace]:
        """ModelBusy, StoreError. What is left in it stays for the next try, unless it is cleared."""
        with _stored(self.folder), _locked(self.folder / FETCHING / model.id) as held:
            if held is None:
                raise ModelBusy(model=model.id)
            _put_back(held, self.place(model))
            try:
                yield Workplace(held)
            finally:
                for folder in (held / NEW, held, held.parent):
                    _remove_empty(folder)

    def require_free(self, model: Model) -> None:
        """ModelFolderTaken where the place of the model holds what we did not put there."""
        place = self.place(model)
        if place.exists() and _size(place / RECORD) is None:
            raise ModelFolderTaken(model=model.id, where=str(place))

    def install(self, workplace: Workplace, model: Model, files: Mapping[str, Seen], source: str) -> Installed:
        """Puts what was made and checked into its place in one step, replacing what was there. DiskFull, StoreError."""
        self.require_free(model)
        with _stored(self.place(model)):
            _write_record(workplace.new, model, files, source)
            for name in (*files, RECORD):
                _sync(workplace.new / name)
            _sync(workplace.new)
            self._learn(model, files)
            _swap(workplace, self.place(model))
        return Installed(model.id, self.place(model), files, source)

    def adopt(self, model: Model, files: Mapping[str, Seen]) -> Installed:
        """Records a model that somebody put into its place. DiskFull, StoreError."""
        with _stored(self.place(model)):
            _write_record(self.place(model), model, files, "")
            self._learn(model, files)
        return Installed(model.id, self.place(model), files, "")

    def remove(self, model: Model) -> None:
        """ModelNotHere, ModelBusy, ModelFolderTaken for a folder that we did not make."""
        if not self.place(model).exists():
            raise ModelNotHere(model=model.id, command=pull_command(model.id))
        self.require_free(model)
        with self.workplace(model) as workplace, _stored(self.place(model)):
            shutil.rmtree(workplace.folder / "removed", ignore_errors=True)
            os.rename(self.place(model), workplace.folder / "removed")
            _sync(self.folder)
            workplace.clear()

    def sweep(self, but: str | None = None) -> list[str]:
        """Clears up after those who were killed; what a running program works on stays, and so does `but`. Their
        models' ids."""
        swept = []
        with contextlib.suppress(OSError):
            for place in sorted((self.folder / FETCHING).iterdir()):
                if place.name != but and self._swept(place):
                    swept.append(place.name)
        _remove_empty(self.folder / FETCHING)
        return swept

    def _swept(self, place: Path) -> bool:
        if not place.is_dir():
            place.unlink()
            return True
        with _locked(place) as held:
            if held is None:
                return False
            _put_back(held, self.folder / place.name)
            shutil.rmtree(held, ignore_errors=True)
        return True

    # --- checksums of first downloads ---

    def _checksums(self) -> dict[str, dict[str, str]]:
        told = _read(self.folder / CHECKSUMS) or {}
        return {model: files for model, files in told.items() if isinstance(files, dict)}

    def _learn(self, model: Model, files: Mapping[str, Seen]) -> None:
        fresh = {file.name: files[file.name].sha256 for file in model.files if file.sha256 is None}
        if fresh and self._checksums().get(model.id) != fresh:
            self._change_checksums(model, fresh)

    def _change_checksums(self, model: Model, files: Mapping[str, str] | None) -> None:
        """One program after the other: several models may come at the same time."""
        with _alone(self.folder):
            others = {name: known for name, known in self._checksums().items() if name != model.id}
            checksums = others if files is None else others | {model.id: files}
            text = json.dumps(checksums, indent=2, sort_keys=True)
            write_atomically(self.folder / CHECKSUMS, f"{text}\n".encode(), mode=0o644)


def look_at(path: Path) -> Seen | None:
    """Size and checksum of a file, read through; None where it cannot be read."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return Seen(stream.tell(), digest)
    except OSError:
        return None


@contextlib.contextmanager
def _stored(path: Path) -> Iterator[None]:
    """DiskFull, StoreError in place of what the system says."""
    try:
        yield
    except VoiceImeError:  # some are OSErrors, too
        raise
    except OSError as error:
        raise store_error(error, path) from error


def store_error(error: OSError, path: Path) -> StoreError:
    if error.errno in NO_SPACE:
        return DiskFull(path=str(path))
    return StoreError(path=str(path), detail=error.strerror or type(error).__name__)


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[Path | None]:
    """The folder, made and locked; None: somebody else holds it. The lock ends with the process that holds it."""
    while True:
        place.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # a sweeper was quicker
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(place, handle):
                yield place
                return
        except BlockingIOError:
            yield None
            return
        finally:
            os.close(handle)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until no other program is in here."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_still(place: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(place), os.fstat(handle))
    except FileNotFoundError:
        return False


def _swap(workplace: Workplace, place: Path) -> None:
    """Between the two renames the model is in neither place; `_put_back` mends that after a crash."""
    old = workplace.folder / OLD
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        os.rename(place, old)
    os.rename(workplace.new, place)
    _sync(place.parent)
    workplace.clear()


def _put_back(workplace: Path, place: Path) -> None:
    if (workplace / OLD / RECORD).is_file() and not place.exists():
        os.rename(workplace / OLD, place)


def _write_record(folder: Path, model: Model, files: Mapping[str, Seen], source: str) -> None:
    seen = {name: {"bytes": each.bytes, "sha256": each.sha256} for name, each in files.items()}
    record = {"model": model.id, "files": seen, "source": source, "since": datetime.now(UTC).date().isoformat()}
    write_atomically(folder / RECORD, json.dumps(record, indent=2).encode() + b"\n", mode=0o644)


def _fits(record: Mapping[str, Any], model: Model) -> bool:
    """Whether it is a record of this model as the list knows it today."""
    files = record.get("files")
    if not isinstance(files, dict) or set(files) != {file.name for file in model.files}:
        return False
    return all(
        isinstance(seen, dict) and set(seen) == {"bytes", "sha256"} and file.sha256 in (None, seen["sha256"])
        for file in model.files
        for seen in (files[file.name],)
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _size(path: Path) -> int | None:
    """None: it is not there, or we may not look at it."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
