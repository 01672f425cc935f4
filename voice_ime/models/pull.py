"""Getting a model: from its sources one after the other, or from a folder or archive that a person brought."""

import errno
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from voice_ime.errors import (
    FetchError,
    FileUnreadable,
    ModelComesWith,
    ModelDiffers,
    ModelIncomplete,
    NoRoom,
    VoiceImeError,
)
from voice_ime.models.archive import unpack
from voice_ime.models.download import Wanted, Watcher, fetch
from voice_ime.models.manifest import ArchiveSource, HubSource, Model, Source
from voice_ime.models.network import Network, host_of
from voice_ime.models.shelf import Installed, Seen, Shelf, Workplace, look_at, store_error

ARCHIVE = "archive"


@dataclass(frozen=True)
class Pulled:
    """A model that is now there."""

    installed: Installed
    learnt: Mapping[str, str]
    """Checksums that nobody knew before, by file: recorded on trust."""
    was_there: bool = False


@dataclass(frozen=True)
class Puller:
    shelf: Shelf
    network: Network
    watcher: Watcher

    def pull(self, model: Model, brought: Path | None = None) -> Pulled:
        """The model, whole and in its place, or nothing changed.

        `brought`: the folder or archive that it is to be taken from, without any network. ModelComesWith, ModelBusy,
        ModelFolderTaken, NoRoom, DiskFull, FileUnreadable (nothing is there), StoreError, and what is a FetchError.
        """
        if model.comes_with is not None:
            raise ModelComesWith(model=model.id, command=f"pip install --force-reinstall --no-deps {model.comes_with}")
        installed = self.shelf.installed(model)
        if installed is not None and self.shelf.damaged(installed) is None:
            self.shelf.sweep()
            return Pulled(installed, {}, was_there=True)
        self.shelf.require_free(model)
        with self.shelf.workplace(model) as workplace:
            return self._made(workplace, model, brought)

    def _made(self, workplace: Workplace, model: Model, brought: Path | None) -> Pulled:
        """An interruption leaves what came, for the next try; a failure leaves nothing."""
        try:
            workplace.keep_only({file.name for file in model.files})
            self._require_room(model, workplace.bytes)
            self.watcher.begin(model.megabytes)
            files, source = self._files(workplace, model, brought)
            learnt = {
                file.name: files[file.name].sha256 for file in model.files if self.shelf.known(model, file) is None
            }
            return Pulled(self.shelf.install(workplace, model, files, source), learnt)
        except VoiceImeError:  # some are OSErrors, too
            workplace.clear()
            raise
        except OSError as error:
            workplace.clear()
            raise store_error(error, self.shelf.folder) from error
        except Exception:
            workplace.clear()
            raise

    def _require_room(self, model: Model, have: int) -> None:
        """NoRoom. `have`: bytes that an earlier try brought."""
        known = model.megabytes or 0
        whole = 2 * known if any(isinstance(source, ArchiveSource) for source in model.sources[:1]) else known
        needed = whole - have // 1_000_000
        free = shutil.disk_usage(self.shelf.folder).free // 1_000_000
        if free < needed:
            raise NoRoom(path=str(self.shelf.folder), needed=needed, free=free)

    def _files(self, workplace: Workplace, model: Model, brought: Path | None) -> tuple[dict[str, Seen], str]:
        if brought is not None:
            return self._brought(workplace, model, brought), brought.resolve().name
        failures: list[FetchError] = []
        for source in model.sources:
            url = source.repository if isinstance(source, HubSource) else source.url
            try:
                return self._from(source, workplace, model), url
            except FetchError as error:
                failures.append(error)
        raise _most_telling(failures, model)

    def _from(self, source: Source, workplace: Workplace, model: Model) -> dict[str, Seen]:
        if isinstance(source, ArchiveSource):
            return self._from_archive(source, workplace, model)
        base = source.address(self.network.hub)
        self.watcher.source(host_of(base))
        return {
            file.name: fetch(
                self.network,
                Wanted(model.id, file.name, f"{base}/{quote(file.name)}", file.bytes, self.shelf.known(model, file)),
                workplace.new / file.name,
                self.watcher,
            )
            for file in model.files
        }

    def _from_archive(self, source: ArchiveSource, workplace: Workplace, model: Model) -> dict[str, Seen]:
        where = host_of(source.url)
        self.watcher.source(where)
        archive = workplace.scratch / ARCHIVE
        wanted = Wanted(model.id, source.url.rpartition("/")[2], source.url, source.bytes, source.sha256)
        fetch(self.network, wanted, archive, self.watcher)
        try:
            return self._unpacked(archive, workplace, model, where)
        finally:
            archive.unlink(missing_ok=True)

    def _unpacked(self, archive: Path, workplace: Workplace, model: Model, where: str) -> dict[str, Seen]:
        self.watcher.checking()
        workplace.keep_only(())
        unpack(archive, model, workplace.new, where)
        return self._checked(workplace, model, where)

    def _brought(self, workplace: Workplace, model: Model, brought: Path) -> dict[str, Seen]:
        if not (brought.is_dir() or brought.is_file()):
            raise FileUnreadable(path=str(brought), detail=os.strerror(errno.ENOENT))
        place = _place_in(brought, model)
        where = place.resolve().name
        self.watcher.source(where)
        if place.is_file():
            return self._unpacked(place, workplace, model, where)
        for file in model.files:
            if not (place / file.name).is_file():
                raise ModelIncomplete(model=model.id, file=file.name, where=where)
            shutil.copyfile(place / file.name, workplace.new / file.name)
        return self._checked(workplace, model, where)

    def _checked(self, workplace: Workplace, model: Model, where: str) -> dict[str, Seen]:
        """Of files that did not come one by one. ModelIncomplete, ModelDiffers."""
        files = {}
        for file in model.files:
            seen = look_at(workplace.new / file.name)
            if seen is None:
                raise ModelIncomplete(model=model.id, file=file.name, where=where)
            if file.bytes not in (None, seen.bytes) or self.shelf.known(model, file) not in (None, seen.sha256):
                raise ModelDiffers(model=model.id, file=file.name, where=where)
            files[file.name] = seen
        return files


def _place_in(brought: Path, model: Model) -> Path:
    """The folder or archive that holds the model: what was brought, or what lies in it under the name of the model or
    of its archive, packed or not."""
    urls = [source.url for source in model.sources if isinstance(source, ArchiveSource)]
    archives = [url.rpartition("/")[2] for url in urls]
    named = (model.id, *archives, *(archive.partition(".tar")[0] for archive in archives))
    places = (brought, *(brought / name for name in named))
    return next((place for place in places if place.is_file() or _holds(place, model)), brought)


def _holds(folder: Path, model: Model) -> bool:
    return all((folder / file.name).is_file() for file in model.files)


def _most_telling(failures: list[FetchError], model: Model) -> FetchError:
    """Of what went wrong with each source: a wrong file before a missing one before trouble with the network."""
    for kind in (ModelDiffers, ModelIncomplete):
        for failure in failures:
            if isinstance(failure, kind):
                return failure
    return failures[-1] if failures else FetchError(model=model.id)
