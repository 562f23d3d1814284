"""Facts: what was observed, decided or done, by whom, when and why; appended, never changed.

A body is a frozen ``msgspec`` struct whose tag is the fact's type. Bodies that one service writes
and another reads are typed here, so that no service imports another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from qvmon.model.errors import ErrorKind, QvmonError


class FactBody(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every fact body.

    A subclass names its ``TYPE`` (``<noun>.<past participle>``) and ``VERSION``; a new version
    keeps old fields and gives new ones defaults, so that every stored fact stays readable.
    """

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    HIDDEN: ClassVar[frozenset[str]] = frozenset()  # fields that nobody is shown


@dataclass(frozen=True, slots=True)
class FactDraft:
    """A fact that a step decided and the ledger has not numbered yet.

    Attributes:
        body: What happened.
        subject: What it happened to, as ``<noun>/<id>``, such as ``incident/4f0c…``.
        actor: Who did it: ``person:ada``, ``service:alerting``, ``rule:<group>/<name>``.
        occurred_at: Event time, microseconds since the epoch, UTC.
        causes: Ids of earlier facts, or positions (int) of drafts in the same append.
        traceparent: W3C trace context of the request that led to it.
    """

    body: FactBody
    subject: str
    actor: str
    occurred_at: int
    causes: tuple[str | int, ...] = ()
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as the ledger keeps it.

    Attributes:
        chain: The writer's hash chain.
        seq: Gapless number within the chain, from 1.
        type: The body's ``TYPE``.
        schema_version: The body's ``VERSION`` when it was written.
        subject: What it happened to.
        occurred_at: Event time, microseconds.
        recorded_at: When the ledger took it, microseconds; never decreases within a chain.
        actor: Who did it.
        causes: Ids of the facts that led to it.
        traceparent: W3C trace context, or empty.
        body: The typed body.
        prev_hash: SHA-256 of the fact before it in the chain (32 zero bytes for the first).
        hash: SHA-256 over all of the above.
    """

    chain: str
    seq: int
    type: str
    schema_version: int
    subject: str
    occurred_at: int
    recorded_at: int
    actor: str
    causes: tuple[str, ...]
    traceparent: str
    body: FactBody
    prev_hash: bytes
    hash: bytes

    @property
    def id(self) -> str:
        """The fact's name everywhere: ``<chain>:<seq>``."""
        return f"{self.chain}:{self.seq}"


def body_types() -> dict[str, type[FactBody]]:
    """Return every known body class by its type."""
    return {cls.TYPE: cls for cls in _leaves(FactBody) if cls.TYPE}


def _leaves(cls: type[FactBody]) -> Sequence[type[FactBody]]:
    below = [leaf for child in cls.__subclasses__() for leaf in _leaves(child)]
    return [cls, *below]


def encode_body(body: FactBody) -> bytes:
    """Return the canonical JSON of a body: sorted keys, no white space."""
    return msgspec.json.encode(body, order="deterministic")


def decode_body(fact_type: str, data: bytes | str) -> FactBody:
    """Return the typed body of a stored fact.

    Raises:
        QvmonError: CORRUPT, for a type nobody declares or JSON that does not fit it.
    """
    try:
        body: FactBody = msgspec.json.decode(data, type=body_types()[fact_type])
    except KeyError:
        raise QvmonError(ErrorKind.CORRUPT, f"unknown fact type {fact_type!r}") from None
    except msgspec.MsgspecError as error:
        raise QvmonError(ErrorKind.CORRUPT, f"body of {fact_type}: {error}") from None
    return body


def body_as_json(body: FactBody) -> dict[str, Any]:
    """Return a body as plain JSON values, for timelines and the API; hidden fields as ``***``."""
    built: dict[str, Any] = msgspec.to_builtins(body)
    return {name: "***" if name in body.HIDDEN else value for name, value in built.items()}


# --- alerts: written by alerting, read by incidents, distribution and the API -------------------


class AlertTransition(FactBody, frozen=True, kw_only=True):
    """One alert element changed state; the base of the four alert facts.

    Attributes:
        alert_id: uuid5 of rule identity and labels; the same through all of an element's life.
        rule: Alert name. ``group`` and ``file`` say where the rule stands.
        labels: The alert's labels, ``alertname`` and external labels included.
        annotations: Rendered annotations.
        value: The expression's value as Prometheus prints floats (``NaN``, ``+Inf`` included).
        expr: The rule's expression.
        active_at_ms: When the condition first held in this spell.
        event_ms: Timestamp of the tick that decided it (the stage *event*).
        decided_us: When the step decided.
        late_ms: How far behind its schedule the tick ran.
        external_labels: Names of those of ``labels`` that are this system's external labels.
    """

    alert_id: str
    rule: str
    group: str
    file: str
    labels: dict[str, str]
    annotations: dict[str, str]
    value: str
    expr: str
    active_at_ms: int
    event_ms: int
    decided_us: int = 0
    late_ms: int = 0
    external_labels: tuple[str, ...] = ()


class AlertPending(AlertTransition, frozen=True, kw_only=True):
    """The condition holds, and has to hold for longer before anybody is told."""

    TYPE: ClassVar[str] = "alert.pending"


class AlertFiring(AlertTransition, frozen=True, kw_only=True):
    """The condition has held long enough."""

    TYPE: ClassVar[str] = "alert.firing"


class AlertResolved(AlertTransition, frozen=True, kw_only=True):
    """A firing alert's condition holds no longer."""

    TYPE: ClassVar[str] = "alert.resolved"


class AlertCleared(AlertTransition, frozen=True, kw_only=True):
    """A pending alert's condition stopped holding before it fired."""

    TYPE: ClassVar[str] = "alert.cleared"


# --- telling: routed by alerting, delivered by distribution --------------------------------------


class ObligationCreated(FactBody, frozen=True, kw_only=True):
    """One receiver is owed word of one alert transition.

    Attributes:
        obligation_id: uuid5 of transition and receiver.
        transition: Id of the alert fact.
        alert_id: The alert.
        receiver: Receiver name; empty when no route matched.
        group_key: The notification group it belongs to.
        reason: Why this receiver: the matching route in words.
        group_labels: The labels the group was formed by.
    """

    TYPE: ClassVar[str] = "obligation.created"
    obligation_id: str
    transition: str
    alert_id: str
    receiver: str
    group_key: str
    reason: str = ""
    group_labels: dict[str, str] = {}


class ObligationSettled(FactBody, frozen=True, kw_only=True):
    """It is known what became of a notification, and so of the obligations it carried.

    Attributes:
        notification_id: The notification.
        delivery_id: The delivery whose receipt says so.
        obligations: What it settles.
        state: ``delivered``, or ``dead`` when no further attempt will be made.
    """

    TYPE: ClassVar[str] = "obligation.settled"
    notification_id: str
    delivery_id: str
    obligations: tuple[str, ...]
    state: str


class NotifiedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert inside a notification; times in milliseconds, ``ends_at_ms`` 0 while firing."""

    alert_id: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at_ms: int
    ends_at_ms: int = 0
    generator_url: str = ""


class NotificationQueued(FactBody, frozen=True, kw_only=True):
    """One message for one receiver, ready to go out.

    Attributes:
        notification_id: Stable id sent with every attempt (dedup key, Message-ID, header).
        receiver: Receiver name.
        group_key: Alertmanager-style group key.
        group_labels: The labels the group was formed by.
        status: ``firing`` while any alert fires, else ``resolved``.
        alerts: Every alert of the group as of now.
        obligations: The obligations this message settles.
        reason: Why now: ``first``, ``new_alerts``, ``resolved``, ``repeat``.
    """

    TYPE: ClassVar[str] = "notification.queued"
    notification_id: str
    receiver: str
    group_key: str
    group_labels: dict[str, str]
    status: str
    alerts: tuple[NotifiedAlert, ...]
    obligations: tuple[str, ...]
    reason: str


class DeliveryStarted(FactBody, frozen=True, kw_only=True):
    """A first attempt is about to be made: without a later fact, it may or may not have arrived.

    Attributes:
        delivery_id: uuid5 of ``source_id`` and ``sink``; sent with every attempt.
        sink: Where it goes, such as ``webhook:oncall`` or ``pulsar:incidents``.
        source_id: Id of the notification, or of the fact that an event publishes.
        source_type: Type of the fact that is told, such as ``notification.queued``.
        source_subject: Subject of that fact.
        created_us: When that fact was recorded.
    """

    TYPE: ClassVar[str] = "delivery.started"
    delivery_id: str
    sink: str
    source_id: str
    source_type: str
    source_subject: str
    created_us: int


class DeliveryRedriven(FactBody, frozen=True, kw_only=True):
    """A person asked for a dead delivery to be tried again."""

    TYPE: ClassVar[str] = "delivery.redriven"
    delivery_id: str
    sink: str


class Delivery(FactBody, frozen=True, kw_only=True):
    """What became of one attempt to deliver; the base of the three delivery facts.

    Attributes:
        delivery_id: The id that goes with every attempt at this notification or event.
        sink: Where it went, such as ``webhook:oncall`` or ``pulsar:incidents``.
        attempt: 1 for the first.
        possibly_repeated: An earlier attempt may have arrived (its receipt was lost).
        started_us: When the attempt began. ``finished_us``: when the sink answered.
        detail: The sink's answer, or the error.
    """

    delivery_id: str
    sink: str
    attempt: int
    started_us: int
    finished_us: int
    possibly_repeated: bool = False
    detail: str = ""


class DeliverySucceeded(Delivery, frozen=True, kw_only=True):
    """The sink took it: the receipt."""

    TYPE: ClassVar[str] = "delivery.succeeded"


class DeliveryFailed(Delivery, frozen=True, kw_only=True):
    """The sink did not take it; another attempt is due at ``retry_at_us``."""

    TYPE: ClassVar[str] = "delivery.failed"
    retry_at_us: int


class DeliveryDead(Delivery, frozen=True, kw_only=True):
    """No further attempt will be made by itself; a person may re-drive it."""

    TYPE: ClassVar[str] = "delivery.dead"


# --- incidents: written by incidents, read by distribution and the API ---------------------------


class IncidentOpened(FactBody, frozen=True, kw_only=True):
    """An incident began.

    Attributes:
        incident_id: uuid5 of the group's labels and the opening alert fact.
        number: Counts up from 1; what people say aloud.
        title: One line.
        severity: ``critical``, ``warning`` or ``info``.
        service: May be empty. ``workflow``: may be empty.
        alert_ids: The alerts it opened with.
        rules: The names of their rules, in the same order.
        detected_us: When the first of them was decided.
    """

    TYPE: ClassVar[str] = "incident.opened"
    incident_id: str
    number: int
    title: str
    severity: str
    service: str
    workflow: str
    alert_ids: tuple[str, ...]
    rules: tuple[str, ...] = ()
    detected_us: int = 0


class IncidentAlertAttached(FactBody, frozen=True, kw_only=True):
    """Another alert belongs to the incident."""

    TYPE: ClassVar[str] = "incident.alert_attached"
    incident_id: str
    alert_id: str
    rule: str
    severity: str


class IncidentAlertResolved(FactBody, frozen=True, kw_only=True):
    """One of the incident's alerts resolved."""

    TYPE: ClassVar[str] = "incident.alert_resolved"
    incident_id: str
    alert_id: str
    rule: str


class IncidentSeverityChanged(FactBody, frozen=True, kw_only=True):
    """The severity was raised by an alert, or set by a person."""

    TYPE: ClassVar[str] = "incident.severity_changed"
    incident_id: str
    severity: str
    previous: str
    reason: str = ""


class IncidentAcknowledged(FactBody, frozen=True, kw_only=True):
    """Somebody is on it."""

    TYPE: ClassVar[str] = "incident.acknowledged"
    incident_id: str
    note: str = ""


class IncidentAssigned(FactBody, frozen=True, kw_only=True):
    """Somebody (``assignee``; empty for nobody) is responsible for it."""

    TYPE: ClassVar[str] = "incident.assigned"
    incident_id: str
    assignee: str


class IncidentCommented(FactBody, frozen=True, kw_only=True):
    """Somebody said something."""

    TYPE: ClassVar[str] = "incident.commented"
    incident_id: str
    text: str


class IncidentResolved(FactBody, frozen=True, kw_only=True):
    """It is over: ``automatic`` when all its alerts resolved, else by a person."""

    TYPE: ClassVar[str] = "incident.resolved"
    incident_id: str
    automatic: bool
    note: str = ""


class IncidentReopened(FactBody, frozen=True, kw_only=True):
    """It is not over: an alert fired again soon after, or a person said so."""

    TYPE: ClassVar[str] = "incident.reopened"
    incident_id: str
    reason: str
    alert_id: str = ""


# --- access: written by configuration, read by the API ------------------------------------------


class UserCreated(FactBody, frozen=True, kw_only=True):
    """A local user exists; ``password_hash`` is argon2id's encoded string."""

    TYPE: ClassVar[str] = "user.created"
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password_hash"})
    login: str
    roles: tuple[str, ...]
    password_hash: str
    must_change_password: bool = False


class UserRolesChanged(FactBody, frozen=True, kw_only=True):
    """A user has other roles from now on."""

    TYPE: ClassVar[str] = "user.roles_changed"
    login: str
    roles: tuple[str, ...]
    previous: tuple[str, ...]


class UserPasswordChanged(FactBody, frozen=True, kw_only=True):
    """A user has another password; an administrator's choice must be changed at the next login."""

    TYPE: ClassVar[str] = "user.password_changed"
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password_hash"})
    login: str
    password_hash: str
    must_change_password: bool = False


class UserDisabled(FactBody, frozen=True, kw_only=True):
    """A user may no longer log in; their tokens no longer work."""

    TYPE: ClassVar[str] = "user.disabled"
    login: str


class UserEnabled(FactBody, frozen=True, kw_only=True):
    """A disabled user may log in again."""

    TYPE: ClassVar[str] = "user.enabled"
    login: str


class LoginSucceeded(FactBody, frozen=True, kw_only=True):
    """A user proved who they are, from ``address``."""

    TYPE: ClassVar[str] = "login.succeeded"
    login: str
    address: str = ""


class LoginFailed(FactBody, frozen=True, kw_only=True):
    """Somebody did not prove to be ``login``.

    Attributes:
        login: The name that was tried, shortened.
        address: Where it was tried from.
        reason: ``wrong_password``, ``unknown_user`` or ``disabled``; never told to the caller.
        unrecorded: Failures since the last such fact that were only counted, in a flood.
    """

    TYPE: ClassVar[str] = "login.failed"
    login: str
    address: str
    reason: str
    unrecorded: int = 0


class SessionOpened(FactBody, frozen=True, kw_only=True):
    """A browser session began.

    Attributes:
        session_id: SHA-256 of the cookie's secret, in hexadecimal.
        login: Whose it is.
        address: Where it was opened from.
        idle_expires_us: When it ends unless it is used; ``expires_us``: when it ends in any case.
    """

    TYPE: ClassVar[str] = "session.opened"
    session_id: str
    login: str
    address: str
    idle_expires_us: int
    expires_us: int


class SessionRenewed(FactBody, frozen=True, kw_only=True):
    """A session is in use and ends later; recorded now and then, not at each request."""

    TYPE: ClassVar[str] = "session.renewed"
    session_id: str
    idle_expires_us: int


class SessionClosed(FactBody, frozen=True, kw_only=True):
    """A session ended: ``logout``, ``expired``, ``superseded``, or what changed about its user."""

    TYPE: ClassVar[str] = "session.closed"
    session_id: str
    login: str
    reason: str


class TokenCreated(FactBody, frozen=True, kw_only=True):
    """A program may act for ``login`` with ``roles``.

    Attributes:
        token_id: Public name of the token.
        login: Its owner; it never may more than they may at the time.
        name: What the owner calls it.
        roles: What it may do at most.
        digest: SHA-256 of the secret, in hexadecimal.
        expires_us: When it stops working.
    """

    TYPE: ClassVar[str] = "token.created"
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"digest"})
    token_id: str
    login: str
    name: str
    roles: tuple[str, ...]
    digest: str
    expires_us: int


class TokenRevoked(FactBody, frozen=True, kw_only=True):
    """A token no longer works."""

    TYPE: ClassVar[str] = "token.revoked"
    token_id: str
    login: str
    reason: str = ""


# --- telemetry: acts of administrators on what is stored, written by the API --------------------


class SeriesDeleted(FactBody, frozen=True, kw_only=True):
    """Somebody has samples deleted; written before it is done, so that no deletion goes unseen.

    Attributes:
        selectors: Whose samples, as they were asked for.
        start_ms: From when; ``end_ms``: until when, both inclusive.
    """

    TYPE: ClassVar[str] = "series.deleted"
    selectors: tuple[str, ...]
    start_ms: int
    end_ms: int


class TombstonesCleaned(FactBody, frozen=True, kw_only=True):
    """Somebody has deleted samples removed from disk."""

    TYPE: ClassVar[str] = "tombstones.cleaned"


class SnapshotTaken(FactBody, frozen=True, kw_only=True):
    """Somebody had the stored samples copied.

    Attributes:
        name: The directory under ``snapshots``.
        skip_head: Whether what was not in blocks yet was left out.
    """

    TYPE: ClassVar[str] = "snapshot.taken"
    name: str
    skip_head: bool = False


class QueryCanceled(FactBody, frozen=True, kw_only=True):
    """Somebody ended a query that others had asked.

    Attributes:
        query: PromQL. ``kind``: ``instant``, ``range``, ...
        asker: Who had asked it. ``number``: its number in the process.
    """

    TYPE: ClassVar[str] = "query.canceled"
    query: str
    kind: str
    asker: str
    number: int
