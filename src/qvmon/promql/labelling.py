"""Functions that change or read labels."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import replace
from functools import cmp_to_key
from typing import Any

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.labels import METRIC_NAME, Labels, MatchOp, compile_pattern
from qvmon.model.series import Bools, Int64s
from qvmon.promql.nodes import MatrixSelector, Node, StringLiteral, VectorSelector
from qvmon.promql.plan import unwrapped
from qvmon.promql.sheet import METADATA_LABELS, Sheet, merged, strings, with_column

_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")


def label_replace(of: Sheet, target: str, replacement: str, source: str, expression: str) -> Sheet:
    """Return the series with ``target`` set where the whole of ``source`` matches.

    Raises:
        QvmonError: INVALID, for a bad expression, or when series become equal.
    """
    try:
        pattern = compile_pattern(f"(?:{expression})")
    except QvmonError as error:
        raise invalid(f"invalid regular expression in label_replace(): {expression}") from error
    before = strings(of.labels, target)
    found = strings(of.labels, source)
    known = {value: _expanded(pattern.fullmatch(value), replacement) for value in set(found)}
    new = [known[value] for value in found]
    after = [old if value is None else value for old, value in zip(before, new, strict=True)]
    return _relabelled(of, target, after, np.array([value is not None for value in new], np.bool_))


def _expanded(match: Any, template: str) -> str | None:
    """Return Go's ``Expand`` of a match, none when there is no match."""
    if match is None:
        return None
    groups: tuple[str | None, ...] = match.groups()
    named: dict[str, str | None] = match.groupdict()

    def group(reference: re.Match[str]) -> str:
        name = reference.group(1) or reference.group(2)
        if name is None:
            return "$"
        if name == "0":
            return str(match.group(0))
        if name.isdigit():
            return (groups[int(name) - 1] or "") if int(name) <= len(groups) else ""
        return named.get(name) or ""

    return _REFERENCE.sub(group, template)


def label_join(of: Sheet, target: str, separator: str, sources: Sequence[str]) -> Sheet:
    """Return the series with ``target`` set to the values of ``sources``, joined."""
    columns = [strings(of.labels, source) for source in sources]
    values = [separator.join(row) for row in zip(*columns, strict=True)] or [""] * len(of)
    return _relabelled(of, target, values, np.ones(len(of), np.bool_))


def _relabelled(of: Sheet, name: str, values: Sequence[str], given: Bools) -> Sheet:
    """Return the series with other values of one label; a name that was ``given`` stays."""
    out = replace(of, labels=with_column(of.labels, name, values))
    if name == METRIC_NAME:
        out = replace(out, unnamed=of.unnamed & ~given)
    return merged(out)


def label_order(of: Sheet, names: Sequence[str], *, descending: bool) -> Int64s:
    """Return int64[n]: the rows in natural order of some labels, then of all."""
    key = cmp_to_key(natural_order)
    keys = [
        ([key(labels.get(name, "")) for name in names], labels.pairs())
        for labels in of.labels.all_labels()
    ]
    rows = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
    return np.array(rows, np.int64)


_CHUNK = re.compile(r"[0-9]+|[^0-9]+")
_INT64_MAX = (1 << 63) - 1


def natural_order(left: str, right: str) -> int:
    """Return -1, 0 or 1 by which ``a2`` stands before ``a10``, and ``+Inf`` before numbers.

    Source: natsort of Facette, which Prometheus uses.
    """
    for ours, theirs in zip(_CHUNK.findall(left), _CHUNK.findall(right), strict=False):
        if ours == theirs:
            continue
        numbers = [int(chunk) for chunk in (ours, theirs) if chunk[0] in string.digits]
        if len(numbers) < 2 or max(numbers) > _INT64_MAX:
            return -1 if ours < theirs else 1
        if numbers[0] != numbers[1]:
            return -1 if numbers[0] < numbers[1] else 1
    return (len(left) > len(right)) - (len(left) < len(right))


def labels_when_absent(argument: Node) -> Labels:
    """Return the labels of the series that stands for a selector's absence.

    They are those that its matchers fix to one value. What a label's first ``=`` says holds unless
    another matcher of the label follows.
    """
    node = unwrapped(argument)
    if isinstance(node, MatrixSelector):
        node = node.selector
    if not isinstance(node, VectorSelector):
        return Labels()
    fixed: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in node.matchers:
        first = matcher.op is MatchOp.EQUAL and matcher.name not in seen
        fixed[matcher.name] = matcher.value if first else ""
        if first:
            seen.add(matcher.name)
    return Labels(fixed).without(*METADATA_LABELS)


def literal(node: Node) -> str:
    """Return the string an argument is.

    Raises:
        QvmonError: INTERNAL, when it is anything else; type checking has refused that.
    """
    inner = unwrapped(node)
    if not isinstance(inner, StringLiteral):
        raise QvmonError(ErrorKind.INTERNAL, f"{node} is no string")
    return inner.value


def label_name(node: Node, complaint: str, *, quoted: bool = False) -> str:
    """Return the label name an argument is.

    Raises:
        QvmonError: INVALID, when it is empty or no UTF-8; ``complaint`` says in what.
    """
    inner = unwrapped(node)
    name = literal(inner)
    if not name or (isinstance(inner, StringLiteral) and not inner.is_utf8):
        raise invalid(f"{complaint} {inner if quoted else name}")
    return name
