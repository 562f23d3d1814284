"""The one thread that appends: it takes what has gathered and commits it in one transaction."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import sqlalchemy as sa

from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import Fact, FactDraft
from qvmon.model.ledger import Consumed
from qvmon.stores.ledger.chain import GENESIS
from qvmon.stores.ledger.database import failure, lock_appends
from qvmon.stores.ledger.projections import Projections
from qvmon.stores.ledger.records import ChainHead, fact_of, number_drafts
from qvmon.stores.ledger.schema import chains, cursors, facts

NOTIFY_CHANNEL = "qvmon_facts"


@dataclass(slots=True)
class AppendRequest:
    """Drafts of one ``append`` call and where its answer goes."""

    drafts: tuple[FactDraft, ...]
    consumed: Consumed | None
    answer: Future[list[Fact]] = field(default_factory=Future)


class ChainWriter:
    """Appends to one chain under its lease; every other writer has a chain of its own.

    Args:
        engine: The ledger's database.
        chain: This writer's chain.
        holder: Who holds the lease: the same text after a restart of the same instance.
        lease_seconds: How long the lease lasts without renewal.
        projections: What to fold in the same transaction.
        clock: For ``recorded_at`` and leases.
        on_commit: Called from the writer's thread with the facts of each commit.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        chain: str,
        holder: str,
        lease_seconds: float,
        projections: Projections,
        clock: Clock,
        on_commit: Callable[[list[Fact]], None],
    ) -> None:
        self._engine = engine
        self._chain = chain
        self._holder = holder
        self._lease_us = int(lease_seconds * 1e6)
        self._projections = projections
        self._clock = clock
        self._on_commit = on_commit
        self._requests: queue.SimpleQueue[AppendRequest | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    def start(self) -> None:
        """Take the chain's lease and begin to work.

        Raises:
            QvmonError: CONFLICT, when another writer holds the lease.
        """
        with self._engine.begin() as connection:
            lock_appends(connection)
            self._take_lease(connection)
        self._thread.start()

    def stop(self) -> None:
        """Finish what was handed over, give the lease back and end."""
        self._requests.put(None)
        self._thread.join()
        with self._engine.begin() as connection:
            mine = sa.and_(chains.c.chain == self._chain, chains.c.holder == self._holder)
            connection.execute(sa.update(chains).where(mine).values(lease_until=0))

    def hand_over(self, request: AppendRequest) -> None:
        """Queue a request; its ``answer`` is set once it is durable, or with what prevented it."""
        self._requests.put(request)

    def renew(self) -> None:
        """Extend the lease.

        Raises:
            QvmonError: CONFLICT, when it was lost.
        """
        with self._engine.begin() as connection:
            lock_appends(connection)
            self._take_lease(connection)

    def _take_lease(self, connection: sa.Connection) -> None:
        now = now_us(self._clock)
        row = connection.execute(sa.select(chains).where(chains.c.chain == self._chain)).first()
        if row is None:
            values = {"last_seq": 0, "last_hash": GENESIS, "last_recorded_at": 0}
            connection.execute(
                sa.insert(chains).values(
                    chain=self._chain,
                    holder=self._holder,
                    lease_until=now + self._lease_us,
                    **values,
                )
            )
            return
        if row.holder != self._holder and row.lease_until > now:
            raise QvmonError(
                ErrorKind.CONFLICT,
                f"chain {self._chain!r} is being written by {row.holder}",
                chain=self._chain,
            )
        self._update_chain(connection, holder=self._holder, lease_until=now + self._lease_us)

    def _update_chain(self, connection: sa.Connection, **values: object) -> None:
        mine = chains.c.chain == self._chain
        connection.execute(sa.update(chains).where(mine).values(**values))

    def _run(self) -> None:
        while (request := self._requests.get()) is not None:
            batch = [request]
            while not self._requests.empty():
                following = self._requests.get()
                if following is None:
                    self._requests.put(None)
                    break
                batch.append(following)
            wanted = [each for each in batch if each.answer.set_running_or_notify_cancel()]
            if wanted:
                self._commit(wanted)

    def _commit(self, batch: list[AppendRequest]) -> None:
        """Commit a batch in one transaction; where that fails, each request in its own."""
        try:
            answers = self._append(batch)
        except Exception as error:  # noqa: BLE001 - the thread outlives any one request
            if len(batch) == 1:
                batch[0].answer.set_exception(_as_qvmon_error(error))
                return
            for request in batch:
                self._commit([request])
            return
        self._on_commit([fact for answer in answers for fact in answer])
        for request, answer in zip(batch, answers, strict=True):
            request.answer.set_result(answer)

    def _append(self, batch: list[AppendRequest]) -> list[list[Fact]]:
        with self._engine.begin() as connection:
            lock_appends(connection)
            head = self._head(connection)
            answers = []
            for request in batch:
                rows, head = number_drafts(request.drafts, head, now_us(self._clock))
                appended = [fact_of(row) for row in rows]
                if rows:
                    connection.execute(sa.insert(facts), rows)
                    self._projections.fold(connection, appended)
                if request.consumed is not None:
                    move_cursor(connection, request.consumed)
                answers.append(appended)
            self._update_chain(
                connection,
                last_seq=head.seq,
                last_hash=head.hash,
                last_recorded_at=head.recorded_at,
            )
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_notify(NOTIFY_CHANNEL, self._chain)))
        return answers

    def _head(self, connection: sa.Connection) -> ChainHead:
        """Return this chain's head, its time moved to the latest of any chain."""
        row = connection.execute(sa.select(chains).where(chains.c.chain == self._chain)).one()
        if row.holder != self._holder:
            raise QvmonError(
                ErrorKind.CONFLICT,
                f"chain {self._chain!r} was taken over by {row.holder}",
                chain=self._chain,
            )
        latest = connection.scalar(sa.select(sa.func.max(chains.c.last_recorded_at)))
        return ChainHead(self._chain, row.last_seq, bytes(row.last_hash), latest or 0)


def move_cursor(connection: sa.Connection, consumed: Consumed) -> None:
    """Store how far a consumer has come."""
    for chain, seq in consumed.cursor.items():
        mine = sa.and_(cursors.c.consumer == consumed.consumer, cursors.c.chain == chain)
        moved = connection.execute(sa.update(cursors).where(mine).values(seq=seq))
        if moved.rowcount == 0:
            connection.execute(
                sa.insert(cursors).values(consumer=consumed.consumer, chain=chain, seq=seq)
            )


def _as_qvmon_error(error: Exception) -> QvmonError:
    if isinstance(error, QvmonError):
        return error
    if isinstance(error, sa.exc.DBAPIError):
        return failure(error)
    return QvmonError(ErrorKind.INTERNAL, f"append failed: {error!r}")
