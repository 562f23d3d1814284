"""Notification groups: when a group's receiver is told something, and why. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from qvmon.model.facts import (
    Fact,
    FactDraft,
    NotificationQueued,
    NotifiedAlert,
)
from qvmon.model.ledger import Column, Key, Projection, Row
from qvmon.services.alerting.config import RouteConfig
from qvmon.services.alerting.identity import notification_id
from qvmon.services.alerting.route import ACTOR
from qvmon.templates import table_link

MAX_CAUSES = 100


class Reason(StrEnum):
    """Why a notification goes out now."""

    FIRST = "first"
    NEW_ALERTS = "new_alerts"
    RESOLVED = "resolved"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class Pending:
    """An obligation that waits for its group's next notification.

    Attributes:
        fact: Id of the fact that created it. ``since_us``: when that was recorded.
    """

    obligation_id: str
    alert_id: str
    fact: str
    since_us: int


@dataclass(frozen=True, slots=True)
class Group:
    """What is known of one receiver's group; times in microseconds.

    Attributes:
        labels: The labels it was formed by.
        pending: What waits to be told, oldest first.
        firing: Ids of the alerts that fired in the last notification.
        notified_us: When that was; None when there is none, or nothing fired in it.
    """

    key: str
    receiver: str
    labels: Mapping[str, str]
    pending: tuple[Pending, ...] = ()
    firing: tuple[str, ...] = ()
    notified_us: int | None = None

    def alerts(self) -> list[str]:
        """Return the ids of the alerts that its next notification is about."""
        return list(dict.fromkeys((*self.firing, *(each.alert_id for each in self.pending))))


def due_us(group: Group, route: RouteConfig) -> int | None:
    """Return when the group's receiver is to be told something, None when there is nothing.

    What is new waits ``group_wait`` for company and ``group_interval`` after the last message;
    what only goes on firing waits ``repeat_interval``.
    """
    if group.pending:
        waited = group.pending[0].since_us + _us(route.group_wait_seconds)
        if group.notified_us is None:
            return waited
        return max(waited, group.notified_us + _us(route.group_interval_seconds))
    if group.firing and group.notified_us is not None:
        return group.notified_us + _us(route.repeat_interval_seconds)
    return None


# --- why ------------------------------------------------------------------------------------------

Stage = Callable[[Group, frozenset[str]], Reason | None]
"""(the group, the ids of its alerts that fire now) to why its receiver is told, or None."""


def _first(group: Group, firing: frozenset[str]) -> Reason | None:
    del firing
    return Reason.FIRST if group.pending and group.notified_us is None else None


def _new_alerts(group: Group, firing: frozenset[str]) -> Reason | None:
    fires = any(each.alert_id in firing for each in group.pending)
    return Reason.NEW_ALERTS if fires else None


def _resolved(group: Group, firing: frozenset[str]) -> Reason | None:
    del firing
    return Reason.RESOLVED if group.pending else None


def _repeat(group: Group, firing: frozenset[str]) -> Reason | None:
    return Reason.REPEAT if firing and not group.pending else None


STAGES: tuple[Stage, ...] = (_first, _new_alerts, _resolved, _repeat)
"""Asked in this order once a group is due; the first reason given is the reason."""


def reason(group: Group, firing: frozenset[str]) -> Reason | None:
    """Return why the receiver of a due group is told something now, None when it is not."""
    return next((why for stage in STAGES if (why := stage(group, firing))), None)


# --- what -----------------------------------------------------------------------------------------


def notification(
    group: Group, alerts: Sequence[Row], now_us: int, external_url: str
) -> FactDraft | None:
    """Return the message about a due group, None when there is nothing to say after all.

    Args:
        group: The group.
        alerts: The rows of its alerts in the table ``alerts``.
        now_us: When it is decided.
        external_url: What links in it begin with.
    """
    notified = tuple(_notified(row, external_url) for row in alerts)
    firing = frozenset(each.alert_id for each in notified if each.status == "firing")
    why = reason(group, firing)
    if why is None:
        return None
    obligations = tuple(each.obligation_id for each in group.pending)
    cause = "/".join(obligations) or f"repeat/{group.notified_us}"
    body = NotificationQueued(
        notification_id=notification_id(group.key, group.receiver, cause),
        receiver=group.receiver,
        group_key=group.key,
        group_labels=dict(group.labels),
        status="firing" if firing else "resolved",
        alerts=notified,
        obligations=obligations,
        reason=why.value,
    )
    causes = tuple(each.fact for each in group.pending[:MAX_CAUSES])
    return FactDraft(body, f"notification/{body.notification_id}", ACTOR, now_us, causes)


def _notified(row: Row, external_url: str) -> NotifiedAlert:
    firing = row["state"] == "firing"
    return NotifiedAlert(
        alert_id=row["alert_id"],
        status="firing" if firing else "resolved",
        labels=row["labels"],
        annotations=row["annotations"],
        starts_at_ms=(row["fired_at_us"] or 0) // 1000,
        ends_at_ms=0 if firing else (row["resolved_at_us"] or 0) // 1000,
        generator_url=external_url.rstrip("/") + table_link(row["expr"]),
    )


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)


# --- the table ------------------------------------------------------------------------------------


def _keys(fact: Fact) -> Sequence[Key]:
    assert isinstance(fact.body, NotificationQueued)  # noqa: S101 - by the projection's types
    return ((fact.body.group_key, fact.body.receiver),)


def _fold(row: Row | None, fact: Fact, key: Key) -> Row | None:
    del row, key
    body = fact.body
    assert isinstance(body, NotificationQueued)  # noqa: S101 - by the projection's types
    firing = firing_in(body)
    if not firing:
        return None
    return {
        "group_key": body.group_key,
        "receiver": body.receiver,
        "group_labels": body.group_labels,
        "firing": firing,
        "notification_id": body.notification_id,
        "notified_us": fact.recorded_at,
    }


def firing_in(body: NotificationQueued) -> tuple[str, ...]:
    """Return the ids of the alerts that fire in a notification."""
    return tuple(each.alert_id for each in body.alerts if each.status == "firing")


NOTIFICATION_GROUPS = Projection(
    name="notification_groups",
    version=1,
    key=("group_key", "receiver"),
    columns=(
        Column("group_key", "text"),
        Column("receiver", "text"),
        Column("group_labels", "json"),
        Column("firing", "json"),
        Column("notification_id", "text"),
        Column("notified_us", "integer"),
    ),
    types=frozenset({NotificationQueued.TYPE}),
    keys=_keys,
    fold=_fold,
)
"""Groups that still fired when their receiver was last told; what waits is in ``obligations``."""
