"""Windows that carry over what the one before has found give what each would give alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qvmon.promql.sliding.kernels import sliding_extremes, sliding_quantiles

Samples = list[tuple[int, float]]


def _series(seed: int, size: int) -> Samples:
    """Samples at uneven times, with repeated values, NaNs and infinities among them."""
    chosen = np.random.default_rng(seed)
    times = np.cumsum(chosen.integers(1, 30, size))
    values = chosen.integers(0, 6, size).astype(float)
    values[chosen.random(size) < 0.2] = np.nan
    values[chosen.random(size) < 0.05] = np.inf
    return list(zip(times.tolist(), values.tolist(), strict=True))


def _columns(series: list[Samples]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *map(len, series)])
    times = np.array([t for each in series for t, _ in each], np.int64)
    values = np.array([v for each in series for _, v in each], np.float64)
    return offsets.astype(np.int64), times, values


def _windows(step: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    ends = np.arange(-50, 1000, step, dtype=np.int64)
    return ends - length, ends


def _extreme(samples: Samples, *, largest: bool) -> tuple[int, float]:
    """The last of the largest or smallest, NaN only if there is nothing else."""
    numbers = [each for each in samples if not math.isnan(each[1])] or samples
    best = numbers[0]
    for each in numbers[1:]:
        better = each[1] >= best[1] if largest else each[1] <= best[1]
        best = each if better or math.isnan(best[1]) else best
    return best


def _quantile(values: list[float], q: float) -> float:
    """Linear between the ranks, NaNs first (Prometheus' documentation)."""
    if math.isnan(q):
        return math.nan
    if not 0 <= q <= 1:
        return math.copysign(math.inf, q)
    ordered = sorted(values, key=lambda v: (not math.isnan(v), v))
    rank = q * (len(ordered) - 1)
    low = math.floor(rank)
    if rank == low:
        return ordered[low]
    weight = rank - low
    return ordered[low] * (1 - weight) + ordered[low + 1] * weight


@pytest.mark.parametrize(("step", "length"), [(7, 100), (100, 30), (1, 1), (40, 5000)])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("when", [True, False])
def test_extremes(step: int, length: int, largest: bool, when: bool) -> None:
    """Each window has its own extreme, whatever the windows before it held."""
    series = [_series(1, 60), [], _series(2, 5)]
    starts, ends = _windows(step, length)
    values, present = sliding_extremes(*_columns(series), starts, ends, largest, when)
    for row, samples in enumerate(series):
        for at, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            inside = [each for each in samples if start < each[0] <= end]
            assert bool(present[row, at]) == bool(inside)
            if inside:
                time, value = _extreme(inside, largest=largest)
                wanted = time / 1000.0 if when else value
                np.testing.assert_equal(values[row, at], wanted)


@pytest.mark.parametrize(("step", "length"), [(7, 100), (100, 30), (1, 300), (40, 5000)])
@pytest.mark.parametrize("q", [0.0, 0.31, 0.5, 1.0, -1.0, 2.0, math.nan])
def test_quantiles(step: int, length: int, q: float) -> None:
    """Each window has its own quantile, whether it is kept in order or sorted anew."""
    series = [_series(3, 60), [], _series(4, 5)]
    starts, ends = _windows(step, length)
    quantiles = np.full(len(ends), q)
    values, present = sliding_quantiles(*_columns(series), starts, ends, quantiles)
    for row, samples in enumerate(series):
        for at, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            inside = [value for time, value in samples if start < time <= end]
            assert bool(present[row, at]) == bool(inside)
            if inside:
                np.testing.assert_equal(values[row, at], _quantile(inside, q))
