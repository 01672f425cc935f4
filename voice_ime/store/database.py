"""Opening the file of the profiles, bringing its tables up to date, and what its troubles are called."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, inspect, text

from voice_ime.errors import DiskFull, NewerSchema, StoreBusy, StoreDamaged, StoreError
from voice_ime.store.schema import VERSION, metadata

PATIENCE_S = 5
"""How long another program may hold the file."""
MIGRATIONS = Path(__file__).with_name("migrations")

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a change is on the disk before it is acknowledged, also when the power fails
    "foreign_keys=ON",
    "secure_delete=ON",  # what is deleted is overwritten
)
_FULL, _BUSY, _LOCKED, _DAMAGED, _NO_DATABASE = 13, 5, 6, 11, 26


class Database:
    """An SQLite file, readable by its owner only, whose tables are those of `schema`."""

    def __init__(self, path: Path) -> None:
        """`path` and its folder are made if absent. NewerSchema, StoreDamaged, StoreBusy, DiskFull, StoreError."""
        self._path = path
        with self.translated():
            _make(path)
            self._engine = _engine(path)
            self._writer = self._engine.execution_options(writes=True)
            try:
                self._bring_up_to_date()
            except BaseException:
                self.close()
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the file."""
        with self.translated(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one transaction that may write; kept for good at its end, or nothing of it."""
        with self.translated(), self._writer.begin() as connection:
            yield connection

    def watcher(self) -> sqlite3.Connection:
        """A connection that only asks whether others wrote. To be closed by the caller."""
        with self.translated():
            watcher = sqlite3.connect(self._path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
            watcher.execute("pragma query_only=ON")
            return watcher

    def forget_deleted(self) -> None:
        """Empty the file of recent writes, in which deleted words still stand, unless somebody is reading it."""
        with self.translated(), self._engine.connect() as connection:
            connection.exec_driver_sql("commit")
            connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
            connection.exec_driver_sql("begin")

    def close(self) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of the libraries become ours; their texts, which quote values, go no further."""
        try:
            yield
        except exc.DBAPIError as error:
            raise self._ours(error.orig) from None
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, StoreError):
                raise
            raise self._ours(error) from None

    def _ours(self, error: BaseException | None) -> StoreError:
        path = str(self._path)
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case code if code == _FULL:
                return DiskFull(path=path)
            case code if code in (_BUSY, _LOCKED):
                return StoreBusy(path=path)
            case code if code in (_DAMAGED, _NO_DATABASE):
                return StoreDamaged(path=path)
        reason = getattr(error, "sqlite_errorname", None) or getattr(error, "strerror", None) or type(error).__name__
        return StoreError(path=path, detail=reason)

    def _bring_up_to_date(self) -> None:
        with self.reading() as connection:
            found = _version(connection)
        if found == VERSION:
            return
        with self.writing() as connection:  # another program may have done it meanwhile
            if _version(connection) != VERSION:
                self._migrate(connection)

    def _migrate(self, connection: Connection) -> None:
        from alembic import command  # takes time to import, and is needed once
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        found = _version(connection)
        if found is None and set(inspect(connection).get_table_names()) & set(metadata.tables):
            raise StoreDamaged(path=str(self._path))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise NewerSchema(path=str(self._path))
        command.upgrade(config, "head")


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


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
