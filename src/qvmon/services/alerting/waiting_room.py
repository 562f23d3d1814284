"""Every group that waits or fires, kept in step with the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from qvmon.model.facts import Fact, NotificationQueued, ObligationCreated
from qvmon.model.ledger import Ascending, Ledger
from qvmon.services.alerting.config import RouteConfig
from qvmon.services.alerting.group import NOTIFICATION_GROUPS, Group, Pending, due_us, firing_in
from qvmon.services.alerting.obligation import OBLIGATIONS, Standing

Place = tuple[str, str]
"""Group key and receiver."""


class WaitingRoom:
    """The groups, by key and receiver; what facts do to them, without asking the ledger again.

    Args:
        route: Says when groups are due.
    """

    def __init__(self, route: RouteConfig) -> None:
        self._route = route
        self._groups: dict[Place, Group] = {}

    @classmethod
    async def read(cls, ledger: Ledger, route: RouteConfig) -> WaitingRoom:
        """Return the groups as the ledger's tables know them."""
        room = cls(route)
        for row in await ledger.rows(NOTIFICATION_GROUPS.name):
            place = (row["group_key"], row["receiver"])
            room._groups[place] = Group(
                *place,
                row["group_labels"],
                firing=tuple(row["firing"]),
                notified_us=row["notified_us"],
            )
        queued = {"state": Standing.QUEUED.value}
        for row in await ledger.rows(OBLIGATIONS.name, queued, order=Ascending("created_at_us")):
            place = (row["group_key"], row["receiver"])
            waits = Pending(
                row["obligation_id"], row["alert_id"], row["fact"], row["created_at_us"]
            )
            room._wait({place: [waits]}, {place: row["group_labels"]})
        return room

    def take(self, facts: Iterable[Fact]) -> None:
        """Follow facts that were just appended."""
        waits: dict[Place, list[Pending]] = {}
        labels: dict[Place, dict[str, str]] = {}
        for fact in facts:
            match fact.body:
                case ObligationCreated() as body if body.receiver:
                    place = (body.group_key, body.receiver)
                    each = Pending(body.obligation_id, body.alert_id, fact.id, fact.recorded_at)
                    waits.setdefault(place, []).append(each)
                    labels[place] = body.group_labels
                case NotificationQueued() as body:
                    self._notified(body, fact)
        self._wait(waits, labels)

    def due(self, now_us: int) -> list[Group]:
        """Return the groups whose receiver is to be told something now."""
        times = ((group, due_us(group, self._route)) for group in self._groups.values())
        return [group for group, due in times if due is not None and due <= now_us]

    def next_due_us(self) -> int | None:
        """Return when the first group is due, None when none is."""
        times = (due_us(group, self._route) for group in self._groups.values())
        return min((due for due in times if due is not None), default=None)

    def waiting(self) -> set[str]:
        """Return the ids of the obligations that wait."""
        return {each.obligation_id for group in self._groups.values() for each in group.pending}

    def _wait(self, waits: dict[Place, list[Pending]], labels: dict[Place, dict[str, str]]) -> None:
        for place, pending in waits.items():
            group = self._groups.get(place) or Group(*place, labels[place])
            self._groups[place] = replace(group, pending=(*group.pending, *pending))

    def _notified(self, body: NotificationQueued, fact: Fact) -> None:
        place = (body.group_key, body.receiver)
        settled = frozenset(body.obligations)
        group = self._groups.get(place) or Group(*place, body.group_labels)
        pending = tuple(each for each in group.pending if each.obligation_id not in settled)
        firing = firing_in(body)
        notified_us = fact.recorded_at if firing else None
        if firing or pending:
            self._groups[place] = Group(*place, group.labels, pending, firing, notified_us)
        else:
            self._groups.pop(place, None)
