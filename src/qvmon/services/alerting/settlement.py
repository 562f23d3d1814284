"""Ends obligations: hears what became of notifications, and says it of what they carried."""

from __future__ import annotations

from dataclasses import dataclass

from qvmon.model.clock import Clock, now_us
from qvmon.model.facts import (
    Delivery,
    DeliveryDead,
    DeliveryStarted,
    DeliverySucceeded,
    Fact,
    FactDraft,
    NotificationQueued,
    ObligationSettled,
)
from qvmon.model.ledger import Ledger, Row
from qvmon.services.alerting.accounts import Accounts
from qvmon.services.alerting.obligation import OBLIGATIONS, Standing
from qvmon.services.alerting.route import ACTOR

CONSUMER = "alerting.settlement"
TYPES = frozenset({DeliverySucceeded.TYPE, DeliveryDead.TYPE})


@dataclass(frozen=True, slots=True)
class Settler:
    """Follows receipts.

    Attributes:
        ledger: Has the receipts, and takes what follows from them.
        clock: Tells when.
        accounts: Keeps the sum of obligations.
    """

    ledger: Ledger
    clock: Clock
    accounts: Accounts

    async def run(self) -> None:
        """Settle the obligations of each delivered or dead notification, until the ledger closes.

        A receiver may have several sinks: one that took the message is enough.
        """
        async for page in self.ledger.follow(CONSUMER, TYPES):
            drafts: list[FactDraft] = []
            settled: list[tuple[list[Row], str]] = []
            for fact in page.facts:
                notification = await self._notification(fact)
                state = _state(fact)
                rows = await self._open(notification, state) if notification else []
                if rows:
                    drafts.append(_draft(fact, notification, rows, state, now_us(self.clock)))
                    settled.append((rows, state))
            await self.ledger.append(drafts, consumed=page.consumed)
            for rows, state in settled:
                self.accounts.settle(rows, state)

    async def _notification(self, receipt: Fact) -> str:
        """Return the id of the notification a receipt is for, empty when it is for an event."""
        started = await self.ledger.read(
            types=frozenset({DeliveryStarted.TYPE}), subject=receipt.subject, limit=1
        )
        body = started[0].body if started else None
        if not isinstance(body, DeliveryStarted) or body.source_type != NotificationQueued.TYPE:
            return ""
        return body.source_id

    async def _open(self, notification: str, state: str) -> list[Row]:
        open_states = [Standing.GROUPED_INTO.value]
        if state == Standing.DELIVERED:
            open_states.append(Standing.DEAD.value)
        return await self.ledger.rows(
            OBLIGATIONS.name, {"notification_id": notification, "state": open_states}
        )


def _state(receipt: Fact) -> str:
    delivered = isinstance(receipt.body, DeliverySucceeded)
    return (Standing.DELIVERED if delivered else Standing.DEAD).value


def _draft(receipt: Fact, notification: str, rows: list[Row], state: str, now: int) -> FactDraft:
    assert isinstance(receipt.body, Delivery)  # noqa: S101 - by the types followed
    body = ObligationSettled(
        notification_id=notification,
        delivery_id=receipt.body.delivery_id,
        obligations=tuple(row["obligation_id"] for row in rows),
        state=state,
    )
    return FactDraft(body, f"notification/{notification}", ACTOR, now, (receipt.id,))
