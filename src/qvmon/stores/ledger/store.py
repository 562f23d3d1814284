"""The ledger as services use it (``model.ledger.Ledger``), on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import Fact, FactDraft
from qvmon.model.ledger import Consumed, Order, Page, Projection, Row
from qvmon.model.metrics import Registry
from qvmon.stores.ledger import metrics
from qvmon.stores.ledger.config import LedgerConfig
from qvmon.stores.ledger.database import (
    failure,
    ledger_url,
    lock_appends,
    migrate,
    open_engine,
)
from qvmon.stores.ledger.projections import Projections
from qvmon.stores.ledger.records import fact_of
from qvmon.stores.ledger.roots import RootSigner
from qvmon.stores.ledger.schema import cursors, facts
from qvmon.stores.ledger.wakeups import PostgresListener, Wakeups
from qvmon.stores.ledger.writer import AppendRequest, ChainWriter

Answer = TypeVar("Answer")
_READERS = 4


class LedgerStore:
    """Facts, projections and cursors in one database.

    Args:
        directory: Where the SQLite file and the signing key live.
        config: Settings.
        chain: The hash chain this process writes.
        holder: Names this instance; the same after a restart, so that it takes its lease back.
        projections: Every projection of every service, whichever of them run here.
        clock: Time.
        registry: Where its metrics go.
    """

    def __init__(
        self,
        directory: Path,
        config: LedgerConfig,
        *,
        chain: str,
        holder: str,
        projections: Iterable[Projection],
        clock: Clock,
        registry: Registry,
    ) -> None:
        self._directory = directory
        self._config = config
        self._url = ledger_url(config, directory)
        self._chain = chain
        self._holder = holder
        self._projections = Projections(projections)
        self._clock = clock
        self._registry = registry
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the database, bring it up to date, take the chain's lease.

        Raises:
            QvmonError: UNAVAILABLE when the database cannot be reached, CORRUPT when it is none,
                CONFLICT when another writer holds the chain.
        """
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="ledger-reader")
        self._wakeups = Wakeups()
        await asyncio.to_thread(self._open)
        self._tasks = [
            asyncio.create_task(self._every(self._config.lease_seconds / 3, self._writer.renew)),
            asyncio.create_task(self._every(self._config.root_interval_seconds, self._sign_root)),
        ]

    def _open(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._engine = open_engine(self._url)
        self._reading = open_engine(self._url, read_only=True)
        try:
            migrate(self._engine)
            with self._engine.begin() as connection:
                lock_appends(connection)
                self._projections.prepare(connection)
        except sa.exc.DBAPIError as error:
            raise failure(error) from None
        self._signer = RootSigner(self._directory / "ledger-signing-key.pem")
        self._writer = ChainWriter(
            self._engine,
            chain=self._chain,
            holder=self._holder,
            lease_seconds=self._config.lease_seconds,
            projections=self._projections,
            clock=self._clock,
            on_commit=self._committed,
        )
        self._writer.start()
        self._listener = self._listen()

    def _listen(self) -> PostgresListener | None:
        if self._engine.dialect.name != "postgresql":
            return None
        listener = PostgresListener(
            self._engine.url, self._wakeups, self._config.poll_interval_seconds
        )
        listener.start()
        return listener

    async def stop(self) -> None:
        """Finish appends, sign a last root, end every ``follow`` and close the database."""
        self._closed = True
        self._wakeups.wake()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.stop()
        self._writer.stop()
        self._sign_root()
        self._readers.shutdown()
        self._reading.dispose()
        self._engine.dispose()

    async def append(
        self, drafts: Sequence[FactDraft], *, consumed: Consumed | None = None
    ) -> list[Fact]:
        """Number, chain and store ``drafts``, fold projections and move the cursor, all at once."""
        if self._closed:
            raise QvmonError(ErrorKind.UNAVAILABLE, "the ledger is closed")
        if not drafts and consumed is None:
            return []
        began = self._clock.monotonic()
        request = AppendRequest(tuple(drafts), consumed)
        self._writer.hand_over(request)
        try:
            appended = await asyncio.wrap_future(request.answer)
        except QvmonError as error:
            self._registry.value(metrics.CONFLICTS, error.kind.value).add()
            raise
        elapsed = self._clock.monotonic() - began
        self._registry.distribution(metrics.APPEND_SECONDS).observe(elapsed)
        return appended

    def _committed(self, appended: list[Fact]) -> None:
        for fact in appended:
            self._registry.value(metrics.FACTS, fact.type).add()
        if appended:
            self._registry.value(metrics.LAST_SEQUENCE).set(appended[-1].seq)
            self._wakeups.wake()

    async def follow(self, consumer: str, types: frozenset[str]) -> AsyncIterator[Page]:
        """Yield pages of facts of ``types`` after the consumer's cursor, waiting for new ones."""
        cursor, after = await self._in_reader(lambda c: _cursor_of(c, consumer))
        with self._wakeups.waiter() as woken:
            while not self._closed:
                woken.clear()
                page = await self._in_reader(
                    partial(_facts_after, types=types, after=after, limit=self._config.page_facts)
                )
                if not page:
                    await self._wait(woken)
                    continue
                after = page[-1].recorded_at
                cursor = {**cursor, **{fact.chain: fact.seq for fact in page}}
                yield Page(page, Consumed(consumer, cursor))

    async def _wait(self, woken: asyncio.Event) -> None:
        timeout = None if self._listener is None else self._config.poll_interval_seconds
        try:
            await asyncio.wait_for(woken.wait(), timeout)
        except TimeoutError:
            return

    async def read(
        self,
        *,
        types: frozenset[str] | None = None,
        subject: str | Sequence[str] | None = None,
        after: Mapping[str, int] | None = None,
        newest_first: bool = False,
        limit: int = 1000,
    ) -> list[Fact]:
        """Return facts in replay order, of any of several subjects where a sequence is given."""
        statement = sa.select(facts).limit(limit)
        if types is not None:
            statement = statement.where(facts.c.type.in_(types))
        if subject is not None:
            subjects = [subject] if isinstance(subject, str) else list(subject)
            statement = statement.where(facts.c.subject.in_(subjects))
        for chain, seq in (after or {}).items():
            statement = statement.where(sa.or_(facts.c.chain != chain, facts.c.seq > seq))
        at = facts.c.recorded_at
        statement = statement.order_by(at.desc() if newest_first else at.asc())
        return await self._in_reader(
            lambda c: [fact_of(dict(row)) for row in c.execute(statement).mappings()]
        )

    async def rows(
        self,
        projection: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Return rows whose columns equal ``where`` (a list or tuple value means any of them)."""
        statement = self._projections.table(projection).query(where or {}, order, limit)
        return await self._in_reader(
            lambda c: [dict(row) for row in c.execute(statement).mappings()]
        )

    async def _in_reader(self, read: Callable[[sa.Connection], Answer]) -> Answer:
        def run() -> Answer:
            try:
                with self._reading.begin() as connection:
                    return read(connection)
            except sa.exc.DBAPIError as error:
                raise failure(error) from None

        if self._closed:
            raise QvmonError(ErrorKind.UNAVAILABLE, "the ledger is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    def _sign_root(self) -> None:
        with self._engine.begin() as connection:
            lock_appends(connection)
            self._signer.record(connection, now_us(self._clock))

    async def _every(self, seconds: float, act: Callable[[], object]) -> None:
        while True:
            await self._clock.sleep(seconds)
            try:
                await asyncio.to_thread(act)
            except (QvmonError, sa.exc.DBAPIError) as error:
                told = error if isinstance(error, QvmonError) else failure(error)
                self._registry.value(metrics.CONFLICTS, told.kind.value).add()


def _cursor_of(connection: sa.Connection, consumer: str) -> tuple[dict[str, int], int]:
    """Return the consumer's cursor, and the time of the last fact it covers (-1 for none)."""
    joined = sa.and_(facts.c.chain == cursors.c.chain, facts.c.seq == cursors.c.seq)
    rows = connection.execute(
        sa.select(cursors.c.chain, cursors.c.seq, facts.c.recorded_at)
        .join(facts, joined)
        .where(cursors.c.consumer == consumer)
    ).all()
    return {row.chain: row.seq for row in rows}, max((row.recorded_at for row in rows), default=-1)


def _facts_after(
    connection: sa.Connection, *, types: frozenset[str], after: int, limit: int
) -> list[Fact]:
    rows = connection.execute(
        sa.select(facts)
        .where(facts.c.type.in_(types), facts.c.recorded_at > after)
        .order_by(facts.c.recorded_at)
        .limit(limit)
    )
    return [fact_of(dict(row)) for row in rows.mappings()]
