"""What services see of the ledger: facts in order, projections, and one transaction for both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from qvmon.model.facts import Fact, FactDraft

Row = Mapping[str, Any]
"""One row of a projection: column name to value (text, integer, real, boolean or JSON)."""

Key = tuple[str | int, ...]
"""The values of a projection's key columns."""

ColumnType = Literal["text", "integer", "real", "boolean", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a projection; ``indexed`` when rows are looked up or ordered by it."""

    name: str
    type: ColumnType
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Projection:
    """A table that a person sees, as a pure function of the facts.

    The ledger folds each appended fact in the transaction that appends it, and rebuilds the whole
    table from the facts when ``version`` has changed or the table is gone.

    Attributes:
        name: Table name, a plural noun.
        version: Raise it whenever ``columns``, ``keys`` or ``fold`` change.
        key: Names of the key columns; they are among ``columns``.
        columns: All columns.
        types: The fact types it folds.
        keys: Fact to the keys of the rows it touches.
        fold: (row before or None, fact, key) to the row after, None to delete it. Pure.
    """

    name: str
    version: int
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    types: frozenset[str]
    keys: Callable[[Fact], Sequence[Key]]
    fold: Callable[[Row | None, Fact, Key], Row | None]


@dataclass(frozen=True, slots=True)
class Consumed:
    """How far a consumer has come: chain name to the last number handled."""

    consumer: str
    cursor: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Page:
    """Facts to handle, in replay order, and what to commit once they are handled."""

    facts: Sequence[Fact]
    consumed: Consumed


@dataclass(frozen=True, slots=True)
class Ascending:
    """Order rows by a column, smallest first."""

    column: str


@dataclass(frozen=True, slots=True)
class Descending:
    """Order rows by a column, largest first."""

    column: str


Order = Ascending | Descending


class Ledger(Protocol):
    """The facts and their projections.

    A service works in this shape, which loses and repeats nothing whenever it is killed::

        async for page in ledger.follow("incidents", {"alert.firing", "alert.resolved"}):
            state, drafts = step(state, page.facts, now)
            await ledger.append(drafts, consumed=page.consumed)
    """

    async def append(
        self, drafts: Sequence[FactDraft], *, consumed: Consumed | None = None
    ) -> list[Fact]:
        """Number, chain and store ``drafts``, fold projections and move the cursor, all at once.

        Returns once the transaction would survive a crash.

        Raises:
            QvmonError: CONFLICT when the writer's lease was lost; UNAVAILABLE when the database
                is away.
        """
        ...

    def follow(self, consumer: str, types: frozenset[str]) -> AsyncIterator[Page]:
        """Yield pages of facts of ``types`` after the consumer's cursor, waiting for new ones.

        A page is repeated after a restart until its ``consumed`` has been appended. The next page
        is read when the iterator is advanced. Ends when the ledger is closed.
        """
        ...

    async def read(
        self,
        *,
        types: frozenset[str] | None = None,
        subject: str | Sequence[str] | None = None,
        after: Mapping[str, int] | None = None,
        newest_first: bool = False,
        limit: int = 1000,
    ) -> list[Fact]:
        """Return facts in replay order, of any of several subjects where a sequence is given.

        Replay order is (recorded_at, chain, seq).
        """
        ...

    async def rows(
        self,
        projection: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Return rows whose columns equal ``where`` (a list or tuple value means any of them)."""
        ...
