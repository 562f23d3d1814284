"""Projections as tables: made, folded into, rebuilt and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from qvmon.model.errors import ErrorKind, QvmonError, invalid, not_found
from qvmon.model.facts import Fact
from qvmon.model.ledger import Descending, Key, Order, Projection, Row
from qvmon.stores.ledger.records import fact_of
from qvmon.stores.ledger.schema import facts, projection_versions

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "integer": sa.BigInteger(),
    "real": sa.Double(),
    "boolean": sa.Boolean(),
    "json": sa.JSON(none_as_null=True),
}
_REBUILD_PAGE = 2000


class ProjectionTable:
    """One projection and the table that holds its rows."""

    def __init__(self, projection: Projection, metadata: sa.MetaData) -> None:
        self.projection = projection
        columns = [
            sa.Column(
                column.name,
                _TYPES[column.type],
                primary_key=column.name in projection.key,
                index=column.indexed and column.name not in projection.key,
                autoincrement=False,
            )
            for column in projection.columns
        ]
        self.table = sa.Table(projection.name, metadata, *columns)
        self._names = frozenset(column.name for column in projection.columns)

    def fits(self, connection: sa.Connection) -> bool:
        """Return whether the stored table has exactly the declared columns."""
        stored = sa.inspect(connection).get_columns(self.projection.name)
        return {column["name"] for column in stored} == self._names

    def fetch(self, connection: sa.Connection, key: Key) -> Row | None:
        """Return the row under ``key``."""
        found = connection.execute(sa.select(self.table).where(self._is(key))).mappings().first()
        return None if found is None else dict(found)

    def store(self, connection: sa.Connection, key: Key, before: bool, row: Row | None) -> None:
        """Write, replace or delete the row under ``key``."""
        if row is None:
            connection.execute(sa.delete(self.table).where(self._is(key)))
        elif before:
            connection.execute(sa.update(self.table).where(self._is(key)).values(**row))
        else:
            connection.execute(sa.insert(self.table).values(**row))

    def checked(self, row: Row | None, key: Key) -> Row | None:
        """Return ``row`` as it will be read back.

        Raises:
            QvmonError: INTERNAL, when it has a column that is not declared, or does not stand
                under ``key``; a column it leaves out is null.
        """
        if row is None:
            return None
        if not row.keys() <= self._names or self._key_of(row) != key:
            raise QvmonError(
                ErrorKind.INTERNAL,
                f"fold of {self.projection.name} gave columns {sorted(row)} under key {key}",
            )
        return {
            column.name: _as_stored(row.get(column.name), column.type)
            for column in self.projection.columns
        }

    def _key_of(self, row: Row) -> Key:
        return tuple(row[name] for name in self.projection.key)

    def query(
        self, where: Mapping[str, Any], order: Order | None, limit: int | None
    ) -> sa.Select[Any]:
        """Return the statement that reads rows."""
        statement = sa.select(self.table)
        for name, value in where.items():
            column = self._column(name)
            many = isinstance(value, list | tuple | set | frozenset)
            statement = statement.where(column.in_(value) if many else column == value)
        if order is not None:
            column = self._column(order.column)
            descending = isinstance(order, Descending)
            statement = statement.order_by(column.desc() if descending else column.asc())
        statement = statement.order_by(*self.table.primary_key.columns)
        return statement if limit is None else statement.limit(limit)

    def _column(self, name: str) -> sa.Column[Any]:
        if name not in self._names:
            raise invalid(f"projection {self.projection.name} has no column {name!r}")
        return self.table.c[name]

    def _is(self, key: Key) -> sa.ColumnElement[bool]:
        pairs = zip(self.projection.key, key, strict=True)
        return sa.and_(*(self.table.c[name] == value for name, value in pairs))


class Projections:
    """Every projection of a ledger."""

    def __init__(self, projections: Iterable[Projection]) -> None:
        self.metadata = sa.MetaData()
        self._tables = {each.name: ProjectionTable(each, self.metadata) for each in projections}

    def table(self, name: str) -> ProjectionTable:
        """Return one projection's table.

        Raises:
            QvmonError: NOT_FOUND, for a name nobody declared.
        """
        if name not in self._tables:
            raise not_found(f"no projection is called {name!r}")
        return self._tables[name]

    def all(self) -> Sequence[ProjectionTable]:
        """Return every projection's table."""
        return tuple(self._tables.values())

    def fold(self, connection: sa.Connection, appended: Sequence[Fact]) -> None:
        """Fold ``appended`` into every projection that wants them, reading each row once."""
        for table in self._tables.values():
            wanted = [fact for fact in appended if fact.type in table.projection.types]
            if wanted:
                _fold_into(table, connection, wanted)

    def prepare(self, connection: sa.Connection) -> list[str]:
        """Make missing tables, rebuild those of another version; return the rebuilt ones' names."""
        stored = {
            row.name: row.version
            for row in connection.execute(sa.select(projection_versions)).all()
        }
        present = set(sa.inspect(connection).get_table_names())
        stale = [
            table
            for name, table in self._tables.items()
            if stored.get(name) != table.projection.version
            or name not in present
            or not table.fits(connection)
        ]
        for table in stale:
            self._recreate(connection, table, name_present=table.projection.name in present)
        if stale:
            self._replay(connection, stale)
        return [table.projection.name for table in stale]

    def _recreate(
        self, connection: sa.Connection, table: ProjectionTable, *, name_present: bool
    ) -> None:
        name = table.projection.name
        if name_present:
            quoted = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"DROP TABLE {quoted}")
        table.table.create(connection)
        mine = projection_versions.c.name == name
        connection.execute(sa.delete(projection_versions).where(mine))
        connection.execute(
            sa.insert(projection_versions).values(name=name, version=table.projection.version)
        )

    def _replay(self, connection: sa.Connection, tables: Sequence[ProjectionTable]) -> None:
        types = {name for table in tables for name in table.projection.types}
        for page in _pages(connection, types):
            for table in tables:
                wanted = [fact for fact in page if fact.type in table.projection.types]
                _fold_into(table, connection, wanted)


def rebuilt(connection: sa.Connection, projection: Projection) -> dict[Key, Row]:
    """Return the rows that replaying every fact gives, without touching the stored table."""
    table = ProjectionTable(projection, sa.MetaData())
    rows: dict[Key, Row | None] = {}
    for page in _pages(connection, set(projection.types)):
        for fact in page:
            for key in projection.keys(fact):
                rows[key] = table.checked(projection.fold(rows.get(key), fact, key), key)
    return {key: row for key, row in rows.items() if row is not None}


def _pages(connection: sa.Connection, types: set[str]) -> Iterable[list[Fact]]:
    after = -1
    while True:
        page = [
            fact_of(dict(row))
            for row in connection.execute(
                sa.select(facts)
                .where(facts.c.type.in_(types), facts.c.recorded_at > after)
                .order_by(facts.c.recorded_at)
                .limit(_REBUILD_PAGE)
            ).mappings()
        ]
        if not page:
            return
        yield page
        after = page[-1].recorded_at


def _as_stored(value: Any, column_type: str) -> Any:
    """Return a value as the database gives it back (JSON: lists for tuples, and so on)."""
    if column_type != "json" or value is None:
        return value
    return msgspec.json.decode(msgspec.json.encode(value))


def _fold_into(table: ProjectionTable, connection: sa.Connection, wanted: Sequence[Fact]) -> None:
    before: dict[Key, bool] = {}
    after: dict[Key, Row | None] = {}
    for fact in wanted:
        for key in table.projection.keys(fact):
            if key not in after:
                after[key] = table.fetch(connection, key)
                before[key] = after[key] is not None
            after[key] = table.checked(table.projection.fold(after[key], fact, key), key)
    for key, row in after.items():
        table.store(connection, key, before[key], row)
