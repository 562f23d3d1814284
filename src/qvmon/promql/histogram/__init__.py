"""Functions of classic histograms: cumulative buckets, the label ``le`` their upper bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qvmon.model.errors import QvmonError
from qvmon.model.floats import parse_float
from qvmon.model.labels import METRIC_NAME
from qvmon.model.series import Float64s, Int64s, LabelFrame
from qvmon.promql.histogram import kernels
from qvmon.promql.notes import repairs_together
from qvmon.promql.sheet import Sheet, row_groups, sheet

BUCKET_LABEL = "le"


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Histograms taken apart.

    Attributes:
        rows: The n buckets, those of one histogram together, by bound.
        bounds: float64[n]; upper bounds.
        groups: int64[n]; the histogram of each bucket.
        labels: The labels of the histograms.
    """

    rows: Sheet
    bounds: Float64s
    groups: Int64s
    labels: LabelFrame


def buckets(of: Sheet) -> Buckets:
    """Return the histograms in a vector; series without a readable ``le`` are left out."""
    bounds = _bounds(of.labels)
    readable = ~np.isnan(bounds)
    of, bounds = of.take(readable), bounds[readable]
    rest = of.labels.drop((BUCKET_LABEL,))
    groups, first = row_groups(rest.codes)
    order = np.lexsort((bounds, groups))
    return Buckets(of.take(order), bounds[order], groups[order], rest.take(first))


def unreadable(labels: LabelFrame) -> Iterator[tuple[str, str]]:
    """Yield bound and metric name of series whose bound cannot be read, each pair once."""
    bad = labels.take(np.isnan(_bounds(labels)))
    pairs = zip(bad.column(BUCKET_LABEL), bad.column(METRIC_NAME), strict=True)
    for bound, name in dict.fromkeys((int(bound), int(name)) for bound, name in pairs):
        yield labels.symbols[bound], labels.symbols[name]


def _bounds(labels: LabelFrame) -> Float64s:
    used, inverse = np.unique(labels.column(BUCKET_LABEL), return_inverse=True)
    each = np.array([_bound(labels.symbols[int(code)]) for code in used], np.float64)
    found: Float64s = each[inverse]
    return found


def _bound(text: str) -> float:
    try:
        return parse_float(text)
    except QvmonError:
        return float("nan")


def quantiles(wanted: Float64s, of: Buckets, times: Int64s) -> tuple[list[Sheet], Float64s]:
    """Return the estimated quantiles of each histogram.

    Args:
        wanted: float64[k, m]; k quantiles for each step.
        of: The histograms.
        times: int64[m]; the steps in milliseconds.

    Returns:
        A sheet for each of the k; and float64[histograms, 6] of the repairs of counts that fell:
        how many, lowest and highest bound, greatest fall, first and last time.
    """
    count = len(of.labels)
    repairs = np.tile([0.0, np.inf, -np.inf, 0.0, np.inf, -np.inf], (count, 1))
    values, present = kernels.bucket_quantiles(
        of.rows.values, of.rows.present, of.groups, count, of.bounds, wanted, times, repairs
    )
    rows = [slice(k * count, (k + 1) * count) for k in range(len(wanted))]
    return [sheet(of.labels, values[each], present) for each in rows], repairs


def repairs_by_name(labels: LabelFrame, repairs: Float64s) -> Iterator[tuple[str, Float64s]]:
    """Yield the repairs of ``quantiles``, float64[6], added up for each metric name."""
    fell = np.flatnonzero(repairs[:, 0])
    names = labels.column(METRIC_NAME)[fell]
    for name in dict.fromkeys(names.tolist()):
        yield labels.symbols[name], repairs_together(repairs[fell[names == name]])


def fraction(low: Float64s, high: Float64s, of: Buckets) -> Sheet:
    """Return the estimated fraction of observations between ``low`` and ``high`` (float64[m])."""
    values, present = kernels.bucket_fractions(
        of.rows.values, of.rows.present, of.groups, len(of.labels), of.bounds, low, high
    )
    return sheet(of.labels, values, present)
