"""What Alembic runs for each command: our steps, on the connection that `upgrade` holds."""

from __future__ import annotations

from alembic import context

from moderation.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,  # for its names of constraints
    transactional_ddl=True,  # SQLite's too, as database.py begins transactions itself
)
with context.begin_transaction():
    context.run_migrations()
