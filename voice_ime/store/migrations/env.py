"""What Alembic runs: on the connection, and in the transaction, of the store that is being opened."""

from alembic import context

from voice_ime.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite changes a table by making it anew
)
context.run_migrations()
