"""What one sink still has to be told, found in pages of facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qvmon.model.facts import DeliveryRedriven, Fact
from qvmon.model.ledger import Ledger, Row
from qvmon.services.distribution.delivery import Progress
from qvmon.services.distribution.history import Histories
from qvmon.services.distribution.message import Content, Message
from qvmon.services.distribution.outlet import Outlet
from qvmon.services.distribution.projections import DELIVERIES, FAILED, REDRIVEN, SETTLED

_MOST_SOURCES = 100_000


@dataclass(frozen=True, slots=True)
class Job:
    """One content to deliver; ``row`` is what earlier runs left about it."""

    fact: Fact
    content: Content
    delivery_id: str
    row: Row | None

    @property
    def is_marked(self) -> bool:
        """Whether the ledger knows that a first attempt was about to be made."""
        return self.row is not None and self.row["status"] != REDRIVEN

    def progress(self, now_us: int) -> Progress:
        """Return where earlier runs left it.

        An attempt whose outcome nobody recorded may have arrived; only when the next attempt was
        not due yet is it certain that there was none.
        """
        row = self.row
        if row is None:
            return Progress(self.fact.recorded_at)
        if row["status"] == REDRIVEN:
            return Progress(row["redriven_at_us"], maybe_arrived=row["possibly_repeated"])
        is_waiting = row["status"] == FAILED and now_us < row["retry_at_us"]
        return Progress(
            created_us=max(row["created_at_us"], row["redriven_at_us"] or 0),
            attempts=row["attempts"],
            maybe_arrived=row["possibly_repeated"] or not is_waiting,
            due_us=row["retry_at_us"] or 0,
        )

    def message(self, progress: Progress) -> Message:
        """Return the next attempt's message."""
        return Message(
            delivery_id=self.delivery_id,
            content=self.content,
            occurred_at_us=self.fact.occurred_at,
            attempt=progress.attempts + 1,
            possibly_repeated=progress.maybe_arrived,
            traceparent=self.fact.traceparent,
        )


class Intake:
    """Turns facts into the jobs of one outlet.

    Args:
        outlet: The sink and what goes there.
        ledger: Gives the history of a subject and the state of deliveries.
    """

    def __init__(self, outlet: Outlet, ledger: Ledger) -> None:
        self._outlet = outlet
        self._ledger = ledger
        self._histories = Histories(outlet.rendering, ledger)

    async def jobs(self, facts: Sequence[Fact]) -> list[Job]:
        """Return what ``facts`` ask for, less what was settled before a restart."""
        told: dict[str, tuple[Fact, Content]] = {}
        for fact in facts:
            found = await self._told_by(fact)
            if found is not None:
                told[self._outlet.delivery_id(found[1].source_id)] = found
        rows = {row["delivery_id"]: row for row in await self._rows(list(told))}
        return [
            Job(fact, content, each, rows.get(each))
            for each, (fact, content) in told.items()
            if each not in rows or rows[each]["status"] not in SETTLED
        ]

    async def _told_by(self, fact: Fact) -> tuple[Fact, Content] | None:
        """Return the fact to tell and what it says; None when this sink is not concerned."""
        if not isinstance(fact.body, DeliveryRedriven):
            content = await self._content(fact)
            return None if content is None else (fact, content)
        if fact.body.sink != self._outlet.name:
            return None
        return await self._source(fact.body.delivery_id)

    async def _source(self, delivery_id: str) -> tuple[Fact, Content] | None:
        """Return what a delivery once told."""
        for row in await self._rows([delivery_id]):
            for fact in await self._ledger.read(
                subject=row["source_subject"],
                types=frozenset({row["source_type"]}),
                limit=_MOST_SOURCES,
            ):
                content = await self._content(fact)
                if content and self._outlet.delivery_id(content.source_id) == delivery_id:
                    return fact, content
        return None

    async def _content(self, fact: Fact) -> Content | None:
        state = await self._histories.state_at(fact)
        return self._outlet.rendering.content(fact, state)

    async def _rows(self, delivery_ids: list[str]) -> list[Row]:
        if not delivery_ids:
            return []
        return await self._ledger.rows(DELIVERIES.name, {"delivery_id": delivery_ids})
