"""What Alembic runs: migrations on the connection that ``store.database`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from parlons.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
