"""Kernels over windows agree with plain Python that imports nothing of ours."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.labels import Labels
from qvmon.model.series import STALE, LabelFrame, SeriesColumns
from qvmon.promql.sheet import sheet
from qvmon.promql.windows import (
    Windows,
    columns_of,
    kernels,
    over_time,
    rate,
    smoothed,
    without_stale,
)

Samples = list[tuple[int, float]]

_VALUES = st.one_of(
    st.integers(0, 50).map(float), st.floats(-1e3, 1e3), st.sampled_from([math.inf, math.nan])
)
_COUNTS = st.integers(0, 50).map(float)


def _series(values: st.SearchStrategy[float]) -> st.SearchStrategy[Samples]:
    times = st.lists(st.integers(0, 120), unique=True, max_size=25).map(sorted)
    return times.flatmap(
        lambda ts: st.lists(values, min_size=len(ts), max_size=len(ts)).map(
            lambda vs: [(t * 1000, v) for t, v in zip(ts, vs, strict=True)]
        )
    )


def columns(series: list[Samples]) -> SeriesColumns:
    """Return samples as columns."""
    flat = [sample for each in series for sample in each]
    return SeriesColumns(
        LabelFrame.from_labels([Labels(i=str(i)) for i in range(len(series))]),
        np.cumsum([0, *map(len, series)]).astype(np.int64),
        np.array([t for t, _ in flat], np.int64),
        np.array([v for _, v in flat], np.float64),
    )


def windows(series: list[Samples], ends: list[int], length: int) -> Windows:
    """Return windows that end at ``ends``."""
    at = np.array(ends, np.int64)
    return Windows(columns(series), at - length, at, at, np.zeros(len(series), np.bool_))


def seen(samples: Samples, end: int, length: int) -> Samples:
    """Return what a left-open window sees."""
    return [(t, v) for t, v in samples if end - length < t <= end]


def rate_by_hand(window: Samples, start: int, end: int, counter: bool, per_second: bool) -> float:
    """Return Prometheus' extrapolated rate, step by step."""
    change = window[-1][1] - window[0][1]
    if counter:
        for (_, before), (_, now) in itertools.pairwise(window):
            change += before if now < before else 0.0
    sampled = (window[-1][0] - window[0][0]) / 1000
    gap = sampled / (len(window) - 1)
    before_first, after_last = (window[0][0] - start) / 1000, (end - window[-1][0]) / 1000
    if before_first >= gap * 1.1:
        before_first = gap / 2
    if counter and change > 0 and window[0][1] >= 0:
        before_first = min(before_first, sampled * window[0][1] / change)
    if after_last >= gap * 1.1:
        after_last = gap / 2
    change *= (sampled + before_first + after_last) / sampled
    return change / ((end - start) / 1000) if per_second else change


@pytest.mark.parametrize(
    ("function", "counter", "per_second"),
    [("rate", True, True), ("increase", True, False), ("delta", False, False)],
)
@given(series=st.lists(_series(_COUNTS), max_size=4), step=st.integers(1, 40))
@settings(deadline=None)
def test_rates_extrapolate_as_prometheus_does(
    function: str, counter: bool, per_second: bool, series: list[Samples], step: int
) -> None:
    ends, length = list(range(0, 130_000, step * 1000)), 30_000
    values, present = rate(windows(series, ends, length), function)
    for row, samples in enumerate(series):
        for column, end in enumerate(ends):
            window = seen(samples, end, length)
            assert present[row, column] == (len(window) >= 2)
            if len(window) >= 2:
                by_hand = rate_by_hand(window, end - length, end, counter, per_second)
                assert values[row, column] == pytest.approx(by_hand, rel=1e-12)


def quantile_by_hand(values: list[float], q: float) -> float:
    """Return the interpolated quantile."""
    ordered = sorted(values)
    rank = q * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)


def slope_by_hand(window: Samples) -> float:
    """Return the least-squares slope in units a second."""
    xs, ys = [t / 1000 for t, _ in window], [v for _, v in window]
    return statistics.linear_regression(xs, ys).slope


BY_HAND = {
    "sum_over_time": lambda w: math.fsum(v for _, v in w),
    "avg_over_time": lambda w: math.fsum(v for _, v in w) / len(w),
    "min_over_time": lambda w: min(v for _, v in w),
    "max_over_time": lambda w: max(v for _, v in w),
    "count_over_time": lambda w: float(len(w)),
    "last_over_time": lambda w: w[-1][1],
    "first_over_time": lambda w: w[0][1],
    "present_over_time": lambda w: 1.0,
    "stddev_over_time": lambda w: statistics.pstdev(v for _, v in w),
    "stdvar_over_time": lambda w: statistics.pvariance(v for _, v in w),
    "quantile_over_time": lambda w: quantile_by_hand([v for _, v in w], 0.3),
    "changes": lambda w: float(sum(a[1] != b[1] for a, b in itertools.pairwise(w))),
    "resets": lambda w: float(sum(b[1] < a[1] for a, b in itertools.pairwise(w))),
    "ts_of_first_over_time": lambda w: w[0][0] / 1000,
    "ts_of_last_over_time": lambda w: w[-1][0] / 1000,
    "mad_over_time": lambda w: statistics.median(
        abs(v - statistics.median(v for _, v in w)) for _, v in w
    ),
}
OF_TWO = {
    "idelta": lambda w: w[-1][1] - w[-2][1],
    "irate": lambda w: (
        (w[-1][1] - w[-2][1] if w[-1][1] >= w[-2][1] else w[-1][1]) / ((w[-1][0] - w[-2][0]) / 1000)
    ),
    "deriv": slope_by_hand,
}


@pytest.mark.parametrize("function", [*BY_HAND, *OF_TWO])
@given(series=st.lists(_series(_COUNTS), max_size=3), step=st.integers(1, 40))
@settings(deadline=None, max_examples=40)
def test_functions_over_time_see_exactly_their_window(
    function: str, series: list[Samples], step: int
) -> None:
    ends, length = list(range(0, 130_000, step * 1000)), 30_000
    parameter = np.full(len(ends), 0.3)
    values, present = over_time(windows(series, ends, length), function, parameter)
    least = 2 if function in OF_TWO else 1
    by_hand = (BY_HAND | OF_TWO)[function]
    for row, samples in enumerate(series):
        for column, end in enumerate(ends):
            window = seen(samples, end, length)
            assert present[row, column] == (len(window) >= least)
            if len(window) >= least:
                assert values[row, column] == pytest.approx(by_hand(window), rel=1e-9, abs=1e-9)


@given(samples=_series(_VALUES), ends=st.lists(st.integers(0, 500_000), min_size=1).map(sorted))
@settings(deadline=None)
def test_the_newest_sample_within_the_lookback_is_found(samples: Samples, ends: list[int]) -> None:
    of = columns([samples])
    at = np.array(ends, np.int64)
    found = kernels.instant_values(of.offsets, of.timestamps, of.values, at, 60_000)
    times = kernels.instant_times(of.offsets, of.timestamps, of.values, at, 60_000)
    for column, end in enumerate(ends):
        window = seen(samples, end, 60_000)
        assert found[1][0, column] == times[1][0, column] == bool(window)
        if window:
            np.testing.assert_equal(found[0][0, column], window[-1][1])
            assert times[0][0, column] == window[-1][0] / 1000


def test_a_staleness_marker_ends_a_series_at_once() -> None:
    of = columns([[(0, 1.0), (10_000, float(STALE)), (20_000, 2.0)]])
    at = np.array([9_999, 10_000, 19_999, 20_000], np.int64)
    _, present = kernels.instant_values(of.offsets, of.timestamps, of.values, at, 300_000)
    assert present.tolist() == [[True, False, False, True]]


def test_windows_do_not_see_staleness_markers() -> None:
    of = without_stale(
        columns([[(0, 1.0), (1, float(STALE))], [(0, float(STALE))], [(5, math.nan), (6, 2.0)]])
    )
    assert of.offsets.tolist() == [0, 1, 1, 3]
    np.testing.assert_equal(of.values, [1.0, math.nan, 2.0])


def test_a_not_a_number_counts_only_where_nothing_else_is() -> None:
    of = windows([[(1, math.nan), (2, 3.0), (3, 1.0)], [(1, math.nan)]], [10], 10)
    assert over_time(of, "max_over_time")[0][0, 0] == 3.0
    assert over_time(of, "min_over_time")[0][0, 0] == 1.0
    assert math.isnan(over_time(of, "max_over_time")[0][1, 0])


def test_sums_and_averages_do_not_lose_small_values_beside_large_ones() -> None:
    of = windows([[(1, 1e100), (2, 1.0), (3, -1e100)]], [10], 10)
    assert over_time(of, "sum_over_time")[0][0, 0] == 1.0
    assert over_time(of, "avg_over_time")[0][0, 0] == pytest.approx(1 / 3)


def test_an_average_of_huge_values_does_not_overflow() -> None:
    of = windows([[(1, 1.7e308), (2, 1.7e308), (3, 1.7e308)]], [10], 10)
    assert over_time(of, "avg_over_time")[0][0, 0] == pytest.approx(1.7e308)


def test_a_prediction_lies_on_the_line_through_the_samples() -> None:
    of = windows([[(t, 3.0 + t / 1000 * 2) for t in range(1000, 60_000, 1000)]], [60_000], 60_000)
    values, _ = over_time(of, "predict_linear", np.array([10.0]))
    assert values[0, 0] == pytest.approx(3 + 70 * 2)


def test_smoothing_factors_outside_zero_to_one_are_refused() -> None:
    of = windows([[(1, 1.0), (2, 2.0)]], [10], 10)
    with pytest.raises(Exception, match="invalid smoothing factor"):
        smoothed(of, np.array([1.0]), np.array([0.5]))
    with pytest.raises(Exception, match="invalid trend factor"):
        smoothed(of, np.array([0.5]), np.array([0.0]))


def test_values_of_a_sheet_become_samples_without_the_gaps() -> None:
    present = np.array([[True, False, True], [False, False, False]])
    labels = LabelFrame.from_labels([Labels(a="1"), Labels(a="2")])
    of = columns_of(sheet(labels, np.arange(6.0).reshape(2, 3), present), np.array([0, 10, 20]))
    assert of.offsets.tolist() == [0, 2, 2]
    assert of.timestamps.tolist() == [0, 20]
    assert of.values.tolist() == [0.0, 2.0]
