"""Facts in words: one plain sentence each, for timelines, events and the overview."""

from __future__ import annotations

from functools import singledispatch

from qvmon.model import facts
from qvmon.model.facts import Fact, FactBody
from qvmon.model.floats import parse_float


def in_words(fact: Fact) -> str:
    """Return what happened as one sentence."""
    return _words(fact.body, _name(fact.actor))


def _name(actor: str) -> str:
    kind, _, name = actor.partition(":")
    return name if kind in {"person", "token"} else actor


def _with(sentence: str, detail: str) -> str:
    return f"{sentence}: {detail}" if detail else sentence


@singledispatch
def _words(body: FactBody, who: str) -> str:
    return f"{body.TYPE.replace('.', ' ').replace('_', ' ')} by {who}"


def _short(value: str) -> str:
    """Return a value as Prometheus prints it with no more digits than a sentence can bear."""
    return f"{parse_float(value):.6g}"


def _place(body: facts.AlertTransition) -> str:
    service = body.labels.get("service") or body.labels.get("job", "")
    instance = body.labels.get("instance", "")
    place = " on ".join(filter(None, (service, instance)))
    return f"{body.rule} ({place})" if place else body.rule


@_words.register
def _(body: facts.AlertPending, _who: str) -> str:
    return f"{_place(body)} is pending: the value is {_short(body.value)}"


@_words.register
def _(body: facts.AlertFiring, _who: str) -> str:
    summary = body.annotations.get("summary", f"the value is {_short(body.value)}")
    return f"{_place(body)} is firing: {summary}"


@_words.register
def _(body: facts.AlertResolved, _who: str) -> str:
    return f"{_place(body)} resolved"


@_words.register
def _(body: facts.AlertCleared, _who: str) -> str:
    return f"{_place(body)} cleared before it fired"


@_words.register
def _(body: facts.ObligationCreated, _who: str) -> str:
    receiver = body.receiver or "nobody"
    return _with(f"{receiver} is to be told", body.reason)


@_words.register
def _(body: facts.NotificationQueued, _who: str) -> str:
    count = len(body.alerts)
    alerts = "1 alert" if count == 1 else f"{count} alerts"
    return f"a notification for {body.receiver} about {alerts} is ready ({body.reason})"


@_words.register
def _(body: facts.DeliverySucceeded, _who: str) -> str:
    return f"{body.sink} took delivery at attempt {body.attempt}"


@_words.register
def _(body: facts.DeliveryFailed, _who: str) -> str:
    return _with(f"{body.sink} refused delivery at attempt {body.attempt}", body.detail)


@_words.register
def _(body: facts.DeliveryDead, _who: str) -> str:
    return _with(f"delivery to {body.sink} was given up at attempt {body.attempt}", body.detail)


@_words.register
def _(body: facts.IncidentOpened, _who: str) -> str:
    return f"incident {body.number} opened ({body.severity}): {body.title}"


@_words.register
def _(body: facts.IncidentAlertAttached, _who: str) -> str:
    return f"alert {body.rule} ({body.severity}) belongs to the incident"


@_words.register
def _(body: facts.IncidentAlertResolved, _who: str) -> str:
    return f"alert {body.rule} of the incident resolved"


@_words.register
def _(body: facts.IncidentSeverityChanged, who: str) -> str:
    return _with(f"{who} changed severity {body.previous} to {body.severity}", body.reason)


@_words.register
def _(body: facts.IncidentAcknowledged, who: str) -> str:
    return _with(f"{who} acknowledged", body.note)


@_words.register
def _(body: facts.IncidentAssigned, who: str) -> str:
    return f"{who} assigned it to {body.assignee or 'nobody'}"


@_words.register
def _(body: facts.IncidentCommented, who: str) -> str:
    return f"{who}: {body.text}"


@_words.register
def _(body: facts.IncidentResolved, who: str) -> str:
    if body.automatic:
        return _with("resolved by itself", body.note or "all its alerts resolved")
    return _with(f"{who} resolved it", body.note)


@_words.register
def _(body: facts.IncidentReopened, who: str) -> str:
    return _with(f"re-opened by {who}", body.reason)


@_words.register
def _(body: facts.UserCreated, who: str) -> str:
    return f"{who} created user {body.login} ({', '.join(body.roles)})"


@_words.register
def _(body: facts.UserRolesChanged, who: str) -> str:
    return f"{who} changed roles of {body.login} to {', '.join(body.roles)}"


@_words.register
def _(body: facts.UserPasswordChanged, who: str) -> str:
    return f"{who} changed the password of {body.login}"


@_words.register
def _(body: facts.LoginFailed, _who: str) -> str:
    return f"somebody at {body.address} failed to log in as {body.login} ({body.reason})"


@_words.register
def _(body: facts.LoginSucceeded, _who: str) -> str:
    return f"{body.login} logged in from {body.address}"


@_words.register
def _(body: facts.UserDisabled, who: str) -> str:
    return f"{who} disabled {body.login}"


@_words.register
def _(body: facts.UserEnabled, who: str) -> str:
    return f"{who} enabled {body.login}"


@_words.register
def _(body: facts.SessionOpened, _who: str) -> str:
    return f"{body.login} opened a session from {body.address}"


@_words.register
def _(_body: facts.SessionRenewed, who: str) -> str:
    return f"{who} goes on using a session"


@_words.register
def _(body: facts.SessionClosed, _who: str) -> str:
    return f"a session of {body.login} ended ({body.reason.replace('_', ' ')})"


@_words.register
def _(body: facts.TokenCreated, who: str) -> str:
    return f"{who} created token {body.name!r} ({', '.join(body.roles)})"


@_words.register
def _(body: facts.TokenRevoked, who: str) -> str:
    return f"{who} revoked a token of {body.login}"


@_words.register
def _(body: facts.ObligationSettled, _who: str) -> str:
    return f"the notification to its receiver is {body.state.replace('_', ' ')}"


@_words.register
def _(body: facts.DeliveryStarted, _who: str) -> str:
    return f"a delivery to {body.sink} began"


@_words.register
def _(body: facts.DeliveryRedriven, who: str) -> str:
    return f"{who} had the delivery to {body.sink} tried again"


@_words.register
def _(body: facts.SeriesDeleted, who: str) -> str:
    return f"{who} deleted stored samples of {', '.join(body.selectors)}"


@_words.register
def _(_body: facts.TombstonesCleaned, who: str) -> str:
    return f"{who} removed deleted samples from disk"


@_words.register
def _(body: facts.SnapshotTaken, who: str) -> str:
    return f"{who} took the snapshot {body.name} of the stored samples"


@_words.register
def _(body: facts.QueryCanceled, who: str) -> str:
    return f"{who} ended a query of {_name(body.asker)}: {body.query}"
