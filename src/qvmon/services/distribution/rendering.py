"""Facts as contents: one rendering a kind of reader, pure."""

from __future__ import annotations

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
from qvmon.model.incident import Incident, after
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


State = Incident | None
"""What a rendering knows of a fact's subject; None for renderings that need to know nothing."""


class Rendering(Protocol):
    """How facts become contents for one sink."""

    @property
    def types(self) -> frozenset[str]:
        """Fact types to tell."""
        ...

    @property
    def history_types(self) -> frozenset[str]:
        """Types of facts about the same subject that make its state; none for most."""
        ...

    def fold(self, state: State, fact: Fact) -> State:
        """Return the subject's state after one more fact of ``history_types``."""
        ...

    def content(self, fact: Fact, state: State) -> Content | None:
        """Return what ``fact`` says, or None when it is none of this sink's business.

        Args:
            fact: The fact to tell.
            state: Its subject right after it.
        """
        ...


class _Stateless:
    """For renderings whose facts say all there is to say."""

    __slots__ = ()

    @property
    def history_types(self) -> frozenset[str]:
        """No types."""
        return frozenset()

    def fold(self, state: State, fact: Fact) -> State:
        """Return the state as it was."""
        del fact
        return state


@dataclass(frozen=True, slots=True)
class WebhookNotifications(_Stateless):
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

    def content(self, fact: Fact, state: State) -> Content | None:
        """Return the notification when it is the receiver's."""
        del state
        body = fact.body
        if not isinstance(body, NotificationQueued) or body.receiver != self.receiver:
            return None
        encoded = alertmanager_webhook.encode(body, self.external_url, self.max_alerts)
        part = Part(alertmanager_webhook.MEDIA_TYPE, encoded)
        return Content(body.notification_id, body.group_key, mail.title(body), (part,))


@dataclass(frozen=True, slots=True)
class MailNotifications(_Stateless):
    """A receiver's notifications as text and HTML.

    Attributes:
        receiver: Whose.
        external_url: Where people reach qvmon.
    """

    receiver: str
    external_url: str
    types: frozenset[str] = frozenset({NotificationQueued.TYPE})

    def content(self, fact: Fact, state: State) -> Content | None:
        """Return the notification when it is the receiver's."""
        del state
        body = fact.body
        if not isinstance(body, NotificationQueued) or body.receiver != self.receiver:
            return None
        parts = (
            Part("text/plain", mail.text(body, self.external_url).encode()),
            Part("text/html", mail.html(body, self.external_url).encode()),
        )
        return Content(body.notification_id, body.group_key, mail.title(body), parts)


@dataclass(frozen=True, slots=True)
class AlertEvents(_Stateless):
    """Alert transitions as CloudEvents.

    Attributes:
        source: CloudEvents source, a URI reference.
    """

    source: str
    types: frozenset[str] = frozenset({AlertFiring.TYPE, AlertResolved.TYPE})

    def content(self, fact: Fact, state: State) -> Content | None:
        """Return the transition as an event."""
        del state
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

    def fold(self, state: State, fact: Fact) -> State:
        """Return the incident after one more fact about it."""
        return after(state, fact)

    def content(self, fact: Fact, state: State) -> Content | None:
        """Return the transition as an event."""
        if state is None:
            return None
        return _enveloped(_incident_event(fact, state), fact, self.source)


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
        "alert_count": len(incident.alert_ids),
        "open_alert_count": len(incident.open_alert_ids),
        "opened_at_us": incident.opened_at_us,
        "updated_at_us": incident.updated_at_us,
        "actor": fact.actor,
    }
    match fact.body:
        case IncidentOpened(alert_ids=alert_ids, detected_us=detected_us):
            new = {"alert_ids": alert_ids, "detected_us": detected_us}
            return msgspec.convert({**state, **new}, IncidentCreatedEvent)
        case IncidentResolved(automatic=automatic):
            over = {"automatic": automatic, "resolved_at_us": fact.occurred_at}
            return msgspec.convert({**state, **over}, IncidentResolvedEvent)
        case body:
            change = {
                "change": body.TYPE.removeprefix("incident."),
                "alert_id": getattr(body, "alert_id", ""),
            }
            return msgspec.convert({**state, **change}, IncidentUpdatedEvent)


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
