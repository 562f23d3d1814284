"""Results of range queries that are asked again and again, such as those of dashboards.

A step is reused only when nothing that it reads can have changed since it was computed: the
source tells the oldest time it has written at or deleted from since then, and a cacheable query
reads nothing after its step.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qvmon.model.metrics import Registry
from qvmon.model.series import Bools
from qvmon.model.unknown import asks_for_unknown
from qvmon.promql import Grid, Matrix, Plan
from qvmon.promql.nodes import (
    Aggregate,
    Call,
    Duration,
    DurationExpression,
    MatrixSelector,
    Node,
    Shift,
    Subquery,
    VectorSelector,
)
from qvmon.promql.sheet import joined, label_order, row_groups
from qvmon.stores.query import metrics

_OF_THE_WHOLE_QUERY = frozenset({"start", "end", "step", "range", "info"})
_OF_THE_ORDER_OF_SERIES = frozenset({"limitk", "limit_ratio"})
_OVERHEAD_BYTES = 1000


class Changes(Protocol):
    """What tells from when on stored samples have changed; ``tsdb.changes`` is one."""

    def token(self) -> int:
        """Return the present moment."""
        ...

    def oldest_since(self, token: int) -> int:
        """Return the oldest time, in milliseconds, that has changed since a moment."""
        ...


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What two range queries must have in common for steps of one to be steps of the other.

    Everybody who may read telemetry sees all of it, so the key has no part for who asks.

    Attributes:
        text: Canonical PromQL.
        step_ms: Distance between steps. ``phase_ms``: the remainder of each by it.
        lookback_ms: How old a sample may be. ``subquery_step_ms``: where none is given.
    """

    text: str
    step_ms: int
    phase_ms: int
    lookback_ms: int
    subquery_step_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    matrix: Matrix
    token: int

    @property
    def bytes(self) -> int:
        matrix = self.matrix
        arrays = (matrix.values, matrix.present, matrix.labels.codes, matrix.times)
        return sum(each.nbytes for each in arrays) + _OVERHEAD_BYTES


class ResultCache:
    """Matrices by what was asked, the least recently asked forgotten first.

    Args:
        max_bytes: How much is kept.
        changes: Tells what has changed since a result was computed.
        registry: Shows hits and size.
    """

    def __init__(self, max_bytes: int, changes: Changes, registry: Registry) -> None:
        self._max_bytes = max_bytes
        self._changes = changes
        self._entries: OrderedDict[CacheKey, _Entry] = OrderedDict()
        self._bytes = 0
        self._steps = registry.family(metrics.CACHED_STEPS)
        self._size = registry.value(metrics.CACHE_BYTES)

    def token(self) -> int:
        """Return the present moment, to be taken before the samples of a result are read."""
        return self._changes.token()

    def beginning(self, key: CacheKey, grid: Grid) -> Matrix | None:
        """Return the first steps of a query as far as they are known and still hold."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        times = entry.matrix.times
        until = min(grid.end_ms, self._changes.oldest_since(entry.token) - 1)
        if grid.start_ms < times[0] or grid.start_ms > min(times[-1], until):
            return None
        first, last = np.searchsorted(times, (grid.start_ms, until + 1))
        return _cut(entry.matrix, int(first), int(last))

    def keep(self, key: CacheKey, token: int, matrix: Matrix) -> None:
        """Remember a result whose samples were read after ``token``."""
        self._forget(key)
        entry = _Entry(matrix, token)
        if entry.bytes > self._max_bytes // 4 or not len(matrix.times):
            return
        self._entries[key] = entry
        self._bytes += entry.bytes
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._entries)))
        self._size.set(self._bytes)

    def count(self, reused: int, computed: int) -> None:
        """Count the steps of an answer."""
        self._steps.value("reused").add(reused)
        self._steps.value("computed").add(computed)

    def _forget(self, key: CacheKey) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self._bytes -= gone.bytes


def cache_key(plan: Plan, grid: Grid) -> CacheKey | None:
    """Return under which key a range query's steps are kept; None when they may not be."""
    if not all(map(_only_looks_back, _nodes(plan.root))):
        return None
    return CacheKey(
        str(plan.root),
        grid.step_ms,
        grid.start_ms % grid.step_ms,
        grid.lookback_ms,
        grid.subquery_step_ms,
    )


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _only_looks_back(node: Node) -> bool:
    """Return whether a node's value at a step depends on the step and what was before it alone."""
    match node:
        case VectorSelector():
            return _is_plain(node.shift) and not asks_for_unknown(node.matchers)
        case MatrixSelector():
            return _is_number(node.range)
        case Subquery():
            return _is_plain(node.shift) and _is_number(node.range) and _is_number(node.step)
        case Call():
            return node.function not in _OF_THE_WHOLE_QUERY
        case Aggregate():
            return node.operator not in _OF_THE_ORDER_OF_SERIES
    return True


def _is_plain(shift: Shift) -> bool:
    offset = shift.offset
    looks_back = offset is None or (
        not isinstance(offset, DurationExpression) and offset.value >= 0
    )
    return looks_back and shift.at is None and not shift.mode


def _is_number(duration: Duration | None) -> bool:
    return not isinstance(duration, DurationExpression)


def continued(first: Matrix, rest: Matrix) -> Matrix:
    """Return the steps of both, ``rest`` being the later ones."""
    frame = joined([first.labels, rest.labels])
    groups, rows = row_groups(frame.codes)
    known = len(first.times)
    shape = (len(rows), known + len(rest.times))
    values, present = np.zeros(shape), np.zeros(shape, np.bool_)
    of_first, of_rest = groups[: len(first)], groups[len(first) :]
    values[of_first, :known], present[of_first, :known] = first.values, first.present
    values[of_rest, known:], present[of_rest, known:] = rest.values, rest.present
    labels = frame.take(rows)
    order = label_order(labels)
    times = np.concatenate((first.times, rest.times))
    return Matrix(labels.take(order), times, values[order], present[order], rest.notes)


def _cut(matrix: Matrix, first: int, last: int) -> Matrix:
    """Return some steps of a matrix, without series that have no value there."""
    present = matrix.present[:, first:last]
    some: Bools = np.any(present, axis=1)
    return Matrix(
        matrix.labels.take(some),
        matrix.times[first:last],
        matrix.values[some, first:last],
        present[some],
        matrix.notes,
    )
