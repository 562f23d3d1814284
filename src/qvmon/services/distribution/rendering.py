"""Facts as contents: one rendering a kind of reader, pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from qvmon.model.events import (
    AlertFiredEvent,
    AlertResolvedEvent,
    Event,
    IncidentCreatedEvent,
    IncidentResolvedEvent,
    IncidentUpdatedEvent,
)
from qvmon.model.facts import (
    AlertFiring,
    AlertResolved,
    AlertTransition,
    Fact,
    IncidentAcknowledged,
    IncidentAlertAttached,
    IncidentAlertResolved,
    IncidentAssigned,
    IncidentCommented,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    NotificationQueued,
)
from qvmon.model.incident import Incident, evolve_all
from qvmon.services.distribution import mail
from qvmon.services.distribution.message import Content, Part
from qvmon.wire import alertmanager_webhook, cloudevents

INCIDENT_TYPES = frozenset(
    body.TYPE
    for body in (
        IncidentOpened,
        IncidentAlertAttached,
        IncidentAlertResolved,
        IncidentSeverityChanged,
        IncidentAcknowledged,
        IncidentAssigned,
        IncidentCommented,
        IncidentResolved,
        IncidentReopened,
    )
)


class Rendering(Protocol):
    """How facts become contents for one sink.

    ``types`` are the facts it tells; ``history_types`` the facts about the same subject that it
    must know for that, none for most.
    """

    @property
    def types(self) -> frozenset[str]:
        """Fact types to follow."""
        ...

    @property
    def history_types(self) -> frozenset[str]:
        """Types of earlier facts about the same subject to hand to ``content``."""
        ...

    def content(self, fact: Fact, history: Sequence[Fact]) -> Content | None:
        """Return what ``fact`` says, or None when it is none of this sink's business.

        Args:
            fact: The fact to tell.
            history: Facts of ``history_types`` about its subject, oldest first, up to itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class WebhookNotifications:
    """A receiver's notifications as Alertmanager's webhook body.

    Attributes:
        receiver: Whose.
        external_url: Where people reach qvmon.
        max_alerts: Leave out alerts beyond this many; 0 for no limit.
    """

    receiver: str
    external_url: str
    max_alerts: int = 0
    types: frozenset[str] = frozenset({NotificationQueued.TYPE})
    history_types: frozenset[str] = frozenset()

    def content(self, fact: Fact, history: Sequence[Fact]) -> Content | None:
        """Return the notification when it is the receiver's."""
        del history
        body = fact.body
        if not isinstance(body, NotificationQueued) or body.receiver != self.receiver:
            return None
        encoded = alertmanager_webhook.encode(body, self.external_url, self.max_alerts)
        part = Part(alertmanager_webhook.MEDIA_TYPE, encoded)
        return Content(body.notification_id, body.group_key, mail.title(body), (part,))


@dataclass(frozen=True, slots=True)
class MailNotifications:
    """A receiver's notifications as text and HTML.

    Attributes:
        receiver: Whose.
        external_url: Where people reach qvmon.
    """

    receiver: str
    external_url: str
    types: frozenset[str] = frozenset({NotificationQueued.TYPE})
    history_types: frozenset[str] = frozenset()

    def content(self, fact: Fact, history: Sequence[Fact]) -> Content | None:
        """Return the notification when it is the receiver's."""
        del history
        body = fact.body
        if not isinstance(body, NotificationQueued) or body.receiver != self.receiver:
            return None
        parts = (
            Part("text/plain", mail.text(body, self.external_url).encode()),
            Part("text/html", mail.html(body, self.external_url).encode()),
        )
        return Content(body.notification_id, body.group_key, mail.title(body), parts)


@dataclass(frozen=True, slots=True)
class AlertEvents:
    """Alert transitions as CloudEvents.

    Attributes:
        source: CloudEvents source, a URI reference.
    """

    source: str
    types: frozenset[str] = frozenset({AlertFiring.TYPE, AlertResolved.TYPE})
    history_types: frozenset[str] = frozenset()

    def content(self, fact: Fact, history: Sequence[Fact]) -> Content | None:
        """Return the transition as an event."""
        del history
        body = fact.body
        if not isinstance(body, AlertTransition):
            return None
        kind = AlertFiredEvent if isinstance(body, AlertFiring) else AlertResolvedEvent
        event = kind(
            alert_id=body.alert_id,
            rule=body.rule,
            group=body.group,
            severity=body.labels.get("severity", ""),
            service=body.labels.get("service", ""),
            workflow=body.labels.get("workflow", ""),
            labels=body.labels,
            annotations=body.annotations,
            value=body.value,
            active_at_ms=body.active_at_ms,
            decided_us=body.decided_us,
        )
        return _enveloped(event, fact, self.source)


@dataclass(frozen=True, slots=True)
class IncidentEvents:
    """Incident transitions as CloudEvents, each with the incident as it was right after.

    Attributes:
        source: CloudEvents source, a URI reference.
    """

    source: str
    types: frozenset[str] = INCIDENT_TYPES
    history_types: frozenset[str] = INCIDENT_TYPES

    def content(self, fact: Fact, history: Sequence[Fact]) -> Content | None:
        """Return the transition as an event."""
        incident = evolve_all(history)
        if incident is None:
            return None
        return _enveloped(_incident_event(fact, incident), fact, self.source)


def _incident_event(fact: Fact, incident: Incident) -> Event:
    state = {
        "incident_id": incident.incident_id,
        "number": incident.number,
        "title": incident.title,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "service": incident.service,
        "workflow": incident.workflow,
        "assignee": incident.assignee,
        "alert_ids": incident.alert_ids,
        "open_alert_ids": incident.open_alert_ids,
        "opened_at_us": incident.opened_at_us,
        "updated_at_us": incident.updated_at_us,
        "actor": fact.actor,
    }
    match fact.body:
        case IncidentOpened(detected_us=detected_us):
            return msgspec.convert({**state, "detected_us": detected_us}, IncidentCreatedEvent)
        case IncidentResolved(automatic=automatic):
            over = {"automatic": automatic, "resolved_at_us": fact.occurred_at}
            return msgspec.convert({**state, **over}, IncidentResolvedEvent)
        case body:
            change = body.TYPE.removeprefix("incident.")
            return msgspec.convert({**state, "change": change}, IncidentUpdatedEvent)


def _enveloped(event: Event, fact: Fact, source: str) -> Content:
    envelope = cloudevents.CloudEvent(
        id=fact.id,
        source=source,
        type=event.type_name(),
        data=msgspec.json.encode(event),
        subject=fact.subject,
        time_us=fact.occurred_at,
        traceparent=fact.traceparent,
    )
    part = Part(cloudevents.MEDIA_TYPE, cloudevents.encode(envelope))
    return Content(fact.id, fact.subject, type(event).__name__, (part,))
