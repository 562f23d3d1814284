"""Samples are counted as Prometheus counts them (the cases of its promql/engine_test.go)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.series import LabelFrame, SeriesColumns
from qvmon.promql import Grid, evaluate, plan
from qvmon.promql.watch import Tally, Watch

ONE = [Labels({"__name__": "one"})]
THREE = [Labels({"__name__": "three", "a": a, "b": b}) for a, b in ("11", "21", "32")]


def counted(text: str, grid: Grid) -> Tally:
    """What is counted over series with a sample every ten seconds."""
    planned = plan(text)
    columns = []
    for need in planned.needs(grid):
        name = next(m.value for m in need.selection.matchers if m.name == "__name__")
        series = ONE if name == "one" else THREE
        times = np.arange(0, 1_000_001, 10_000)
        times = times[(times >= need.selection.start_ms) & (times <= need.selection.end_ms)]
        columns.append(
            SeriesColumns(
                LabelFrame.from_labels(series),
                np.arange(len(series) + 1) * len(times),
                np.tile(times, len(series)),
                np.tile(times / 1000.0, len(series)),
            )
        )
    tally = Tally(grid)
    evaluate(planned, columns, grid, watch=Watch(tally=tally))
    return tally


@pytest.mark.parametrize(
    ("text", "seconds", "total", "peak"),
    [
        ("1", 21, 0, 1),
        ("one", 21, 1, 1),
        ("one offset 10s", 21, 1, 1),
        ("one @ 15", 21, 1, 1),
        ("three", 21, 3, 3),
        ("one[60s]", 201, 6, 6),
        ("max_over_time(one[60s])", 201, 6, 7),
        ("max_over_time(one[60s])[20s:5s]", 201, 24, 10),
        ("one[60s:5s]", 201, 12, 12),
        ("sum_over_time(three[60s:5s])", 201, 36, 51),
        ("sum by (b) (max_over_time(three[60s] @ 30))", 201, 12, 7),
    ],
)
def test_an_instant_query_is_counted(text: str, seconds: int, total: int, peak: int) -> None:
    tally = counted(text, Grid(seconds * 1000, seconds * 1000))
    assert (tally.total, tally.peak) == (total, peak)


@pytest.mark.parametrize(
    ("text", "read", "series"),
    [
        ("one", [1, 1, 1, 1], 1),
        ("one + on () group_right () three", [4, 4, 4, 4], 4),
        ("max_over_time(one[60s])", [6, 1, 1, 1], 1),
        ("max_over_time(one[5s])", [1, 1, 1, 1], 1),
        ("max_over_time(three[60s])", [18, 3, 3, 3], 3),
        ("max_over_time(one[60s] @ 30)", [4, 0, 0, 0], 1),
    ],
)
def test_overlapping_windows_read_a_sample_once(text: str, read: list[int], series: int) -> None:
    tally = counted(text, Grid(200_000, 230_000, 10_000))
    assert tally.read_per_step.tolist() == read
    assert (tally.read, tally.series) == (sum(read), series)


@pytest.mark.parametrize(
    ("text", "per_step"),
    [
        ("one", [1, 1, 1, 1]),
        ("max_over_time(one[60s])", [6, 6, 6, 6]),
        ("max_over_time(three[60s])", [18, 18, 18, 18]),
        ("max_over_time(one[60s] @ 30)", [4, 4, 4, 4]),
        ("sum(max_over_time(one[60s:5s]))", [12, 12, 12, 12]),
        ("timestamp(three)", [3, 3, 3, 3]),
    ],
)
def test_every_step_of_a_range_query_is_counted(text: str, per_step: list[int]) -> None:
    tally = counted(text, Grid(201_000, 220_000, 5_000))
    assert tally.per_step.tolist() == per_step


def test_an_evaluation_ends_where_it_is_told_to() -> None:
    calls = iter(range(3))

    def check() -> None:
        if next(calls, None) is None:
            raise QvmonError(ErrorKind.TIMEOUT, "given up")

    stopped: Callable[[], None] = check
    grid, nothing = (
        Grid(0, 0),
        SeriesColumns(
            LabelFrame.from_labels([]), np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0)
        ),
    )
    with pytest.raises(QvmonError, match="given up"):
        evaluate(plan("a + b + c + d"), [nothing] * 4, grid, watch=Watch(check=stopped))
