"""What expressions compute with: series by steps, and how label columns are grouped and joined."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import METRIC_NAME
from qvmon.model.series import Bools, Float64s, Int32s, Int64s, LabelFrame, Symbols, SymbolTable
from qvmon.promql.kernels import merge_rows

METADATA_LABELS = (METRIC_NAME, "__type__", "__unit__")
"""What a series is called; gone once a function or operator has made something else of it."""

SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """An instant vector at every step.

    Attributes:
        labels: The n series.
        values: float64[n, m].
        present: bool[n, m]; where a series has a value.
        unnamed: bool[n]; which series lose their name at the end of the query (used only when
            names are dropped late).
    """

    labels: LabelFrame
    values: Float64s
    present: Bools
    unnamed: Bools

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.integer] | Bools) -> Sheet:
        """Return the sheet of the chosen rows."""
        return Sheet(
            self.labels.take(rows), self.values[rows], self.present[rows], self.unnamed[rows]
        )

    def before(self, step: int) -> Sheet:
        """Return the sheet of the first ``step`` steps."""
        values, present = self.values[:, :step], self.present[:, :step]
        return self.with_values(np.ascontiguousarray(values), np.ascontiguousarray(present))

    def with_values(self, values: Float64s, present: Bools | None = None) -> Sheet:
        """Return the same series with other values."""
        return replace(self, values=values, present=self.present if present is None else present)

    def without_empty_rows(self) -> Sheet:
        """Return only the series that have a value somewhere."""
        any_value: Bools = np.any(self.present, axis=1)
        return self if any_value.all() else self.take(any_value)


def sheet(labels: LabelFrame, values: Float64s, present: Bools) -> Sheet:
    """Return a sheet whose series keep their names."""
    return Sheet(labels, values, present, np.zeros(len(labels), np.bool_))


def at_every_step(values: Float64s, present: Bools, steps: int) -> tuple[Float64s, Bools]:
    """Return both as [n, steps]; a single column (under ``@``) stands at every step."""
    shape = (len(values), steps)
    if values.shape == shape:
        return values, present
    return np.broadcast_to(values, shape).copy(), np.broadcast_to(present, shape).copy()


def stacked(parts: Sequence[Sheet]) -> Sheet:
    """Return the rows of all sheets in one."""
    return Sheet(
        joined([part.labels for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.present for part in parts]),
        np.concatenate([part.unnamed for part in parts]),
    )


def no_labels(rows: int) -> LabelFrame:
    """Return a frame of ``rows`` series without any label."""
    return LabelFrame((), np.zeros((rows, 0), np.int32), SymbolTable())


def no_series() -> Sheet:
    """Return what an expression is that is evaluated at no step at all."""
    return sheet(no_labels(0), np.zeros((0, 0)), np.zeros((0, 0), np.bool_))


def row_groups(codes: Int32s) -> tuple[Int64s, Int64s]:
    """Return which rows are equal.

    Args:
        codes: int32[n, k].

    Returns:
        int64[n]: the group of each row, numbered by first appearance; and int64[groups]: the
        first row of each group.
    """
    n = len(codes)
    if n <= 1:
        return np.zeros(n, np.int64), np.arange(n)
    ids = np.zeros(n, np.int64)
    for column in codes.T:
        ids = ids * (np.int64(column.max(initial=0)) + 1) + column
        ids = np.unique(ids, return_inverse=True)[1].astype(np.int64)
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[inverse], first[order].astype(np.int64)


def joined(frames: Sequence[LabelFrame]) -> LabelFrame:
    """Return the rows of all frames in one, with one set of columns and symbols."""
    names = tuple(sorted({name for frame in frames for name in frame.names}))
    symbols, recoded = _one_alphabet(frames)
    codes = np.zeros((sum(map(len, frames)), len(names)), np.int32)
    at = 0
    for frame, frame_codes in zip(frames, recoded, strict=True):
        columns = [names.index(name) for name in frame.names]
        codes[at : at + len(frame), columns] = frame_codes
        at += len(frame)
    return LabelFrame(names, codes, symbols)


def _one_alphabet(frames: Sequence[LabelFrame]) -> tuple[Symbols, list[Int32s]]:
    first = frames[0].symbols
    if all(frame.symbols is first for frame in frames):
        return first, [frame.codes for frame in frames]
    table = SymbolTable()
    return table, [recoded(frame, lambda text: text, table) for frame in frames]


def recoded(frame: LabelFrame, change: Callable[[str], str], table: SymbolTable) -> Int32s:
    """Return ``frame``'s codes in ``table``, each distinct string passed through ``change``."""
    used, inverse = np.unique(frame.codes, return_inverse=True)
    new = np.array([table.intern(change(frame.symbols[int(c)])) if c else 0 for c in used])
    return new.astype(np.int32)[inverse].reshape(frame.codes.shape)


def with_column(frame: LabelFrame, name: str, values: Sequence[str]) -> LabelFrame:
    """Return ``frame`` with one label set in every row; an empty value removes it."""
    table = SymbolTable()
    rest = frame.drop((name,))
    codes = recoded(rest, lambda text: text, table)
    column = np.array([table.intern(value) for value in values], np.int32)
    names = tuple(sorted((*rest.names, name)))
    return LabelFrame(names, np.insert(codes, names.index(name), column, axis=1), table)


def strings(frame: LabelFrame, name: str) -> list[str]:
    """Return one label of every row, empty where it is absent."""
    codes = frame.column(name).tolist()
    texts = {code: frame.symbols[code] for code in set(codes)}
    return [texts[code] for code in codes]


def grouped_frame(frame: LabelFrame, names: Collection[str], *, without: bool) -> LabelFrame:
    """Return the labels by which ``by`` or ``without`` groups rows."""
    return frame.drop((*names, *METADATA_LABELS)) if without else frame.keep(names)


def unnamed(of: Sheet, rows: Bools | None = None) -> Sheet:
    """Return the series without their metric names (in ``rows`` only, where given)."""
    if rows is None:
        return replace(of, labels=of.labels.drop(METADATA_LABELS))
    codes = of.labels.codes.copy()
    for column, name in enumerate(of.labels.names):
        if name in METADATA_LABELS:
            codes[rows, column] = 0
    return replace(of, labels=LabelFrame(of.labels.names, codes, of.labels.symbols))


def merged(of: Sheet, complaint: str = SAME_LABELS) -> Sheet:
    """Return the sheet with series of equal labels laid over one another.

    Raises:
        QvmonError: INVALID, when two of them have a value at the same step.
    """
    groups, first = row_groups(of.labels.codes)
    if len(first) == len(of):
        return of
    values, present, collision = merge_rows(of.values, of.present, groups, len(first))
    if collision[0] >= 0:
        raise QvmonError(ErrorKind.INVALID, complaint)
    late = np.zeros(len(first), np.bool_)
    np.logical_or.at(late, groups, of.unnamed)
    return Sheet(of.labels.take(first), values, present, late)


def label_order(frame: LabelFrame) -> Int64s:
    """Return int64[n]: the rows in the order of their labels, name by name.

    A row that lacks a label comes after those that have it when it has a later one (whose name
    then decides), and before them when it has none.
    """
    if len(frame) <= 1:
        return np.arange(len(frame))
    keys = []
    more_follow = np.zeros(len(frame), np.bool_)
    for column in frame.codes.T[::-1]:
        used, inverse = np.unique(column, return_inverse=True)
        texts = [frame.symbols[int(code)] for code in used]
        rank = np.empty(len(used), np.int64)
        rank[sorted(range(len(used)), key=texts.__getitem__)] = np.arange(1, len(used) + 1)
        absent = np.where(more_follow, len(used) + 1, 0)
        keys.append(np.where(column == 0, absent, rank[inverse]))
        more_follow |= column != 0
    return np.lexsort(keys) if keys else np.arange(len(frame))
