"""Profiles, their entries and rules, and their history."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "profile",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("preferences", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_profile"),
        sa.UniqueConstraint("name", name="uq_profile_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "item",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("profile", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("text", sa.String(256), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("application", sa.String(200), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("used", sa.String(32)),
        sa.PrimaryKeyConstraint("number", name="pk_item"),
        sa.ForeignKeyConstraint(["profile"], ["profile.number"], name="fk_item_profile", ondelete="CASCADE"),
        sa.UniqueConstraint("profile", "kind", "id", name="uq_item_id"),
        sa.UniqueConstraint("profile", "kind", "text", "language", "application", name="uq_item_text"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "revision",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("profile", sa.Integer, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("via", sa.String(32), nullable=False),
        sa.Column("undoes", sa.Text, nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_revision"),
        sa.ForeignKeyConstraint(["profile"], ["profile.number"], name="fk_revision_profile", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_revision_profile", "revision", ["profile", "number"])
