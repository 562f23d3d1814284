"""The table ``obligations``: every duty to tell a receiver of a change, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from qvmon.model.facts import Fact, NotificationQueued, ObligationCreated, ObligationSettled
from qvmon.model.ledger import Column, Key, Projection, Row


class Standing(StrEnum):
    """What has become of an obligation; each is in exactly one of these."""

    QUEUED = "queued"  # its group waits for its time
    GROUPED_INTO = "grouped_into"  # a notification carries it
    DELIVERED = "delivered"
    DEAD = "dead"  # no further attempt will be made by itself
    NO_RECEIVER = "no_receiver"


ENDED = frozenset({Standing.DELIVERED, Standing.DEAD, Standing.NO_RECEIVER})
"""Where nothing more happens by itself."""


def _keys(fact: Fact) -> Sequence[Key]:
    match fact.body:
        case ObligationCreated(obligation_id=one):
            return ((one,),)
        case NotificationQueued(obligations=many) | ObligationSettled(obligations=many):
            return [(each,) for each in many]
        case _:
            return ()


def _fold(row: Row | None, fact: Fact, key: Key) -> Row | None:
    del key
    match fact.body:
        case ObligationCreated() as body:
            return _created(body, fact)
        case NotificationQueued() as body:
            return row and {
                **row,
                "state": Standing.GROUPED_INTO.value,
                "notification_id": body.notification_id,
                "queued_at_us": fact.recorded_at,
            }
        case ObligationSettled() as body:
            return row and {**row, "state": body.state, "settled_at_us": fact.recorded_at}
        case _:
            return row


def _created(body: ObligationCreated, fact: Fact) -> Row:
    return {
        "obligation_id": body.obligation_id,
        "transition": body.transition,
        "alert_id": body.alert_id,
        "receiver": body.receiver,
        "group_key": body.group_key,
        "group_labels": body.group_labels,
        "fact": fact.id,
        "reason": body.reason,
        "state": (Standing.QUEUED if body.receiver else Standing.NO_RECEIVER).value,
        "notification_id": "",
        "created_at_us": fact.recorded_at,
        "queued_at_us": None,
        "settled_at_us": None,
    }


OBLIGATIONS = Projection(
    name="obligations",
    version=1,
    key=("obligation_id",),
    columns=(
        Column("obligation_id", "text"),
        Column("transition", "text"),
        Column("alert_id", "text", indexed=True),
        Column("receiver", "text"),
        Column("group_key", "text"),
        Column("group_labels", "json"),
        Column("fact", "text"),
        Column("reason", "text"),
        Column("state", "text", indexed=True),
        Column("notification_id", "text", indexed=True),
        Column("created_at_us", "integer", indexed=True),
        Column("queued_at_us", "integer"),
        Column("settled_at_us", "integer"),
    ),
    types=frozenset({ObligationCreated.TYPE, NotificationQueued.TYPE, ObligationSettled.TYPE}),
    keys=_keys,
    fold=_fold,
)
