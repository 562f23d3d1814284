"""``targets/relabel_steps``: what each rule of a job makes of a target's discovered labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.model.errors import invalid
from qvmon.model.labels import Labels
from qvmon.relabel import RelabelRule, relabel
from qvmon.services.collection import TargetsView


def relabelling_routes(targets: Callable[[], TargetsView]) -> APIRouter:
    """Return the route that explains relabelling."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.get("/targets/relabel_steps")
    async def relabel_steps(_: TelemetryReader, request: Request) -> Response:
        """Show the labels after each rule, until one drops the target."""
        asked = await Parameters.of(request)
        pool, labels = _given(asked, "scrapePool"), _labels(_given(asked, "labels"))
        rules = targets().relabelling.get(pool)
        if rules is None:
            raise invalid(f'error retrieving scrape config: scrape pool "{pool}" not found')
        return await success_of(request, {"steps": steps(labels, rules)})

    return router


def steps(labels: Labels, rules: Sequence[RelabelRule]) -> list[dict[str, Any]]:
    """Return what is left after each rule; a rule after the one that drops is not applied."""
    left: Labels | None = labels
    shown = []
    for rule in rules:
        left = None if left is None else relabel(left, [rule])
        shown.append({"rule": _rule(rule), "output": dict(left or {}), "keep": left is not None})
    return shown


def _rule(rule: RelabelRule) -> dict[str, Any]:
    fields = {
        "source_labels": list(rule.source_labels),
        "separator": rule.separator,
        "regex": rule.regex,
        "modulus": rule.modulus,
        "target_label": rule.target_label,
        "replacement": rule.replacement,
        "action": rule.action.value,
    }
    always = ("separator", "regex", "replacement")
    return {name: value for name, value in fields.items() if value or name in always}


def _given(asked: Parameters, name: str) -> str:
    text = asked.text(name)
    if not text:
        raise invalid(f"no {name} parameter provided", parameter=name)
    return text


def _labels(text: str) -> Labels:
    try:
        return Labels(msgspec.json.decode(text, type=dict[str, str]))
    except msgspec.DecodeError as error:
        raise invalid(f"error parsing labels: {error}", parameter="labels") from None
