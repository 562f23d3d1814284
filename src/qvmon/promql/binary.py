"""Operators between vectors: finding the partner of each series, and what the result is called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Bools, Float64s, Int64s, LabelFrame
from qvmon.promql.arithmetic import SCHEMA_CHANGING, apply
from qvmon.promql.groups.kernels import any_in_group
from qvmon.promql.kernels import first_collision
from qvmon.promql.nodes import Binary, Cardinality, Matching
from qvmon.promql.quoting import series_text
from qvmon.promql.sheet import (
    METADATA_LABELS,
    SAME_LABELS,
    Sheet,
    joined,
    merged,
    row_groups,
    unnamed,
)

_MANY = (
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
)
_UNIQUE = "multiple matches for labels: grouping labels must ensure unique matches"


def combine_sets(operator: str, matching: Matching, left: Sheet, right: Sheet) -> Sheet:
    """Return ``left and right``, ``or`` or ``unless``."""
    frame, left_groups, right_groups, count = _matched(matching, left, right)
    if operator == "or":
        taken = any_in_group(left.present, left_groups, count)
        extra = right.present & ~taken[right_groups]
        both = Sheet(
            frame,
            np.concatenate((left.values, right.values)),
            np.concatenate((left.present, extra)),
            np.concatenate((left.unnamed, right.unnamed)),
        )
        return merged(both.without_empty_rows())
    partners = any_in_group(right.present, right_groups, count)[left_groups]
    kept = left.present & (partners if operator == "and" else ~partners)
    return left.with_values(left.values, kept)


def _matched(
    matching: Matching, left: Sheet, right: Sheet
) -> tuple[LabelFrame, Int64s, Int64s, int]:
    """Return both sides' labels in one frame, and which match group each row belongs to."""
    frame = joined((left.labels, right.labels))
    ignored = (*matching.labels, *METADATA_LABELS)
    key = frame.keep(matching.labels) if matching.on else frame.drop(ignored)
    groups, first = row_groups(key.codes)
    return frame, groups[: len(left)], groups[len(left) :], len(first)


def combine(node: Binary, left: Sheet, right: Sheet, *, drop_late: bool) -> Sheet:
    """Return an arithmetic or comparison operator between two vectors.

    Raises:
        QvmonError: INVALID, when the series of one side have more than one partner.
    """
    matching = node.matching or Matching()
    swapped = matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = (right, left) if swapped else (left, right)
    fill_many, fill_one = matching.fill_left, matching.fill_right
    if swapped:
        fill_many, fill_one = fill_one, fill_many
    frame, many_groups, one_groups, count = _matched(matching, many, one)
    active = _active(many, one, fill_many is not None or fill_one is not None)
    sides = _Sides(many, one)
    parts = [sides.paired(_pairs(many_groups, one_groups), active)]
    duplicates = _first_collision(one.present & active, one_groups, count)
    several = None
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        matched, groups = parts[0].present, many_groups[parts[0].many_rows]
        if fill_one is not None:
            matched, groups = many.present & active, many_groups
        several = _first_collision(matched, groups, count)
    if refused := min((step for step in (duplicates, several) if step is not None), default=0):
        # what an earlier step would be refused for is told instead
        combine(node, left.before(refused), right.before(refused), drop_late=drop_late)
    if duplicates is not None and (several is None or duplicates <= several):
        _refuse_duplicates(matching, one, one_groups, duplicates)
    if several is not None:
        raise QvmonError(ErrorKind.INVALID, _MANY)
    if fill_one is not None:
        found = any_in_group(one.present, one_groups, count)
        parts.append(sides.filled_one(fill_one, ~found[many_groups]))
    if fill_many is not None:
        taken = any_in_group(many.present, many_groups, count)
        parts.append(sides.filled_many(fill_many, ~taken[one_groups]))
    return _result(node, matching, frame, parts, swapped=swapped, drop_late=drop_late)


def _active(many: Sheet, one: Sheet, fills: bool) -> Bools:
    """Return bool[m]: the steps at which anything can match (else nothing is refused either)."""
    there, here = np.any(many.present, axis=0), np.any(one.present, axis=0)
    result: Bools = (there | here) if fills else (there & here)
    return result


def _first_collision(present: Bools, groups: Int64s, count: int) -> int | None:
    """Return the first step at which two rows of a group are there, if there is one."""
    if np.bincount(groups, minlength=1).max() < 2:
        return None
    step = int(first_collision(present, groups, count))
    return None if step < 0 else step


def _refuse_duplicates(matching: Matching, one: Sheet, groups: Int64s, step: int) -> NoReturn:
    rows = np.flatnonzero(one.present[:, step])
    earlier: dict[int, int] = {}
    for row in rows.tolist():
        before = earlier.setdefault(int(groups[row]), row)
        if before != row:
            break
    names = sorted(series_text(one.labels.labels(each)) for each in (before, row))
    labels = one.labels.labels(row)
    shared = (
        labels.keep(*matching.labels)
        if matching.on
        else labels.without(*matching.labels, *METADATA_LABELS)
    )
    side = "left" if matching.cardinality is Cardinality.ONE_TO_MANY else "right"
    raise QvmonError(
        ErrorKind.INVALID,
        f"found duplicate series for the match group {series_text(shared)} on the {side} "
        f"hand-side of the operation: [{', '.join(names)}];many-to-many matching not allowed: "
        "matching labels must be unique on one side",
    )


def _pairs(many: Int64s, one: Int64s) -> tuple[Int64s, Int64s]:
    """Return the rows (of the many side, of the one side) that share a match group."""
    order = np.argsort(one, kind="stable")
    low = np.searchsorted(one[order], many, "left")
    high = np.searchsorted(one[order], many, "right")
    counts = high - low
    many_rows = np.repeat(np.arange(len(many)), counts)
    within = np.arange(len(many_rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return many_rows, order[np.repeat(low, counts) + within]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Rows of a result before it has labels.

    Attributes:
        many: float64[p, m]; values of the "many" side.
        one: float64[p, m]; values of the "one" side.
        present: bool[p, m]; where both count.
        many_rows: int64[p]; rows of the joined frame, -1 where that side is filled in.
        one_rows: int64[p]; likewise.
    """

    many: Float64s
    one: Float64s
    present: Bools
    many_rows: Int64s
    one_rows: Int64s


class _Sides:
    """The two operands; the rows of ``one`` follow those of ``many`` in the joined frame."""

    def __init__(self, many: Sheet, one: Sheet) -> None:
        self._many, self._one = many, one

    def paired(self, pairs: tuple[Int64s, Int64s], active: Bools) -> _Part:
        many, one = pairs
        present = self._many.present[many] & self._one.present[one] & active
        rows = one + len(self._many)
        return _Part(self._many.values[many], self._one.values[one], present, many, rows)

    def filled_one(self, fill: float, missing: Bools) -> _Part:
        rows = np.arange(len(self._many))
        values = self._many.values
        none = np.full(len(rows), -1)
        return _Part(values, np.full(values.shape, fill), self._many.present & missing, rows, none)

    def filled_many(self, fill: float, missing: Bools) -> _Part:
        rows = np.arange(len(self._one)) + len(self._many)
        values = self._one.values
        none = np.full(len(rows), -1)
        return _Part(np.full(values.shape, fill), values, self._one.present & missing, none, rows)


def _result(
    node: Binary,
    matching: Matching,
    frame: LabelFrame,
    parts: list[_Part],
    *,
    swapped: bool,
    drop_late: bool,
) -> Sheet:
    many = np.concatenate([part.many for part in parts])
    one = np.concatenate([part.one for part in parts])
    present = np.concatenate([part.present for part in parts])
    left, right = (one, many) if swapped else (many, one)
    values, kept = apply(node.operator, left, right)
    nameless = node.operator in SCHEMA_CHANGING or (node.returns_bool and not drop_late)
    labels = _result_labels(matching, frame, parts, nameless=nameless)
    late = np.full(len(labels), node.returns_bool)
    out = Sheet(labels, values, present, late)
    complaint = SAME_LABELS if matching.cardinality is Cardinality.ONE_TO_ONE else _UNIQUE
    if node.returns_bool:
        return merged(out.with_values(kept.astype(np.float64)), complaint)
    kept_where = merged(out.with_values(kept.astype(np.float64)), complaint)
    out = merged(out, complaint)
    return out.with_values(out.values, out.present & (kept_where.values != 0)).without_empty_rows()


def _result_labels(
    matching: Matching, frame: LabelFrame, parts: list[_Part], *, nameless: bool
) -> LabelFrame:
    """Return the labels of the "many" side, without its name, and what is included of the other."""
    names = tuple(sorted({*frame.names, *matching.include}))
    columns = {name: frame.column(name) for name in names}
    many_rows = np.concatenate([part.many_rows for part in parts])
    one_rows = np.concatenate([part.one_rows for part in parts])
    source = np.where(many_rows < 0, one_rows, many_rows)
    codes = np.zeros((len(source), len(names)), np.int32)
    for at, name in enumerate(names):
        if not (nameless and name in METADATA_LABELS):
            codes[:, at] = np.where(
                (many_rows >= 0) | _is_matching_label(matching, name), columns[name][source], 0
            )
        if name in matching.include:
            shared = _is_matching_label(matching, name)
            absent = columns[name][many_rows] if shared else 0
            codes[:, at] = np.where(one_rows < 0, absent, columns[name][one_rows])
    out = LabelFrame(names, codes, frame.symbols)
    if matching.cardinality is not Cardinality.ONE_TO_ONE:
        return out
    return out.keep(matching.labels) if matching.on else out.drop(matching.labels)


def _is_matching_label(matching: Matching, name: str) -> bool:
    if matching.on:
        return name in matching.labels
    return name not in matching.labels and name not in METADATA_LABELS


def with_scalar(
    node: Binary, vector: Sheet, scalar: Float64s, *, scalar_is_left: bool, drop_late: bool
) -> Sheet:
    """Return an operator between a vector and float64[m], one number for each step."""
    left, right = (scalar, vector.values) if scalar_is_left else (vector.values, scalar)
    values, kept = apply(node.operator, np.broadcast_to(left, vector.values.shape), right)
    if node.returns_bool:
        out = vector.with_values(kept.astype(np.float64))
    elif node.operator in SCHEMA_CHANGING:
        out = vector.with_values(values)
    else:
        return vector.with_values(vector.values, vector.present & kept)
    return nameless(out, drop_late=drop_late)


def nameless(of: Sheet, *, drop_late: bool) -> Sheet:
    """Return the series without their names: now, or marked to lose them when the query ends."""
    if drop_late:
        return replace(of, unnamed=np.ones(len(of), np.bool_))
    return merged(unnamed(of))
