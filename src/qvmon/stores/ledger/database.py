"""Connections to SQLite and PostgreSQL, and bringing their schema up to date."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import event

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.stores.ledger.config import LedgerConfig

APPEND_LOCK = 0x71766D6F6E  # "qvmon": the advisory lock that puts all writers in one order


def open_engine(url: str, *, read_only: bool = False) -> sa.Engine:
    """Return an engine for ``url``, with the durability the ledger promises.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql+psycopg://…``.
        read_only: Never write; for SQLite also begin without taking the write lock.
    """
    engine = sa.create_engine(
        url,
        json_serializer=lambda value: msgspec.json.encode(value, order="deterministic").decode(),
        json_deserializer=msgspec.json.decode,
        pool_pre_ping=not url.startswith("sqlite"),
    )
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, read_only=read_only)
    return engine


def ledger_url(config: LedgerConfig, directory: Path) -> str:
    """Return the address of the ledger's database: PostgreSQL, or SQLite in ``directory``."""
    return config.url.get_secret_value() or f"sqlite:///{directory / 'ledger.sqlite'}"


def _prepare_sqlite(engine: sa.Engine, *, read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        pragmas = ["busy_timeout = 10000"]
        if read_only:
            pragmas += ["query_only = ON"]
        else:
            pragmas += ["journal_mode = WAL", "synchronous = FULL"]
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def migrate(engine: sa.Engine) -> None:
    """Bring the fact tables to the newest revision."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(files("qvmon.stores.ledger") / "migrations"))
    with engine.begin() as connection:
        lock_appends(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def failure(error: sa.exc.DBAPIError) -> QvmonError:
    """Return what an error of the database means to those who use the ledger."""
    match error:
        case sa.exc.OperationalError() | sa.exc.InterfaceError():
            kind = ErrorKind.UNAVAILABLE
        case sa.exc.IntegrityError() | sa.exc.ProgrammingError() | sa.exc.DataError():
            kind = ErrorKind.INTERNAL
        case sa.exc.DatabaseError():  # SQLite: no database, or a malformed one
            kind = ErrorKind.CORRUPT
        case _:
            kind = ErrorKind.INTERNAL
    return QvmonError(kind, f"ledger database: {error.orig}")


def lock_appends(connection: sa.Connection) -> None:
    """Make this transaction the only one that appends, until it ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(APPEND_LOCK)))
