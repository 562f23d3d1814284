"""The table ``deliveries``: one row a message a sink owes an answer for."""

from __future__ import annotations

from collections.abc import Sequence

from qvmon.model.facts import (
    Delivery,
    DeliveryDead,
    DeliveryFailed,
    DeliveryRedriven,
    DeliveryStarted,
    DeliverySucceeded,
    Fact,
)
from qvmon.model.ledger import Column, Key, Projection, Row

STARTED, FAILED, SUCCEEDED, DEAD, REDRIVEN = (
    "started",
    "failed",
    "succeeded",
    "dead",
    "redriven",
)
SETTLED = frozenset({SUCCEEDED, DEAD})
"""States after which nothing happens by itself."""


def _keys(fact: Fact) -> Sequence[Key]:
    return ((fact.subject.removeprefix("delivery/"),),)


def _fold(row: Row | None, fact: Fact, key: Key) -> Row | None:
    del key
    match fact.body:
        case DeliveryStarted() as body:
            return _started(row, body, fact)
        case DeliveryRedriven():
            return row and {**row, "status": REDRIVEN, "redriven_at_us": fact.recorded_at}
        case Delivery() as body:
            return row and _attempted(row, body)
        case _:
            return row


def _started(row: Row | None, body: DeliveryStarted, fact: Fact) -> Row:
    return {
        "delivery_id": body.delivery_id,
        "sink": body.sink,
        "source_id": body.source_id,
        "source_type": body.source_type,
        "source_subject": body.source_subject,
        "status": STARTED,
        "attempts": 0,
        "possibly_repeated": bool(row and row["possibly_repeated"]),
        "created_at_us": body.created_us,
        "started_at_us": fact.occurred_at,
        "finished_at_us": None,
        "retry_at_us": None,
        "redriven_at_us": row["redriven_at_us"] if row else None,
        "detail": "",
    }


def _attempted(row: Row, body: Delivery) -> Row:
    status = body.TYPE.removeprefix("delivery.")
    return {
        **row,
        "status": status,
        "attempts": body.attempt,
        "possibly_repeated": body.possibly_repeated,
        "started_at_us": body.started_us,
        "finished_at_us": body.finished_us,
        "retry_at_us": body.retry_at_us if isinstance(body, DeliveryFailed) else None,
        "detail": body.detail,
    }


DELIVERIES = Projection(
    name="deliveries",
    version=1,
    key=("delivery_id",),
    columns=(
        Column("delivery_id", "text"),
        Column("sink", "text", indexed=True),
        Column("source_id", "text", indexed=True),
        Column("source_type", "text"),
        Column("source_subject", "text", indexed=True),
        Column("status", "text", indexed=True),
        Column("attempts", "integer"),
        Column("possibly_repeated", "boolean"),
        Column("created_at_us", "integer", indexed=True),
        Column("started_at_us", "integer"),
        Column("finished_at_us", "integer"),
        Column("retry_at_us", "integer"),
        Column("redriven_at_us", "integer"),
        Column("detail", "text"),
    ),
    types=frozenset(
        body.TYPE
        for body in (
            DeliveryStarted,
            DeliverySucceeded,
            DeliveryFailed,
            DeliveryDead,
            DeliveryRedriven,
        )
    ),
    keys=_keys,
    fold=_fold,
)
"""Its stage times are the last reported attempt's; ``source_id`` is what was told."""

PROJECTIONS = (DELIVERIES,)
