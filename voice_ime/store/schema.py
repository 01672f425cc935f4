"""The tables. Each change here needs a migration (migrations/versions) and its name as VERSION."""

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

VERSION = "0001"
"""The newest migration."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

profile = Table(
    "profile",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("preferences", Text, nullable=False),  # JSON
    UniqueConstraint("name"),
    sqlite_autoincrement=True,
)

item = Table(
    "item",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("profile", ForeignKey("profile.number", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),  # entry, rule or lesson
    Column("id", String(64), nullable=False),
    Column(
        "text", String(256), nullable=False
    ),  # what must not be there twice; this and the next two come out of `data`
    Column("language", String(8), nullable=False),
    Column("application", String(200), nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Column("used", String(32)),  # ISO 8601, UTC
    UniqueConstraint("profile", "kind", "id", name="uq_item_id"),
    UniqueConstraint("profile", "kind", "text", "language", "application", name="uq_item_text"),
    sqlite_autoincrement=True,
)
"""Entries, rules and lessons."""

revision = Table(
    "revision",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("profile", ForeignKey("profile.number", ondelete="CASCADE"), nullable=False),
    Column("at", String(32), nullable=False),  # ISO 8601, UTC
    Column("source", String(16), nullable=False),
    Column("via", String(32), nullable=False),
    Column("undoes", Text, nullable=False),  # JSON: numbers
    Column("changes", Text, nullable=False),  # a line of JSON for each: kind, id, before, after
    Index("ix_revision_profile", "profile", "number"),
    sqlite_autoincrement=True,  # a number is never used again
)
