"""Functions of classic histograms: cumulative buckets, the label ``le`` their upper bounds."""

from __future__ import annotations

import numpy as np

from qvmon.model.errors import QvmonError
from qvmon.model.floats import parse_float
from qvmon.model.series import Float64s, Int64s, LabelFrame
from qvmon.promql.histogram import kernels
from qvmon.promql.sheet import Sheet, row_groups, sheet, strings

BUCKET_LABEL = "le"


def quantile(quantiles: Float64s, of: Sheet) -> Sheet:
    """Return the estimated quantile of each histogram.

    Args:
        quantiles: float64[m]; one for each step.
        of: The buckets; series without a readable ``le`` are left out.
    """
    of, bounds, groups, frame = _histograms(of)
    values, present = kernels.bucket_quantiles(
        of.values, of.present, groups, len(frame), bounds, quantiles
    )
    return sheet(frame, values, present)


def fraction(low: Float64s, high: Float64s, of: Sheet) -> Sheet:
    """Return the estimated fraction of observations between ``low`` and ``high`` (float64[m])."""
    of, bounds, groups, frame = _histograms(of)
    values, present = kernels.bucket_fractions(
        of.values, of.present, groups, len(frame), bounds, low, high
    )
    return sheet(frame, values, present)


def _histograms(of: Sheet) -> tuple[Sheet, Float64s, Int64s, LabelFrame]:
    """Return the buckets ordered by histogram and bound, and the labels of the histograms."""
    bounds = np.array([_bound(text) for text in strings(of.labels, BUCKET_LABEL)], np.float64)
    readable = ~np.isnan(bounds)
    of, bounds = of.take(readable), bounds[readable]
    rest = of.labels.drop((BUCKET_LABEL,))
    groups, first = row_groups(rest.codes)
    order = np.lexsort((bounds, groups))
    return of.take(order), bounds[order], groups[order], rest.take(first)


def _bound(text: str) -> float:
    try:
        return parse_float(text)
    except QvmonError:
        return float("nan")
