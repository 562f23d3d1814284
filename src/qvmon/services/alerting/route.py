"""Who has to be told of a change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qvmon.model.facts import AlertTransition, Fact, FactDraft, ObligationCreated
from qvmon.model.labels import Labels
from qvmon.services.alerting.config import RouteConfig
from qvmon.services.alerting.identity import obligation_id

ACTOR = "service:alerting"
ONLY_ROUTE = "the only route"
NO_RECEIVER = "the route names no receiver"


def obligations(facts: Iterable[Fact], route: RouteConfig, now_us: int) -> list[FactDraft]:
    """Return the obligations that transitions create: one for each receiver of the route.

    A transition that nobody is to be told of creates one without a receiver, so that every
    transition is accounted for.
    """
    return [
        _obligation(fact, fact.body, receiver, route, now_us)
        for fact in facts
        if isinstance(fact.body, AlertTransition)
        for receiver in route.receivers or ("",)
    ]


def _obligation(
    fact: Fact, body: AlertTransition, receiver: str, route: RouteConfig, now_us: int
) -> FactDraft:
    labels = group_labels(body.labels, route)
    created = ObligationCreated(
        obligation_id=obligation_id(fact.id, receiver),
        transition=fact.id,
        alert_id=body.alert_id,
        receiver=receiver,
        group_key=group_key(labels),
        reason=ONLY_ROUTE if receiver else NO_RECEIVER,
        group_labels=dict(labels),
    )
    subject = f"obligation/{created.obligation_id}"
    return FactDraft(created, subject, ACTOR, now_us, (fact.id,), fact.traceparent)


def group_labels(labels: Mapping[str, str], route: RouteConfig) -> Labels:
    """Return the labels by which an alert is grouped; one it lacks counts as empty."""
    return Labels(labels).keep(*route.group_by)


def group_key(labels: Labels) -> str:
    """Return a group's name as Alertmanager writes it: the route's matchers and the labels."""
    quoted = (value.replace("\\", r"\\").replace('"', r"\"") for value in labels.values())
    pairs = ", ".join(f'{n}="{v}"' for n, v in zip(labels, quoted, strict=True))
    return f"{{}}:{{{pairs}}}"
