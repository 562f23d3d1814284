"""Types: what may stand where, refused in Prometheus' words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from qvmon.model.labels import METRIC_NAME
from qvmon.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Matching,
    MatrixSelector,
    Node,
    Paren,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
)
from qvmon.promql.position import Span, parse_error
from qvmon.promql.quoting import quote
from qvmon.promql.signatures import SIGNATURES, Signature

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
SET_OPERATORS = frozenset({"and", "or", "unless"})
_OPERANDS = (ValueType.SCALAR, ValueType.VECTOR)
_SHORT_NAMES = {ValueType.VECTOR: "vector", ValueType.MATRIX: "matrix"}
Fail = Callable[[Span, str], NoReturn]


def check(text: str, tree: Node) -> Node:
    """Return ``tree`` with the matching of its operators settled.

    Raises:
        QvmonError: INVALID, at the first place where types do not fit.
    """

    def fail(span: Span, message: str) -> NoReturn:
        raise parse_error(text, span, message)

    return _checked(tree, fail, text)


def _checked(node: Node, fail: Fail, text: str) -> Node:
    match node:
        case Aggregate():
            node = _aggregate(node, fail, text)
        case Binary():
            node = _binary(node, fail, text)
        case Call():
            node = _call(node, fail, text)
        case Paren():
            node = replace(node, inner=_checked(node.inner, fail, text))
        case Unary():
            node = _unary(node, fail, text)
        case Subquery():
            node = _subquery(node, fail, text)
        case MatrixSelector():
            _selector(node.selector, fail)
        case VectorSelector():
            _selector(node, fail)
    return node


def _expect(node: Node, wanted: ValueType, context: str, fail: Fail) -> None:
    if node.type is not wanted:
        fail(node.span, f"expected type {wanted} in {context}, got {node.type}")


def _aggregate(node: Aggregate, fail: Fail, text: str) -> Node:
    operand = _checked(node.operand, fail, text)
    _expect(operand, ValueType.VECTOR, "aggregation expression", fail)
    parameter = node.parameter
    if parameter is not None:
        parameter = _checked(parameter, fail, text)
        wanted = ValueType.STRING if node.operator == "count_values" else ValueType.SCALAR
        _expect(parameter, wanted, "aggregation parameter", fail)
    return replace(node, operand=operand, parameter=parameter)


def _unary(node: Unary, fail: Fail, text: str) -> Node:
    operand = _checked(node.operand, fail, text)
    if operand.type not in _OPERANDS:
        fail(
            node.span,
            "unary expression only allowed on expressions of type scalar or instant vector, "
            f"got {quote(operand.type)}",
        )
    return replace(node, operand=operand)


def _subquery(node: Subquery, fail: Fail, text: str) -> Node:
    expression = _checked(node.expression, fail, text)
    if expression.type is not ValueType.VECTOR:
        got = _SHORT_NAMES.get(expression.type, expression.type)
        fail(node.span, f"subquery is only allowed on instant vector, got {got} instead")
    return replace(node, expression=expression)


def _selector(node: VectorSelector, fail: Fail) -> None:
    if node.name:
        for matcher in node.matchers[:-1]:
            if matcher.name == METRIC_NAME:
                names = f"{quote(node.name)} or {quote(matcher.value)}"
                fail(node.span, f"metric name must not be set twice: {names}")
    elif all(matcher.matches("") for matcher in node.matchers):
        fail(node.span, "vector selector must contain at least one non-empty matcher")


def _call(node: Call, fail: Fail, text: str) -> Node:
    signature = SIGNATURES[node.function]
    _count(node, signature, fail)
    if node.function == "info" and len(node.arguments) > 1:
        return _info(node, fail, text)
    context = f"call to function {quote(node.function)}"
    arguments = []
    for position, argument in enumerate(node.arguments):
        checked = _checked(argument, fail, text)
        wanted = signature.arguments[min(position, len(signature.arguments) - 1)]
        _expect(checked, wanted, context, fail)
        arguments.append(checked)
    return replace(node, arguments=tuple(arguments))


def _count(node: Call, signature: Signature, fail: Fail) -> None:
    given, listed = len(node.arguments), len(signature.arguments)
    where = f"in call to {quote(node.function)}, got {given}"
    if signature.extra == 0:
        if given != listed:
            fail(node.span, f"expected {listed} argument(s) {where}")
        return
    if given < listed - 1:
        fail(node.span, f"expected at least {listed - 1} argument(s) {where}")
    most = listed - 1 + signature.extra
    if signature.extra > 0 and given > most:
        fail(node.span, f"expected at most {most} argument(s) {where}")


def _info(node: Call, fail: Fail, text: str) -> Node:
    series, selector = node.arguments
    context = 'call to function "info"'
    if selector.type is not ValueType.VECTOR:
        fail(node.span, f"expected type {ValueType.VECTOR} in {context}, got {selector.type}")
    if not isinstance(selector, VectorSelector):
        fail(selector.span, "expected label selectors only")
    if selector.name:
        fail(selector.span, "expected label selectors only, got vector selector instead")
    checked = _checked(series, fail, text)
    _expect(checked, ValueType.VECTOR, context, fail)
    return replace(node, arguments=(checked, selector))


def _binary(node: Binary, fail: Fail, text: str) -> Node:
    left, right = _checked(node.left, fail, text), _checked(node.right, fail, text)
    node = replace(node, left=left, right=right)
    _modifiers(node, fail, _operator_span(node, text))
    for side in (left, right):
        if side.type not in _OPERANDS:
            message = "binary expression must contain only scalar and instant vector types"
            fail(side.span, message)
    matching = node.matching or Matching()
    if left.type is ValueType.VECTOR and right.type is ValueType.VECTOR:
        return replace(node, matching=_vector_matching(node, matching, fail))
    if matching.labels:
        fail(node.span, "vector matching only allowed between instant vectors")
    if matching.fill_left is not None or matching.fill_right is not None:
        fail(node.span, "filling in missing series only allowed between instant vectors")
    if node.operator in SET_OPERATORS:
        operator = quote(node.operator)
        fail(node.span, f"set operator {operator} not allowed in binary scalar expression")
    return replace(node, matching=None)


def _modifiers(node: Binary, fail: Fail, operator: Span) -> None:
    compares = node.operator in COMPARISONS
    if node.returns_bool and not compares:
        fail(operator, "bool modifier can only be used on comparison operators")
    if compares and not node.returns_bool and node.type is ValueType.SCALAR:
        fail(operator, "comparisons between scalars must use BOOL modifier")
    matching = node.matching
    if matching is not None and matching.on:
        for label in matching.labels:
            if label in matching.include:
                message = f"label {quote(label)} must not occur in ON and GROUP clause at once"
                fail(operator, message)


def _operator_span(node: Binary, text: str) -> Span:
    start = node.left.span.end
    while text[start : start + 1].isspace():
        start += 1
    return Span(start, node.right.span.start)


def _vector_matching(node: Binary, matching: Matching, fail: Fail) -> Matching:
    if node.operator not in SET_OPERATORS:
        return matching
    if matching.cardinality is not Cardinality.ONE_TO_ONE:
        fail(node.span, f"no grouping allowed for {quote(node.operator)} operation")
    if matching.fill_left is not None or matching.fill_right is not None:
        fail(node.span, "filling in missing series not allowed for set operators")
    return replace(matching, cardinality=Cardinality.MANY_TO_MANY)
