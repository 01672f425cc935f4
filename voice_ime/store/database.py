"""Opening the file of the profiles, bringing its tables up to date, and what its troubles are called."""

import contextlib
import logging
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, inspect, text

from voice_ime.errors import DiskFull, NewerSchema, StoreBusy, StoreDamaged, StoreError, StoreUnusable, VoiceImeError
from voice_ime.files import NO_SPACE
from voice_ime.store.schema import VERSION

PATIENCE_S = 5
"""How long another program may hold the file."""
MIGRATIONS = Path(__file__).with_name("migrations")

_PRAGMAS = (
    "synchronous=FULL",  # a change is on the disk before it is acknowledged, also when the power fails
    "foreign_keys=ON",
    "secure_delete=ON",  # what is deleted is overwritten
)
_ERROR, _BUSY, _LOCKED, _IO, _DAMAGED, _FULL, _CANNOT_OPEN, _NO_DATABASE = 1, 5, 6, 10, 11, 13, 14, 26

logger = logging.getLogger(__name__)


class Database:
    """An SQLite file, readable by its owner only, whose tables are those of `schema`. For any thread.

    It is opened when it is first needed, and anew after trouble: a file that somebody has mended or put into its place
    is used from then on. Once damage was found in it, a file is never written to.
    """

    def __init__(self, path: Path) -> None:
        """`path` and its folder are made when they are needed. Every call can raise NewerSchema, StoreDamaged,
        StoreUnusable, StoreBusy, DiskFull."""
        self._path = path
        self._lock = threading.RLock()
        self._opened: _Opened | None = None
        self._openings = 0
        self._damaged: tuple[int, ...] = ()
        """See `_identity`; of the file in which damage was found."""

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the file."""
        with self.translated(), self._open().reader.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one transaction that may write; kept for good at its end, or nothing of it."""
        if self._damaged and self._damaged == self._identity():
            raise StoreDamaged(path=str(self._path))
        with self.translated(), self._open().writer.begin() as connection:
            yield connection

    def version(self) -> int:
        """Another number whenever anybody, in any process, may have written. Very quick."""
        with self.translated(), self._lock:
            return self._open().version()

    def forget_deleted(self) -> None:
        """Empty the file of recent writes, in which deleted words still stand, unless somebody is reading it."""
        with self.translated():
            self._open().alone("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of the libraries become ours; their texts, which quote values, go no further."""
        try:
            yield
        except VoiceImeError:
            raise
        except exc.DBAPIError as error:
            raise self._ours(error.orig) from None
        except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: what is kept is not what was written
            raise self._ours(error) from None

    def _ours(self, error: BaseException | None) -> StoreError:
        ours = self._named(error)
        if not isinstance(ours, StoreBusy):
            self.close()
        if isinstance(ours, StoreDamaged):
            self._damaged = self._identity()
        return ours

    def _identity(self) -> tuple[int, ...]:
        """Another one for another file in its place, or another content; empty: there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _named(self, error: BaseException | None) -> StoreError:
        path = str(self._path)
        if isinstance(error, OSError):
            return DiskFull(path=path) if error.errno in NO_SPACE else _unusable(path, error.strerror, error)
        match getattr(error, "sqlite_errorcode", None):
            case int(code) if code & 0xFF == _FULL or (code & 0xFF in (_IO, _CANNOT_OPEN) and self._disk_is_full()):
                return DiskFull(path=path)
            case int(code) if code & 0xFF in (_BUSY, _LOCKED):
                return StoreBusy(path=path)
            case int(code) if code & 0xFF in (_DAMAGED, _NO_DATABASE, _ERROR):  # _ERROR: a table is not there
                return StoreDamaged(path=path)
            case None if isinstance(error, ValueError | sqlite3.OperationalError):  # a text that is no text
                return StoreDamaged(path=path)
        return _unusable(path, getattr(error, "sqlite_errorname", None), error)

    def _disk_is_full(self) -> bool:
        try:
            return os.statvfs(self._path.parent).f_bavail == 0
        except OSError:
            return False

    def _open(self) -> "_Opened":
        with self._lock:
            if self._opened is None:
                self._put_in_place()
                self._openings += 1
                self._opened = self._ready(_Opened(self._path, self._openings))
            return self._opened

    def _put_in_place(self) -> None:
        """A new file comes into its place whole: one that is empty, or lacks beside its recent writes, is damaged."""
        has_writes = _size(wal_of(self._path)) > 0
        if not self._path.exists():
            if has_writes:
                raise StoreDamaged(path=str(self._path))
            self._make()
        elif _size(self._path) == 0:
            raise StoreDamaged(path=str(self._path))
        if self._path.stat().st_mode & 0o077:
            self._path.chmod(0o600)

    def _make(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=self._path.parent, prefix=f".{self._path.name}.") as folder:
            new = Path(folder) / self._path.name
            os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            self._ready(_Opened(new, 0), new=True).close()
            try:
                os.link(new, self._path)
            except FileExistsError:
                logger.debug("another program was quicker to make the file of the profiles")
            except OSError:  # a file system without links
                if not self._path.exists():
                    new.rename(self._path)

    def _ready(self, opened: "_Opened", *, new: bool = False) -> "_Opened":
        """With the tables of `schema`; closed where that fails."""
        try:
            self._bring_up_to_date(opened, new=new)
            opened.alone("pragma journal_mode=WAL")  # the file stays so: not before it is known to be ours
        except BaseException:
            opened.close()
            raise
        return opened

    def _bring_up_to_date(self, opened: "_Opened", *, new: bool) -> None:
        with opened.reader.begin() as connection:
            found = _version(connection)
        if found == VERSION:
            return
        with opened.writer.begin() as connection:  # another program may have done it meanwhile
            if _version(connection) != VERSION:
                self._migrate(connection, new=new)

    def _migrate(self, connection: Connection, *, new: bool) -> None:
        from alembic import command  # takes time to import, and is needed once
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        found = _version(connection)
        if found is None and not new:
            raise StoreDamaged(path=str(self._path))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise NewerSchema(path=str(self._path))
        command.upgrade(config, "head")


class _Opened:
    """Connections to one file."""

    def __init__(self, path: Path, opening: int) -> None:
        self.reader = _engine(path)
        self.writer = self.reader.execution_options(writes=True)
        self._opening = opening
        self._watcher = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
        self._watcher.execute("pragma query_only=ON")

    def version(self) -> int:
        """Of the file and of the opening: another file may count as this one did."""
        found: int = self._watcher.execute("pragma data_version").fetchone()[0]
        return (self._opening << 32) + found

    def alone(self, statement: str) -> None:
        """Runs it outside of a transaction."""
        with self.reader.connect() as connection:
            connection.exec_driver_sql("commit")
            connection.exec_driver_sql(statement)
            connection.exec_driver_sql("begin")

    def close(self) -> None:
        self._watcher.close()
        self.reader.dispose()


def wal_of(path: Path) -> Path:
    """The file of recent writes beside the file `path`."""
    return path.with_name(f"{path.name}-wal")


def _unusable(path: str, reason: str | None, error: BaseException | None) -> StoreUnusable:
    return StoreUnusable(path=path, detail=reason or type(error).__name__)


def _size(path: Path) -> int:
    """In bytes; 0: it is not there, or empty."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": PATIENCE_S, "check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, record: object) -> None:
    """Python's module must not begin transactions by itself: it does so too late to be safe."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def _version(connection: Connection) -> str | None:
    """The name of the last migration; None for a new file."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("select version_num from alembic_version")).scalar()
    return None if found is None else str(found)
