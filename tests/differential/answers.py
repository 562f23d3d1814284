"""Whether two answers to one query say the same.

Values are equal when they are the same float64, both NaN, or differ by at most a part in 10^12
(``RELATIVE``): the order in which floats are added is nobody's promise. Order of series counts
only where the query sorts. Annotations are compared as sets, texts and positions included; of more
than ten, of which Prometheus tells ten, only that there are some.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

RELATIVE = 1e-12
_TOLD = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """What two answers do not share.

    Attributes:
        sort: The kind: ``status``, ``error type``, ``message``, ``type``, ``series``, ``times``,
            ``value``, ``order``, ``warnings`` or ``infos``.
        peer: What Prometheus says of it. ``ours``: what qvmon says.
        values: The two values, where values differ.
    """

    sort: str
    peer: str
    ours: str
    values: tuple[str, str] = ("", "")


class Order(Enum):
    """What the order of an answer's series means."""

    NOTHING = "nothing"
    LABELS = "labels"
    VALUES = "values"


def compare(
    peer: Mapping[str, Any], ours: Mapping[str, Any], order: Order = Order.NOTHING
) -> Difference | None:
    """Return the first difference of two answers, or None."""
    for name, sort in (("http", "status"), ("status", "status"), ("errorType", "error type")):
        if peer.get(name) != ours.get(name):
            return Difference(sort, _short(peer), _short(ours))
    if peer.get("error") != ours.get("error"):
        return Difference("message", str(peer.get("error")), str(ours.get("error")))
    if peer["status"] == "success" and (found := _data(peer["data"], ours["data"], order)):
        return found
    return _annotations(peer, ours)


def _short(answer: Mapping[str, Any]) -> str:
    return str({k: v for k, v in answer.items() if k != "data"})


def _data(peer: Mapping[str, Any], ours: Mapping[str, Any], order: Order) -> Difference | None:
    kind = peer["resultType"]
    if kind != ours["resultType"]:
        return Difference("type", kind, ours["resultType"])
    if kind in {"scalar", "string"}:
        return _points([peer["result"]], [ours["result"]], "")
    left, right = _by_labels(peer["result"]), _by_labels(ours["result"])
    if left.keys() != right.keys() or len(peer["result"]) != len(ours["result"]):
        return Difference("series", _names(left, right), _names(right, left))
    for key, points in left.items():
        if found := _points(points, right[key], str(dict(key))):
            return found
    if kind == "vector" and order is Order.VALUES:
        return _sequence(peer["result"], ours["result"])
    if (order is Order.LABELS or kind == "matrix") and list(left) != list(right):
        return Difference("order", str([dict(k) for k in left]), str([dict(k) for k in right]))
    return None


def _sequence(peer: list[dict[str, Any]], ours: list[dict[str, Any]]) -> Difference | None:
    """Compare sorted values; equal ones may come in any order, as they do from an unstable sort."""
    values = [[each["value"][1] for each in result] for result in (peer, ours)]
    if all(map(same, *values)):
        return None
    return Difference("order", str(values[0]), str(values[1]))


def tied(operator: str, peer: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Return whether two answers of ``topk``, ``bottomk`` or ``limitk`` only chose among equals."""
    chosen = [_chosen(answer, operator) for answer in (peer, ours)]
    if chosen[0].keys() != chosen[1].keys():
        return False
    return all(
        len(values) == len(chosen[1][t]) and all(map(same, values, chosen[1][t]))
        for t, values in chosen[0].items()
    )


def _chosen(answer: Mapping[str, Any], operator: str) -> dict[float, list[str]]:
    """Return what was chosen at each time, sorted; of ``limitk``, which takes any, how many."""
    out: dict[float, list[str]] = {}
    for points in _by_labels(answer["data"]["result"]).values():
        for t, value in points:
            out.setdefault(t, []).append("any" if operator == "limitk" else value)
    return {t: sorted(values, key=_float_order) for t, values in out.items()}


def identical(peer: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Return whether answers that are equal are so to the last digit."""
    if peer["status"] != "success":
        return True
    left, right = (each["data"] for each in (peer, ours))
    if left["resultType"] in {"scalar", "string"}:
        return bool(left["result"] == right["result"])
    return _by_labels(left["result"]) == _by_labels(right["result"])


def largest(answer: Mapping[str, Any]) -> float:
    """Return the largest finite magnitude among the values of an answer, 0 where there is none."""
    if answer["status"] != "success" or answer["data"]["resultType"] not in {"vector", "matrix"}:
        return 0.0
    values = [
        abs(float(value))
        for points in _by_labels(answer["data"]["result"]).values()
        for _, value in points
    ]
    return max((each for each in values if math.isfinite(each)), default=0.0)


def _float_order(text: str) -> tuple[bool, float]:
    value = 0.0 if text == "any" else float(text)
    return (math.isnan(value), 0.0 if math.isnan(value) else value)


_Key = tuple[tuple[str, str], ...]


def _by_labels(result: list[dict[str, Any]]) -> dict[_Key, list[Any]]:
    return {
        tuple(sorted(each["metric"].items())): each.get("values") or [each["value"]]
        for each in result
        if "values" in each or "value" in each
    }


def _names(these: Mapping[_Key, Any], those: Mapping[_Key, Any]) -> str:
    only = [str(dict(key)) for key in these if key not in those]
    return f"{len(these)} series, {len(only)} only here: {'; '.join(only[:4])}"


def _points(peer: list[Any], ours: list[Any], whose: str) -> Difference | None:
    if [t for t, _ in peer] != [t for t, _ in ours]:
        lacking = sorted({t for t, _ in peer} - {t for t, _ in ours})
        beyond = sorted({t for t, _ in ours} - {t for t, _ in peer})
        said = f"{whose} {len(peer)} points", f"{whose} {len(ours)} points"
        return Difference("times", f"{said[0]} only {lacking[:4]}", f"{said[1]} only {beyond[:4]}")
    for (t, left), (_, right) in zip(peer, ours, strict=True):
        if not same(left, right):
            told = f"{whose} {left} @[{t}]", f"{whose} {right} @[{t}]"
            return Difference("value", *told, (left, right))
    return None


def same(left: str, right: str) -> bool:
    """Return whether two values, as JSON has them, are the same number or text."""
    if left == right:
        return True
    try:
        a, b = float(left), float(right)
    except ValueError:
        return False
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=0)


def _annotations(peer: Mapping[str, Any], ours: Mapping[str, Any]) -> Difference | None:
    for sort in ("warnings", "infos"):
        left, right = set(peer.get(sort) or ()), set(ours.get(sort) or ())
        if len(left) >= _TOLD and len(right) >= _TOLD:
            continue
        if left != right:
            return Difference(sort, str(sorted(left - right)), str(sorted(right - left)))
    return None
