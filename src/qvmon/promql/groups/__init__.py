"""Aggregation operators: the series of a group into one, or the chosen ones among them."""

from __future__ import annotations

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.floats import format_decimal
from qvmon.model.labels import Labels
from qvmon.model.series import Float64s, Int64s, LabelFrame, SeriesKeys
from qvmon.promql.groups import kernels
from qvmon.promql.nodes import Aggregate
from qvmon.promql.notes import short
from qvmon.promql.sheet import (
    METADATA_LABELS,
    Sheet,
    grouped_frame,
    merged,
    row_groups,
    sheet,
    with_column,
)

_LONG = 255
"""From how many bytes on a length takes four bytes."""

_FEW = 0.05
"""Up to which part of the series it is cheaper to keep the best ones than to sort all."""

_MOST_COUNTS = 50_000_000
CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


def _groups(node: Aggregate, of: Sheet) -> tuple[Int64s, Int64s, LabelFrame]:
    frame = grouped_frame(of.labels, node.grouping, without=node.without)
    groups, first = row_groups(frame.codes)
    return groups, first, frame.take(first)


def aggregate(node: Aggregate, of: Sheet, parameter: Float64s | None) -> Sheet:
    """Return one series for each group.

    Args:
        node: Operator and grouping.
        of: The series.
        parameter: float64[m]; the quantile at each step, of ``quantile`` only.
    """
    groups, first, frame = _groups(node, of)
    if parameter is None:
        code = kernels.GROUPED[node.operator]
        values, present = kernels.reduce_groups(code, of.values, of.present, groups, len(first))
    else:
        values, present = kernels.group_quantiles(
            of.values, of.present, groups, len(first), parameter
        )
    late = np.zeros(len(first), np.bool_)
    np.logical_or.at(late, groups, of.unnamed)
    return Sheet(frame, values, present, late)


def choose(node: Aggregate, of: Sheet, parameter: Float64s) -> Sheet:
    """Return the series that ``topk``, ``bottomk``, ``limitk`` or ``limit_ratio`` keep.

    Args:
        node: Operator and grouping.
        of: The series.
        parameter: float64[m]; how many (or which part) at each step.
    """
    if _chooses_none(node, parameter):
        return of.take(np.zeros(0, np.int64))
    groups, first, _ = _groups(node, of)
    if node.operator == "limit_ratio":
        kept = of.present & _sampled(of.labels, parameter)
    else:
        limits = _limits(parameter, len(of))
        if node.operator == "limitk":
            kept = kernels.first_rows(of.present, groups, len(first), limits)
        else:
            most = min(int(limits.max()), int(np.bincount(groups).max(initial=0)))
            limits = np.minimum(limits, most)
            few = len(first) * most <= _FEW * len(of)
            top_rows = kernels.few_top_rows if few else kernels.top_rows
            largest = node.operator == "topk"
            kept = top_rows(of.values, of.present, groups, len(first), limits, largest)
    return of.with_values(of.values, kept).without_empty_rows()


def _chooses_none(node: Aggregate, parameter: Float64s) -> bool:
    """Return whether nothing is asked for at any step; then bad parameters do not matter either."""
    if node.operator == "limit_ratio":
        return bool((parameter == 0).all())
    return bool(parameter.max(initial=-np.inf) < 1)


def ranked(node: Aggregate, of: Sheet) -> Sheet:
    """Return the series of an instant ``topk`` or ``bottomk`` group by group, best first."""
    groups, _, _ = _groups(node, of)
    values = of.values[:, 0]
    key = -values if node.operator == "topk" else values
    return of.take(np.lexsort((np.where(np.isnan(values), np.inf, key), np.isnan(values), groups)))


def _limits(parameter: Float64s, series: int) -> Int64s:
    if np.isnan(parameter).any():
        raise invalid("Parameter value is NaN")
    out_of_range = np.abs(parameter) >= 2.0**63
    if out_of_range.any():
        value = parameter[out_of_range][0]
        word = "overflows" if value > 0 else "underflows"
        raise invalid(f"Scalar value {short(float(value))} {word} int64")
    return np.minimum(parameter, series).astype(np.int64)


def _hashed(labels: Labels) -> bytes:
    """Return what Prometheus hashes of a label set: names and values, each after its length."""
    parts: list[bytes] = []
    for text in (text for pair in labels.pairs() for text in pair):
        part = text.encode()
        long = len(part) >= _LONG
        parts += (b"\xff" + len(part).to_bytes(3, "little") if long else bytes([len(part)]), part)
    return b"".join(parts)


def _sampled(frame: LabelFrame, ratio: Float64s) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return bool[n, m]: which series a sample of ``ratio`` holds, the same at every step."""
    if np.isnan(ratio).any():
        raise invalid("Ratio value is NaN")
    ratio = np.clip(ratio, -1.0, 1.0)
    keys = SeriesKeys.from_bytes([_hashed(labels) for labels in frame.all_labels()])
    at = (kernels.hash_keys(keys.arena, keys.offsets) / 2.0**64)[:, None]
    return np.where(ratio >= 0, at < ratio, at >= 1.0 + ratio)


def count_values(node: Aggregate, of: Sheet, label: str) -> Sheet:
    """Return how many series of each group have each value, the value standing in ``label``.

    Raises:
        QvmonError: EXHAUSTED, for too many distinct values.
    """
    frame = grouped_frame(of.labels.drop((label,)), node.grouping, without=node.without)
    groups, first = row_groups(frame.codes)
    rows, steps = np.nonzero(of.present)
    values = of.values[rows, steps]
    values[np.isnan(values)] = np.nan  # one NaN, whatever its bits; but -0 is not 0
    bits, codes = np.unique(values.view(np.int64), return_inverse=True)
    told_apart = not (node.without and label in (*node.grouping, *METADATA_LABELS))
    distinct, row = np.unique(groups[rows] * len(bits) + codes * told_apart, return_inverse=True)
    counts = _counts(row, steps, (len(distinct), of.values.shape[1]))
    labels = frame.take(first[distinct // len(bits)]) if len(bits) else frame.take(first[:0])
    if told_apart:
        texts = [format_decimal(value) for value in bits.view(np.float64)]
        labels = with_column(labels, label, [texts[code] for code in distinct % max(1, len(bits))])
    return merged(sheet(labels, counts, counts > 0))


def _counts(rows: Int64s, steps: Int64s, shape: tuple[int, int]) -> Float64s:
    if shape[0] * shape[1] > _MOST_COUNTS:
        raise QvmonError(
            ErrorKind.EXHAUSTED, f"count_values: {shape[0]:,} distinct values are too many"
        )
    flat = np.bincount(rows * shape[1] + steps, minlength=shape[0] * shape[1])
    counts: Float64s = flat.reshape(shape).astype(np.float64)
    return counts
