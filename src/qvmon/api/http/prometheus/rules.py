"""``rules``: groups with their rules, and what fires of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import AlertReader
from qvmon.api.http.prometheus.alerts import Groups, shown_alert
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.prometheus.errors import bad_parameter
from qvmon.api.http.prometheus.labels import matcher_sets
from qvmon.api.http.prometheus.parameters import Parameters, go_integer
from qvmon.api.http.prometheus.targets import NEVER
from qvmon.api.http.times import rfc3339
from qvmon.model.errors import QvmonError, invalid
from qvmon.services.alerting import RuleGroupStatus, RuleStatus

_TYPES = {"": None, "alert": "alerting", "record": "recording"}


def rule_routes(groups: Groups) -> APIRouter:
    """Return the route that lists rules."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.get("/rules")
    async def rules(_: AlertReader, request: Request) -> Response:
        """List rule groups, their rules, and what fires of each."""
        asked = await Parameters.of(request)
        wanted, page = _Wanted(asked), _Page.of(asked)
        found = groups() if page is None else page.beginning(groups())
        shown = (wanted.group(each) for each in found if wanted.has(each))
        filled = (each for each in shown if each["rules"])
        if page is None:
            return await success_of(request, {"groups": list(filled)})
        return await success_of(request, page.filled(filled))

    return router


@dataclass(frozen=True, slots=True)
class _Page:
    """Some groups at a time; a token names the group that the next page begins with."""

    size: int
    token: str

    @classmethod
    def of(cls, asked: Parameters) -> _Page | None:
        text, token = asked.text("group_limit"), asked.text("group_next_token")
        if token and not text:
            missing = "group_limit needs to be present in order to paginate over the groups"
            raise bad_parameter("group_next_token", invalid(missing))
        if not text:
            return None
        return cls(_page_size(text), token)

    def beginning(self, groups: Sequence[RuleGroupStatus]) -> Sequence[RuleGroupStatus]:
        """Return the groups from the page's first on."""
        if not self.token:
            return groups
        for at, group in enumerate(groups):
            if _token(group.file, group.name) == self.token:
                return groups[at:]
        complaint = f"invalid group_next_token '{self.token}'. were rule groups changed?"
        raise bad_parameter("group_next_token", invalid(complaint))

    def filled(self, groups: Iterator[dict[str, Any]]) -> dict[str, Any]:
        """Return the page, with the token of the next one when there is one."""
        shown = {"groups": list(islice(groups, self.size))}
        beyond = next(groups, None)
        after = {} if beyond is None else {"groupNextToken": _token(beyond["file"], beyond["name"])}
        return shown | after


def _page_size(text: str) -> int:
    try:
        size = go_integer(text, "ParseInt", 32)
    except QvmonError as error:
        wrong = invalid(f"group_limit needs to be a valid number: {error.message}")
        raise bad_parameter("group_limit", wrong) from None
    if size <= 0:
        raise bad_parameter("group_limit", invalid("group_limit needs to be greater than 0"))
    return size


def _token(file: str, group: str) -> str:
    return sha256(f"{file};{group}".encode()).hexdigest()


class _Wanted:
    """Which rules a request asks for."""

    def __init__(self, asked: Parameters) -> None:
        self._matchers = matcher_sets(asked)
        kind = asked.text("type").lower()
        if kind not in _TYPES:
            raise bad_parameter("type", invalid(f'not supported value "{kind}"'))
        self._type = _TYPES[kind]
        self._names = asked.all("rule_name[]")
        self._groups = asked.all("rule_group[]")
        self._files = asked.all("file[]")
        self._alerts = not _excluded(asked)

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
        named = not self._names or rule.name in self._names
        return named and self._type in (None, rule.type) and self._matches(rule)

    def _matches(self, rule: RuleStatus) -> bool:
        """Return whether the labels written in the rule, templates as they are, match a set."""
        return not self._matchers or any(
            all(matcher.matches(rule.labels.get(matcher.name, "")) for matcher in matchers)
            for matchers in self._matchers
        )

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
            "alerts": [shown_alert(each) for each in rule.alerts] if self._alerts else None,
        }


def _excluded(asked: Parameters) -> bool:
    try:
        return asked.truth("exclude_alerts")
    except QvmonError as error:
        complaint = invalid(f"error converting exclude_alerts: {error.message}")
        raise bad_parameter("exclude_alerts", complaint) from None


def _moment(milliseconds: int) -> str:
    return rfc3339(milliseconds * 1000) if milliseconds else NEVER
