"""Who was owed word of an alert, and what became of each message."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from qvmon.api.http.times import Time, rfc3339, rfc3339_or_none
from qvmon.model.ledger import Ascending, Ledger, Row


class Obligation(BaseModel):
    """A receiver that was owed word of one change of the alert."""

    obligation_id: str
    receiver: str
    state: str
    reason: str
    notification_id: str
    created_at: Time
    queued_at: Time | None
    settled_at: Time | None


class DeliveryStatus(BaseModel):
    """A message on its way to one sink: its last attempt, and how that ended."""

    delivery_id: str
    sink: str
    state: str
    attempt: int
    possibly_repeated: bool
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    retry_at: Time | None
    detail: str


async def obligations_of(ledger: Ledger, alert_id: str) -> list[Obligation]:
    """Return everything that was owed because of one alert, oldest first."""
    rows = await ledger.rows("obligations", {"alert_id": alert_id}, order=_BY_CREATION)
    return [_obligation(row) for row in rows]


async def deliveries_of(
    ledger: Ledger, alert_id: str, obligations: Sequence[Obligation]
) -> list[DeliveryStatus]:
    """Return the messages about one alert: its notifications and its published events."""
    notifications = {each.notification_id for each in obligations if each.notification_id}
    told = await _deliveries(ledger, "source_id", sorted(notifications))
    published = await _deliveries(ledger, "source_subject", [f"alert/{alert_id}"])
    rows = {row["delivery_id"]: row for row in (*told, *published)}
    return [delivery_status(row) for row in sorted(rows.values(), key=_created_at)]


async def _deliveries(ledger: Ledger, column: str, values: list[str]) -> list[Row]:
    return await ledger.rows("deliveries", {column: values}) if values else []


def _created_at(row: Row) -> int:
    return int(row["created_at_us"])


def _obligation(row: Row) -> Obligation:
    return Obligation(
        obligation_id=row["obligation_id"],
        receiver=row["receiver"],
        state=row["state"],
        reason=row["reason"],
        notification_id=row["notification_id"],
        created_at=rfc3339(row["created_at_us"]),
        queued_at=rfc3339_or_none(row["queued_at_us"]),
        settled_at=rfc3339_or_none(row["settled_at_us"]),
    )


def delivery_status(row: Row) -> DeliveryStatus:
    """Return a row of the projection ``deliveries`` as it is told."""
    return DeliveryStatus(
        delivery_id=row["delivery_id"],
        sink=row["sink"],
        state=row["status"],
        attempt=row["attempts"],
        possibly_repeated=row["possibly_repeated"],
        created_at=rfc3339(row["created_at_us"]),
        started_at=rfc3339_or_none(row["started_at_us"]),
        finished_at=rfc3339_or_none(row["finished_at_us"]),
        retry_at=rfc3339_or_none(row["retry_at_us"]),
        detail=row["detail"],
    )


_BY_CREATION = Ascending("created_at_us")
