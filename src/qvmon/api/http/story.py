"""The story of one incident: its own facts, those of its alerts, and who was told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from qvmon.model.facts import AlertCleared, AlertResolved, Fact
from qvmon.model.ledger import Ledger, Row

_MOST_FACTS = 5000
_AFTERMATH_US = 3_600_000_000
"""How long after an incident's end messages still count as telling of it."""

_ENDS = (AlertResolved.TYPE, AlertCleared.TYPE)


async def story_of(ledger: Ledger, incident: Row) -> list[Fact]:
    """Return what happened in the course of ``incident``, oldest first.

    Of each alert that is what happened from the spell in which the incident opened to the
    incident's end; of notifications and published events, what became of those sent meanwhile.
    """
    opened, end = incident["opened_at_us"], incident["resolved_at_us"] or math.inf
    subject = f"incident/{incident['incident_id']}"
    told = await _told(ledger, incident["alert_ids"], subject)
    facts = await ledger.read(subject=[subject, *told], newest_first=True, limit=_MOST_FACTS)
    alerts = await ledger.read(
        subject=[f"alert/{alert_id}" for alert_id in incident["alert_ids"]],
        newest_first=True,
        limit=_MOST_FACTS,
    )
    story = [
        fact
        for fact in facts
        if fact.subject == subject or opened <= fact.occurred_at <= end + _AFTERMATH_US
    ]
    story += [fact for fact in _since_the_spell(alerts, opened) if fact.occurred_at <= end]
    return sorted(story, key=lambda fact: (fact.recorded_at, fact.chain, fact.seq))


async def _told(ledger: Ledger, alert_ids: Sequence[str], subject: str) -> list[str]:
    """Return the subjects of every message about the alerts or the incident."""
    obligations = await ledger.rows("obligations", {"alert_id": list(alert_ids)})
    notifications = {row["notification_id"] for row in obligations if row["notification_id"]}
    about_alerts = await ledger.rows("deliveries", {"source_id": sorted(notifications)})
    about_incident = await ledger.rows("deliveries", {"source_subject": subject})
    deliveries = {row["delivery_id"] for row in (*about_alerts, *about_incident)}
    return [
        *(f"notification/{each}" for each in sorted(notifications)),
        *(f"delivery/{each}" for each in sorted(deliveries)),
    ]


def _since_the_spell(newest_first: Sequence[Fact], opened_us: int) -> Iterator[Fact]:
    """Yield alert facts back to the end of each alert's spell before the incident opened."""
    before: set[str] = set()
    for fact in newest_first:
        if fact.occurred_at < opened_us and fact.type in _ENDS:
            before.add(fact.subject)
        if fact.subject not in before:
            yield fact
