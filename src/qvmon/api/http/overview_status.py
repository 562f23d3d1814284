"""How workflows and services stand, in one word and a reason, worst first; a pure fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from qvmon.model.incident import Severity


class Standing(StrEnum):
    """How something stands, worst first."""

    CRITICAL = "critical"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A service of a workflow; either name may be empty."""

    workflow: str
    service: str


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fires; ``since_us`` in microseconds."""

    alert_id: str
    rule: str
    severity: str
    since_us: int


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is not over."""

    incident_id: str
    number: int
    title: str
    severity: str


@dataclass(slots=True)
class ServiceView:
    """What is known of one service."""

    place: Place
    up: int = 0
    total: int = 0
    firing: list[Firing] = field(default_factory=list)
    incidents: list[OpenIncident] = field(default_factory=list)

    def standing(self) -> tuple[Standing, str]:
        """Return how the service stands and why, the worst reasons first."""
        found = sorted(self._findings(), key=lambda each: _RANK[each[0]])
        if not found:
            found = [self._quiet()]
        worst = found[0][0]
        reasons = [reason for standing, reason in found if standing is worst]
        return worst, "; ".join(reasons)

    def _findings(self) -> Iterable[tuple[Standing, str]]:
        if self.total and not self.up:
            all_down = (
                "the only instance is" if self.total == 1 else f"all {self.total} instances are"
            )
            yield Standing.CRITICAL, f"{all_down} down"
        elif self.up < self.total:
            down = self.total - self.up
            yield Standing.DEGRADED, f"{down} of {self.total} instances {_are(down)} down"
        for severity, count, rules in _grouped(self.firing):
            if severity is not Severity.INFO:
                standing = _STANDING[severity]
                yield standing, f"{count} {severity} {_alerts(count)} firing: {rules}"
        if not self.firing:
            for each in self.incidents:
                yield Standing.DEGRADED, f"incident {each.number} is open: {each.title}"

    def _quiet(self) -> tuple[Standing, str]:
        if not self.total:
            return Standing.UNKNOWN, "no instance of it is watched"
        instances = "instance is" if self.total == 1 else "instances are"
        rules = ", ".join(sorted({each.rule for each in self.firing}))
        firing = f"nothing but information is firing: {rules}" if rules else "nothing is firing"
        return Standing.HEALTHY, f"{self.total} {instances} up and {firing}"


_RANK = {standing: rank for rank, standing in enumerate(Standing)}
_STANDING = {Severity.CRITICAL: Standing.CRITICAL, Severity.WARNING: Standing.DEGRADED}


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """A workflow with its services, worst first."""

    name: str
    standing: Standing
    reason: str
    services: Sequence[ServiceView]


def worst_first(services: Iterable[ServiceView]) -> list[WorkflowView]:
    """Return the services by workflow, workflows and services worst first, then by name."""
    by_workflow: dict[str, list[ServiceView]] = {}
    for service in services:
        by_workflow.setdefault(service.place.workflow, []).append(service)
    views = [_workflow(name, members) for name, members in by_workflow.items()]
    return sorted(views, key=lambda view: (_RANK[view.standing], view.name == "", view.name))


def overall(workflows: Sequence[WorkflowView]) -> Standing:
    """Return how all of it stands; unknown when there is nothing."""
    standings = [workflow.standing for workflow in workflows]
    return min(standings, key=_RANK.__getitem__, default=Standing.UNKNOWN)


def _workflow(name: str, services: list[ServiceView]) -> WorkflowView:
    ordered = sorted(services, key=lambda each: (_RANK[each.standing()[0]], each.place))
    standing, reason = ordered[0].standing()
    troubled = [each for each in ordered if each.standing()[0] is not Standing.HEALTHY]
    if not troubled:
        count = len(ordered)
        reason = f"{count} {'service is' if count == 1 else 'services are'} healthy"
    elif ordered[0].place.service:
        reason = f"{ordered[0].place.service}: {reason}"
    return WorkflowView(name, standing, reason, ordered)


def _grouped(firing: Sequence[Firing]) -> Iterable[tuple[Severity, int, str]]:
    for severity in Severity:
        rules = [each.rule for each in firing if Severity.of_label(each.severity) is severity]
        if rules:
            yield severity, len(rules), ", ".join(sorted(set(rules)))


def _alerts(count: int) -> str:
    return "alert is" if count == 1 else "alerts are"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
