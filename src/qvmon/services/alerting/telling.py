"""Sees to it that people are told: routes transitions, and queues each group when it is due."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from qvmon.model.clock import Clock, now_us
from qvmon.model.facts import AlertFiring, AlertResolved, Fact, FactDraft, NotificationQueued
from qvmon.model.ledger import Consumed, Ledger, Row
from qvmon.services.alerting.accounts import Accounts
from qvmon.services.alerting.alert_facts import ALERTS
from qvmon.services.alerting.config import AlertingConfig
from qvmon.services.alerting.group import Group, notification
from qvmon.services.alerting.meters import Meters
from qvmon.services.alerting.route import obligations
from qvmon.services.alerting.waiting_room import WaitingRoom

CONSUMER = "alerting.route"
TYPES = frozenset({AlertFiring.TYPE, AlertResolved.TYPE})
MAX_KEYS = 500
"""Rows asked for at once."""


@dataclass(slots=True)
class Teller:
    """The groups that wait, and the two loops that serve them.

    Attributes:
        config: Who is told, and in what rhythm.
        ledger: Keeps the facts, and the tables of groups and obligations.
        clock: Tells when groups are due.
        meters: Count what happens.
        accounts: Keeps the sum of obligations.
    """

    config: AlertingConfig
    ledger: Ledger
    clock: Clock
    meters: Meters
    accounts: Accounts
    _room: WaitingRoom | None = field(init=False, default=None)
    _deciding: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _news: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    async def route(self) -> None:
        """Turn transitions into obligations until the ledger closes."""
        async for page in self.ledger.follow(CONSUMER, TYPES):
            now = now_us(self.clock)
            drafts = obligations(page.facts, self.config.route, now)
            async with self._deciding:
                await self._append(drafts, page.consumed)
            for fact in page.facts:
                self.meters.recorded_to_routed.observe((now - fact.recorded_at) / 1e6)

    async def tell(self) -> None:
        """Queue notifications as groups become due, for ever."""
        while True:
            self._news.clear()
            async with self._deciding:
                room = await self._groups()
                due = room.due(now_us(self.clock))
                told = await self._tell(due)
            if told < len(due):
                await self.clock.sleep(self.config.retry_seconds)
            elif not due:
                await self._until(room.next_due_us())

    async def waiting(self) -> set[str]:
        """Return the obligations that wait in some group."""
        async with self._deciding:
            return (await self._groups()).waiting()

    def forget(self) -> None:
        """Read the groups from the ledger again before the next decision."""
        self._room = None

    async def _tell(self, due: Sequence[Group]) -> int:
        """Queue the notifications of due groups; return how many there were."""
        now = now_us(self.clock)
        drafts = [await self._notification(group, now) for group in due]
        facts = await self._append([draft for draft in drafts if draft is not None])
        for fact in facts:
            assert isinstance(fact.body, NotificationQueued)  # noqa: S101 - just made
            self.meters.notifications.value(fact.body.reason).add()
        return len(facts)

    async def _notification(self, group: Group, now: int) -> FactDraft | None:
        rows: list[Row] = []
        alerts = group.alerts()
        for first in range(0, len(alerts), MAX_KEYS):
            wanted = alerts[first : first + MAX_KEYS]
            rows += await self.ledger.rows(ALERTS.name, {"alert_id": wanted})
        for pending in group.pending:
            self.meters.routed_to_queued.observe((now - pending.since_us) / 1e6)
        return notification(group, rows, now, self.config.external_url)

    async def _append(
        self, drafts: list[FactDraft], consumed: Consumed | None = None
    ) -> list[Fact]:
        if not drafts and consumed is None:
            return []
        room = await self._groups()
        facts = await self.ledger.append(drafts, consumed=consumed)
        room.take(facts)
        self.accounts.take(facts)
        self._news.set()
        return facts

    async def _groups(self) -> WaitingRoom:
        if self._room is None:
            self._room = await WaitingRoom.read(self.ledger, self.config.route)
        return self._room

    async def _until(self, due_us: int | None) -> None:
        """Return when ``due_us`` has come, or there is news."""
        waits: set[asyncio.Future[object]] = {asyncio.ensure_future(self._news.wait())}
        if due_us is not None:
            seconds = max(0.0, (due_us - now_us(self.clock)) / 1e6)
            waits.add(asyncio.ensure_future(self.clock.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
