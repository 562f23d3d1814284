"""The facts that a delivery leaves behind: marker, failures, receipt, dead letter."""

from __future__ import annotations

from typing import Any

from qvmon.model.facts import (
    DeliveryDead,
    DeliveryFailed,
    DeliveryStarted,
    DeliverySucceeded,
    FactBody,
    FactDraft,
)
from qvmon.services.distribution.delivery import (
    Action,
    Attempt,
    Decision,
    Outcome,
    Progress,
    Reason,
)
from qvmon.services.distribution.job import Job
from qvmon.services.distribution.outlet import Outlet

ACTOR = "service:distribution"


def marker(job: Job, outlet: Outlet, now_us: int) -> FactDraft:
    """Return the fact that a first attempt is about to be made."""
    body = DeliveryStarted(
        delivery_id=job.delivery_id,
        sink=outlet.name,
        source_id=job.content.source_id,
        source_type=job.fact.type,
        source_subject=job.fact.subject,
        created_us=job.fact.recorded_at,
    )
    return _draft(job, body, now_us)


def receipt(job: Job, outlet: Outlet, decision: Decision, attempt: Attempt) -> FactDraft:
    """Return the fact of what became of an attempt."""
    progress, outcome = decision.progress, attempt.outcome
    fields: dict[str, Any] = {
        "delivery_id": job.delivery_id,
        "sink": outlet.name,
        "attempt": progress.attempts,
        "started_us": attempt.started_us,
        "finished_us": attempt.finished_us,
        "possibly_repeated": progress.maybe_arrived,
    }
    body: FactBody
    match decision.action:
        case Action.SUCCEED:
            body = DeliverySucceeded(**fields, detail=outcome.detail)
        case Action.RETRY:
            body = DeliveryFailed(**fields, detail=outcome.detail, retry_at_us=progress.due_us)
        case Action.DIE:
            body = DeliveryDead(**fields, detail=f"{decision.reason}: {outcome.detail}")
    return _draft(job, body, attempt.finished_us)


def expired(job: Job, outlet: Outlet, progress: Progress, now_us: int) -> FactDraft:
    """Return the dead letter of a message whose turn came too late for another attempt."""
    decision = Decision(Action.DIE, Reason.TOO_OLD, progress)
    outcome = Outcome(f"older than {outlet.policy.max_age_seconds:g} s when its turn came")
    return receipt(job, outlet, decision, Attempt(outcome, now_us, now_us))


def _draft(job: Job, body: FactBody, now_us: int) -> FactDraft:
    return FactDraft(
        body=body,
        subject=f"delivery/{job.delivery_id}",
        actor=ACTOR,
        occurred_at=now_us,
        causes=(job.fact.id,),
        traceparent=job.fact.traceparent,
    )
