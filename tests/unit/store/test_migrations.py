"""The tables that migrations make are those that the store expects."""

from pathlib import Path

from tests.needs import needs_package

needs_package("sqlalchemy")
needs_package("alembic")

from alembic.autogenerate import compare_metadata  # noqa: E402
from alembic.config import Config  # noqa: E402
from alembic.migration import MigrationContext  # noqa: E402
from alembic.script import ScriptDirectory  # noqa: E402

from voice_ime.store.database import MIGRATIONS, Database  # noqa: E402
from voice_ime.store.schema import VERSION, metadata  # noqa: E402


def test_the_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    database = Database(tmp_path / "profiles.sqlite")
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_the_newest_migration_is_the_version_that_the_store_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [VERSION]
