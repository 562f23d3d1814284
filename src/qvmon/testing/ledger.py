"""A ledger in memory that keeps the promises of ``model.ledger.Ledger``, for tests of services."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import QvmonError, not_found
from qvmon.model.facts import Fact, FactDraft, decode_body, encode_body
from qvmon.model.ledger import Ascending, Column, Consumed, Key, Order, Page, Projection, Row

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "integer": int,
    "real": (float, int),
    "boolean": bool,
}


@dataclass(slots=True)
class _Table:
    projection: Projection
    rows: dict[Key, Row] = field(default_factory=dict)

    def fold(self, fact: Fact) -> None:
        if fact.type not in self.projection.types:
            return
        for key in self.projection.keys(fact):
            after = self.projection.fold(self.rows.get(key), fact, key)
            if after is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = self._stored(after, key)

    def _stored(self, row: Row, key: Key) -> Row:
        """Return ``row`` as a database would give it back, refusing what no database would take."""
        name = self.projection.name
        unknown = set(row) - {column.name for column in self.projection.columns}
        if unknown:
            raise TypeError(f"{name} has no columns {sorted(unknown)}")
        if tuple(row[column] for column in self.projection.key) != key:
            raise TypeError(f"{name}: the row's key columns are not {key}")
        return {
            column.name: _stored_value(name, column, row.get(column.name))
            for column in self.projection.columns
        }


def _stored_value(table: str, column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.type == "json":
        return msgspec.json.decode(msgspec.json.encode(value))
    if not isinstance(value, _PYTHON_TYPES[column.type]):
        raise TypeError(f"{table}.{column.name} takes {column.type}, not {value!r}")
    return value


class MemoryLedger:
    """One chain of facts, its projections and its cursors; lives as long as the object.

    A test restarts a service by making a new one on the same ledger. While ``away`` holds an
    error, every call raises it, as a database that cannot be reached would.

    Args:
        clock: Gives ``recorded_at``.
        projections: The tables to keep.
        chain: Name of the chain.
    """

    def __init__(
        self, clock: Clock, projections: Iterable[Projection] = (), chain: str = "memory"
    ) -> None:
        self.facts: list[Fact] = []
        self.away: QvmonError | None = None
        self._clock = clock
        self._chain = chain
        self._tables = {each.name: _Table(each) for each in projections}
        self._cursors: dict[str, int] = {}
        self._closed = False
        self._news = asyncio.Event()

    async def append(
        self, drafts: Sequence[FactDraft], *, consumed: Consumed | None = None
    ) -> list[Fact]:
        """Number, chain and store ``drafts``, fold projections and move the cursor, all at once."""
        self._require_present()
        facts: list[Fact] = []
        for draft in drafts:
            facts.append(self._numbered(draft, facts))
        for fact in facts:
            for table in self._tables.values():
                table.fold(fact)
        self.facts.extend(facts)
        if consumed is not None:
            self._cursors[consumed.consumer] = consumed.cursor.get(self._chain, 0)
        self._wake()
        return facts

    def _numbered(self, draft: FactDraft, batch: Sequence[Fact]) -> Fact:
        before = batch[-1] if batch else self.facts[-1] if self.facts else None
        encoded = encode_body(draft.body)
        causes = tuple(batch[c].id if isinstance(c, int) else c for c in draft.causes)
        now = now_us(self._clock)
        fact = Fact(
            chain=self._chain,
            seq=before.seq + 1 if before else 1,
            type=draft.body.TYPE,
            schema_version=draft.body.VERSION,
            subject=draft.subject,
            occurred_at=draft.occurred_at,
            recorded_at=max(now, before.recorded_at) if before else now,
            actor=draft.actor,
            causes=causes,
            traceparent=draft.traceparent,
            body=decode_body(draft.body.TYPE, encoded),
            prev_hash=before.hash if before else bytes(32),
            hash=b"",
        )
        content = msgspec.json.encode([fact.id, fact.subject, fact.occurred_at, fact.actor])
        return replace(fact, hash=hashlib.sha256(fact.prev_hash + content + encoded).digest())

    async def follow(self, consumer: str, types: frozenset[str]) -> AsyncIterator[Page]:
        """Yield pages of facts of ``types`` after the consumer's cursor, waiting for new ones."""
        at = self._cursors.get(consumer, 0)
        while not self._closed:
            self._require_present()
            news, end = self._news, len(self.facts)
            facts = [fact for fact in self.facts[at:end] if fact.type in types]
            at = end
            if facts:
                yield Page(facts, Consumed(consumer, {self._chain: facts[-1].seq}))
            else:
                await news.wait()

    async def read(
        self,
        *,
        types: frozenset[str] | None = None,
        subject: str | Sequence[str] | None = None,
        after: Mapping[str, int] | None = None,
        newest_first: bool = False,
        limit: int = 1000,
    ) -> list[Fact]:
        """Return facts in replay order."""
        self._require_present()
        subjects = [subject] if isinstance(subject, str) else subject
        found = [
            fact
            for fact in self.facts[(after or {}).get(self._chain, 0) :]
            if (types is None or fact.type in types)
            and (subjects is None or fact.subject in subjects)
        ]
        return (found[::-1] if newest_first else found)[:limit]

    async def rows(
        self,
        projection: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Return rows whose columns equal ``where`` (a list or tuple value means any of them)."""
        self._require_present()
        if projection not in self._tables:
            raise not_found(f"no projection {projection!r}")
        found = [row for row in self._tables[projection].rows.values() if _holds(row, where or {})]
        if order is not None:
            column = order.column
            found.sort(key=lambda row: row[column], reverse=not isinstance(order, Ascending))
        return found[:limit]

    def rebuild(self) -> None:
        """Drop every table and fold all facts again."""
        for table in self._tables.values():
            table.rows.clear()
            for fact in self.facts:
                table.fold(fact)

    def close(self) -> None:
        """End every ``follow``."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _require_present(self) -> None:
        if self.away is not None:
            raise self.away


def _holds(row: Row, where: Mapping[str, Any]) -> bool:
    return all(
        row[name] in value if isinstance(value, list | tuple) else row[name] == value
        for name, value in where.items()
    )
