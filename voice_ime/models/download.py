"""One file from one place, from where it broke off, and checked: what is left in the folder is right or not there."""

import hashlib
import http.client
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from voice_ime.errors import FetchError, ModelCut, ModelDiffers, ModelNotThere, ModelUnreachable
from voice_ime.models.network import Answer, Network, NoConnection, Patience, WrongStatus, host_of, opened
from voice_ime.models.shelf import Seen, look_at

MOST_BYTES = 20_000_000_000
"""Of a file whose size nobody told."""
NOT_THERE = (401, 403, 404, 410, 451)


class Watcher(Protocol):
    """Is told how far a model is."""

    def begin(self, megabytes: int | None) -> None: ...

    def source(self, where: str) -> None:
        """The download is now tried from there."""

    def at(self, file: str, have: int) -> None:
        """So many bytes of the file are there; fewer than before where it is begun anew."""

    def again(self, where: str, from_bytes: int) -> None:
        """The connection broke; it goes on from there."""

    def checking(self) -> None: ...


@dataclass(frozen=True)
class Wanted:
    """What is to be fetched."""

    model: str
    name: str
    url: str
    bytes: int | None = None
    sha256: str | None = None

    @property
    def where(self) -> str:
        return host_of(self.url)


class _Broken(Exception):
    """The connection ended too early; the text says why."""


def fetch(network: Network, wanted: Wanted, target: Path, watcher: Watcher) -> Seen:
    """Makes `target`, whole and checked. What lies at `target` already is continued.

    ModelUnreachable, ModelCut, ModelNotThere, ModelDiffers; OSError where it cannot write. After ModelDiffers, nothing
    is left.
    """
    if target.exists() and wanted.sha256 is None:
        target.unlink()  # of another run: nobody could tell whether both halves belong together
    continued = target.exists()
    download = _Download(network, wanted, target, watcher)
    try:
        return download.run()
    except ModelDiffers:
        if not continued:
            raise
        return _Download(network, wanted, target, watcher).run()


class _Download:
    """Several connections, until the file is whole."""

    def __init__(self, network: Network, wanted: Wanted, target: Path, watcher: Watcher) -> None:
        self._network = network
        self._patience: Patience = network.patience
        self._wanted = wanted
        self._target = target
        self._watcher = watcher
        self._total = wanted.bytes
        self._tag = ""
        self._answered = False
        self._announced: Mapping[str, str] = {}

    def run(self) -> Seen:
        failures = 0
        for _ in range(self._patience.connections):
            before = self._have
            try:
                self._connect()
                return self._checked()
            except (_Broken, NoConnection) as error:
                failures = 0 if self._have - before >= self._patience.progress_bytes else failures + 1
                if failures >= self._tries(error):
                    raise self._gave_up(error) from None
                pause = self._patience.pause_s * 2 ** max(0, failures - 1)
                _wait(min(pause, self._patience.longest_pause_s))
                if self._have:
                    self._watcher.again(self._wanted.where, self._have)
        raise self._gave_up(_Broken())

    def _tries(self, error: Exception) -> int:
        """A place that never answered is left soon."""
        never = isinstance(error, NoConnection) and not self._answered
        return min(self._patience.first_tries, self._patience.tries) if never else self._patience.tries

    @property
    def _have(self) -> int:
        try:
            return self._target.stat().st_size
        except FileNotFoundError:
            return 0

    def _gave_up(self, error: Exception) -> FetchError:
        names = {"model": self._wanted.model, "where": self._wanted.where}
        if isinstance(error, NoConnection) and not self._have:
            return ModelUnreachable(detail=str(error), **names)
        return ModelCut(**names)

    def _differs(self) -> ModelDiffers:
        self._target.unlink(missing_ok=True)
        return ModelDiffers(model=self._wanted.model, file=self._wanted.name, where=self._wanted.where)

    def _connect(self) -> None:
        have = self._have
        if self._total is not None and have == self._total and have:
            return
        if have and not (self._tag or self._wanted.sha256):
            self._target.unlink()  # nothing would tell whether both halves are of one file
            have = 0
        try:
            with opened(self._network, self._wanted.url, self._range(have)) as answer:
                self._receive(answer, have)
        except WrongStatus as error:
            self._refused(error)

    def _range(self, have: int) -> dict[str, str]:
        if not have:
            return {}
        return {"Range": f"bytes={have}-", **({"If-Range": self._tag} if self._tag else {})}

    def _refused(self, error: WrongStatus) -> None:
        if error.status in NOT_THERE:
            raise ModelNotThere(model=self._wanted.model, file=self._wanted.name, where=self._wanted.where)
        if error.status == 416:  # the server has less than we have
            self._target.unlink(missing_ok=True)
        elif error.after_s is not None:
            _wait(min(error.after_s, self._patience.longest_pause_s))
        raise NoConnection(f"HTTP {error.status}")

    def _receive(self, answer: Answer, have: int) -> None:
        begin = have if answer.status == 206 and _begins_at(answer, have) else 0
        if answer.status == 206 and begin != have:
            self._target.unlink(missing_ok=True)
            raise _Broken("another range than asked for")
        self._answered = True
        if answer.is_page:
            raise self._differs()
        self._announced = answer.announced
        self._tag = _strong(answer.headers.get("ETag"))
        self._expect(begin, answer)
        with self._target.open("r+b" if begin else "wb") as file:
            file.truncate(begin)
            file.seek(begin)
            self._copy(answer, begin, file.write)
            file.flush()
            os.fsync(file.fileno())
        if self._total is not None and self._have < self._total:
            raise _Broken("too short")

    def _expect(self, begin: int, answer: Answer) -> None:
        """Compares the size that the server tells with the one that is known."""
        told = None if answer.length is None else begin + answer.length
        if told is None and not answer.chunked and self._wanted.bytes is None:
            raise _Broken("no size")  # a cut could not be told from the end
        if self._wanted.bytes is not None and told not in (None, self._wanted.bytes):
            raise self._differs()
        if told is not None:
            self._total = told

    def _copy(self, answer: Answer, begin: int, write: Callable[[bytes], object]) -> None:
        most = self._total if self._total is not None else MOST_BYTES
        have = begin
        try:
            for block in answer.blocks(self._patience):
                have += len(block)
                if have > most:
                    raise self._differs()
                _written(write, block)
                self._watcher.at(self._wanted.name, have)
        except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
            raise _Broken(type(error).__name__) from None
        except _CannotWrite as error:
            raise error.cause from None
        except OSError as error:  # of TLS, for example
            raise _Broken(type(error).__name__) from None

    def _checked(self) -> Seen:
        self._watcher.checking()
        seen = look_at(self._target)
        if seen is None:
            raise _Broken("unreadable")
        wrong_size = self._wanted.bytes not in (None, seen.bytes)
        wrong_sum = self._wanted.sha256 not in (None, seen.sha256)
        if wrong_size or wrong_sum or not _as_announced(self._target, seen, self._announced):
            raise self._differs()
        return seen


class _CannotWrite(Exception):
    def __init__(self, cause: OSError) -> None:
        super().__init__(cause)
        self.cause = cause


def _written(write: Callable[[bytes], object], block: bytes) -> None:
    try:
        write(block)
    except OSError as error:
        raise _CannotWrite(error) from error


def _wait(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)


def _begins_at(answer: Answer, have: int) -> bool:
    return answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _strong(tag: str | None) -> str:
    """An entity tag that stands for these very bytes, else nothing."""
    return tag if tag and tag.startswith('"') else ""


def _as_announced(path: Path, seen: Seen, announced: Mapping[str, str]) -> bool:
    """Whether it is what the hub says that it has: SHA-256 of large files, git's checksum of small ones.

    This tells damage on the way, not fraud.
    """
    tag = announced.get("x-linked-etag") or (announced.get("etag", "") if "x-repo-commit" in announced else "")
    match re.fullmatch(r'"?([0-9a-f]{64}|[0-9a-f]{40})"?', tag):
        case None:
            return True
        case found if len(found[1]) == 64:
            return found[1] == seen.sha256
        case found:
            return found[1] == hashlib.sha1(b"blob %d\0" % seen.bytes + path.read_bytes()).hexdigest()
