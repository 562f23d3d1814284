"""``rules``: groups with their rules, and what fires of each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import AlertReader
from qvmon.api.http.prometheus.alerts import Groups, shown_alert
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.prometheus.errors import bad_parameter
from qvmon.api.http.prometheus.targets import NEVER
from qvmon.api.http.times import rfc3339
from qvmon.model.errors import invalid
from qvmon.services.alerting import RuleGroupStatus, RuleStatus

_TYPES = {"": None, "alert": "alerting", "record": "recording"}


def rule_routes(groups: Groups) -> APIRouter:
    """Return the route that lists rules."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.get("/rules")
    async def rules(_: AlertReader, request: Request) -> Response:
        """List rule groups, their rules, and what fires of each."""
        wanted = _Wanted(request)
        shown = [wanted.group(each) for each in groups() if wanted.has(each)]
        return await success_of(request, {"groups": [each for each in shown if each["rules"]]})

    return router


class _Wanted:
    """Which rules a request asks for."""

    def __init__(self, request: Request) -> None:
        asked = request.query_params
        kind = asked.get("type", "").lower()
        if kind not in _TYPES:
            raise bad_parameter("type", invalid(f'not supported value "{kind}"'))
        self._type = _TYPES[kind]
        self._names = asked.getlist("rule_name[]")
        self._groups = asked.getlist("rule_group[]")
        self._files = asked.getlist("file[]")
        self._alerts = asked.get("exclude_alerts", "").lower() not in {"true", "1", "t"}

    def has(self, group: RuleGroupStatus) -> bool:
        return (not self._groups or group.name in self._groups) and (
            not self._files or group.file in self._files
        )

    def group(self, group: RuleGroupStatus) -> dict[str, Any]:
        return {
            "name": group.name,
            "file": group.file,
            "rules": [self._rule(each) for each in group.rules if self._has_rule(each)],
            "interval": group.interval_seconds,
            "limit": group.limit,
            "evaluationTime": group.evaluation_seconds,
            "lastEvaluation": _moment(group.last_evaluation_ms),
        }

    def _has_rule(self, rule: RuleStatus) -> bool:
        return (self._type in (None, rule.type)) and (not self._names or rule.name in self._names)

    def _rule(self, rule: RuleStatus) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": rule.name,
            "query": rule.query,
            "health": rule.health,
            "evaluationTime": rule.evaluation_seconds,
            "lastEvaluation": _moment(rule.last_evaluation_ms),
            "type": rule.type,
        }
        if rule.last_error:
            shown["lastError"] = rule.last_error
        if rule.type == "alerting":
            return shown | self._alerting(rule)
        return shown | ({"labels": dict(rule.labels)} if rule.labels else {})

    def _alerting(self, rule: RuleStatus) -> dict[str, Any]:
        return {
            "state": rule.state,
            "duration": rule.duration_seconds,
            "keepFiringFor": rule.keep_firing_for_seconds,
            "labels": dict(rule.labels),
            "annotations": dict(rule.annotations),
            "alerts": [shown_alert(each) for each in rule.alerts] if self._alerts else [],
        }


def _moment(milliseconds: int) -> str:
    return rfc3339(milliseconds * 1000) if milliseconds else NEVER
