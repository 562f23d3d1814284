"""What is computed in parts is what is computed at once, and can be stopped between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.series import DeferredColumns, LabelFrame, SeriesColumns
from qvmon.model.threads import workers
from qvmon.promql import Grid, Matrix, evaluate, plan
from qvmon.promql.watch import Watch
from qvmon.promql.windows import parts


def ragged(counts: list[int]) -> SeriesColumns:
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    times = np.concatenate([np.arange(count) * 10_000 for count in counts]).astype(np.int64)
    labels = [Labels({"__name__": "x", "i": str(i)}) for i in range(len(counts))]
    return SeriesColumns(LabelFrame.from_labels(labels), offsets, times, times / 1000 % 170.0)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 200), st.data())
def test_parts_make_the_whole(counts: list[int], part: int, data: st.DataObject) -> None:
    text = data.draw(
        st.sampled_from(
            ["x", "rate(x[1m])", "quantile_over_time(time() / 1000, x[1m])", "x @ 100",
             "max_over_time(x[1m] @ 100)", "predict_linear(x[2m], 60)", "timestamp(x)",
             "rate(x[1m] smoothed)", "sum(x) / count(x)", "max_over_time(rate(x[1m])[2m:30s])"]
        )
    )  # fmt: skip
    columns, grid, usual = ragged(counts), Grid(0, 300_000, 20_000), parts.PART
    sources = [columns, columns] if text.startswith("sum") else [columns]
    whole = evaluate(plan(text), sources, grid)
    parts.PART = part
    deferred = [DeferredColumns(each.labels, each.sizes + 1, each.part) for each in sources]
    try:
        several = [evaluate(plan(text), each, grid) for each in (sources, deferred)]
    finally:
        parts.PART = usual
    assert isinstance(whole, Matrix)
    for cut in several:
        assert isinstance(cut, Matrix)
        assert np.array_equal(whole.values, cut.values, equal_nan=True)
        assert np.array_equal(whole.present, cut.present)


def test_a_single_long_series_is_cut_by_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 500)
    checks: list[int] = []
    evaluate(plan("stddev_over_time(x[5m])"), [ragged([400])], Grid(0, 3_990_000, 10_000),
             watch=Watch(lambda: checks.append(1)))  # fmt: skip
    assert len(checks) > 10


def test_a_long_function_is_stopped_between_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 50)
    checks = []

    def check() -> None:
        checks.append(1)
        if len(checks) >= 5:
            raise QvmonError(ErrorKind.TIMEOUT, "enough")

    with pytest.raises(QvmonError, match="enough"):
        evaluate(plan("rate(x[1m])"), [ragged([40] * 50)], Grid(0, 300_000, 1000),
                 watch=Watch(check))  # fmt: skip
    assert len(checks) < 5 + workers(50)
