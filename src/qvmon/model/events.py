"""Published events: what other workflows' programs read from the bus.

These structs are the one source of the schemas; a field is added with a default and never taken
away or given another meaning. Times are microseconds since the epoch, UTC, unless a name says
``_ms``; None means not yet. What people wrote (comments, notes) is not published.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

PACKAGE = "quantivista.monitoring.v1"
"""The versioned package that prefixes every event's type."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every published event; its type is the package and the class's name."""

    VERSION: ClassVar[int] = 1

    @classmethod
    def type_name(cls) -> str:
        """Return the CloudEvents type, such as ``quantivista.monitoring.v1.AlertFiredEvent``."""
        return f"{PACKAGE}.{cls.__name__}"


class IncidentEvent(Event, frozen=True, kw_only=True):
    """An incident as it was right after the fact that the event tells.

    Attributes:
        incident_id: The same for ever.
        number: What people say aloud.
        title: One line.
        status: ``open``, ``acknowledged`` or ``resolved``.
        severity: ``critical``, ``warning`` or ``info``.
        service: Empty when its alerts name none. ``workflow``: likewise.
        assignee: Who is responsible; empty for nobody.
        alert_count: How many alerts it ever had.
        open_alert_count: How many of them still fire.
        opened_at_us: Event time of its first alert.
        updated_at_us: Event time of the latest change.
        actor: Who did it, such as ``service:incidents`` or ``person:ada``.
    """

    incident_id: str
    number: int
    title: str
    status: str
    severity: str
    service: str
    workflow: str
    assignee: str
    alert_count: int
    open_alert_count: int
    opened_at_us: int
    updated_at_us: int
    actor: str


class IncidentCreatedEvent(IncidentEvent, frozen=True, kw_only=True):
    """An incident was opened.

    Attributes:
        alert_ids: The alerts it opened with.
        detected_us: When its first alert was decided; 0 when not known.
    """

    alert_ids: tuple[str, ...]
    detected_us: int


class IncidentUpdatedEvent(IncidentEvent, frozen=True, kw_only=True):
    """An incident changed and goes on.

    Attributes:
        change: ``alert_attached``, ``alert_resolved``, ``severity_changed``, ``acknowledged``,
            ``assigned``, ``commented`` or ``reopened``.
        alert_id: The alert whose transition it was; empty when it was none's.
    """

    change: str
    alert_id: str = ""


class IncidentResolvedEvent(IncidentEvent, frozen=True, kw_only=True):
    """An incident is over, until it is re-opened.

    Attributes:
        automatic: True when all its alerts resolved, False when a person said so.
        resolved_at_us: When.
    """

    automatic: bool
    resolved_at_us: int


class AlertEvent(Event, frozen=True, kw_only=True):
    """One alert's transition.

    Attributes:
        alert_id: The same through all of the alert's life.
        rule: Alert name. ``group``: the rule group it stands in.
        severity: The label as it is; may be empty. ``service``, ``workflow``: likewise.
        labels: All its labels.
        annotations: Rendered annotations.
        value: The expression's value as Prometheus prints floats.
        active_at_ms: When the condition first held in this spell, milliseconds.
        decided_us: When qvmon decided.
    """

    alert_id: str
    rule: str
    group: str
    severity: str
    service: str
    workflow: str
    labels: dict[str, str]
    annotations: dict[str, str]
    value: str
    active_at_ms: int
    decided_us: int


class AlertFiredEvent(AlertEvent, frozen=True, kw_only=True):
    """An alert's condition has held long enough."""


class AlertResolvedEvent(AlertEvent, frozen=True, kw_only=True):
    """A firing alert's condition holds no longer."""


PUBLISHED: tuple[type[Event], ...] = (
    IncidentCreatedEvent,
    IncidentUpdatedEvent,
    IncidentResolvedEvent,
    AlertFiredEvent,
    AlertResolvedEvent,
)
"""Every event that qvmon publishes, for the generated reference."""
