"""Alembic revisions of the fact tables; projections are rebuilt, never migrated."""
