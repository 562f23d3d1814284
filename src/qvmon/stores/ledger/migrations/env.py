"""Alembic runs this to migrate the connection that ``database.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from qvmon.stores.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
