"""Syntax trees as ``parse_query`` tells them.

Source: Prometheus web/api/v1/translate_ast.go.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from qvmon.model.floats import format_decimal
from qvmon.model.labels import Matcher
from qvmon.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    Duration,
    Matching,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    Shift,
    StringLiteral,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
)
from qvmon.promql.signatures import SIGNATURES

_TYPES = {ValueType.VECTOR: "vector", ValueType.MATRIX: "matrix"}


@singledispatch
def shown_tree(node: Node) -> dict[str, Any]:
    """Return ``node`` and everything inside it as plain values."""
    raise TypeError(f"no query has a {type(node).__name__}")


@shown_tree.register
def _number(node: NumberLiteral) -> dict[str, Any]:
    return {"type": "numberLiteral", "val": format_decimal(node.value)}


@shown_tree.register
def _string(node: StringLiteral) -> dict[str, Any]:
    return {"type": "stringLiteral", "val": node.value}


@shown_tree.register
def _paren(node: Paren) -> dict[str, Any]:
    return {"type": "parenExpr", "expr": shown_tree(node.inner)}


@shown_tree.register
def _unary(node: Unary) -> dict[str, Any]:
    return {"type": "unaryExpr", "op": node.operator, "expr": shown_tree(node.operand)}


@shown_tree.register
def _vector(node: VectorSelector) -> dict[str, Any]:
    return {"type": "vectorSelector", **_selector(node)}


@shown_tree.register
def _matrix(node: MatrixSelector) -> dict[str, Any]:
    ranged = _duration_pair("range", node.range)
    return {"type": "matrixSelector", **_selector(node.selector), **ranged}


@shown_tree.register
def _aggregate(node: Aggregate) -> dict[str, Any]:
    return {
        "type": "aggregation",
        "op": node.operator,
        "expr": shown_tree(node.operand),
        "param": None if node.parameter is None else shown_tree(node.parameter),
        "grouping": list(node.grouping),
        "without": node.without,
    }


@shown_tree.register
def _binary(node: Binary) -> dict[str, Any]:
    return {
        "type": "binaryExpr",
        "op": node.operator,
        "lhs": shown_tree(node.left),
        "rhs": shown_tree(node.right),
        "matching": None if node.matching is None else _matching(node.matching),
        "bool": node.returns_bool,
    }


def _matching(matching: Matching) -> dict[str, Any]:
    return {
        "card": matching.cardinality.value,
        "labels": list(matching.labels),
        "on": matching.on,
        "include": list(matching.include),
        "fillValues": {"lhs": matching.fill_left, "rhs": matching.fill_right},
    }


@shown_tree.register
def _call(node: Call) -> dict[str, Any]:
    signature = SIGNATURES[node.function]
    function = {
        "name": node.function,
        "argTypes": [_type(each) for each in signature.arguments],
        "variadic": signature.extra,
        "returnType": _type(signature.returns),
    }
    return {"type": "call", "func": function, "args": [shown_tree(each) for each in node.arguments]}


def _type(kind: ValueType) -> str:
    return _TYPES.get(kind, kind.value)


@shown_tree.register
def _subquery(node: Subquery) -> dict[str, Any]:
    return {
        "type": "subquery",
        "expr": shown_tree(node.expression),
        **_duration_pair("range", node.range),
        **_duration_pair("step", node.step),
        **_time_shift(node.shift),
    }


def _selector(node: VectorSelector) -> dict[str, Any]:
    return {
        "name": node.name,
        "matchers": [_matcher(each) for each in node.matchers],
        "anchored": node.shift.mode == "anchored",
        "smoothed": node.shift.mode == "smoothed",
        **_time_shift(node.shift),
    }


def _matcher(matcher: Matcher) -> dict[str, str]:
    return {"name": matcher.name, "value": matcher.value, "type": matcher.op.value}


def _time_shift(shift: Shift) -> dict[str, Any]:
    return {
        "timestamp": shift.at if isinstance(shift.at, int) else None,
        "startOrEnd": shift.at if isinstance(shift.at, str) else None,
        **_duration_pair("offset", shift.offset),
    }


def _duration_pair(name: str, duration: Duration | None) -> dict[str, Any]:
    """Return the milliseconds of a duration, and its arithmetic where it is not yet known."""
    if isinstance(duration, NumberLiteral):
        return {name: round(duration.value * 1000), f"{name}Expr": None}
    return {name: 0, f"{name}Expr": None if duration is None else _arithmetic(duration)}


def _arithmetic(duration: Duration) -> dict[str, Any]:
    if isinstance(duration, NumberLiteral):
        return {**shown_tree(duration), "duration": duration.is_duration}
    left, right = _operand(duration.left), _operand(duration.right)
    operator, wrapped = duration.operator, duration.wrapped
    return {"type": "durationExpr", "op": operator, "lhs": left, "rhs": right, "wrapped": wrapped}


def _operand(duration: Duration | None) -> dict[str, Any] | None:
    return None if duration is None else _arithmetic(duration)
