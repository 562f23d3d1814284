"""A query's author is told what is probably wrong, in Prometheus' words and at its place."""

from __future__ import annotations

import numpy as np
import pytest

from qvmon.model.labels import Labels
from qvmon.model.series import LabelFrame, SeriesColumns
from qvmon.promql import Grid, Matrix, Notes, Scalar, Vector, evaluate, plan

TIMES = np.arange(0, 300_001, 15_000, dtype=np.int64)


def notes(text: str, end_ms: int = 300_000, **labels: str) -> Notes:
    """Return the notes of a query over one or more rising series of these labels."""
    values = labels.pop("le", "").split(",")
    rows = [Labels({**labels, "le": le}) for le in values]
    columns = SeriesColumns(
        LabelFrame.from_labels(rows),
        np.arange(len(rows) + 1, dtype=np.int64) * len(TIMES),
        np.tile(TIMES, len(rows)),
        np.concatenate([np.arange(len(TIMES)) * (10.0 - i) for i in range(len(rows))]),
    )
    planned, grid = plan(text), Grid(300_000, end_ms, 60_000)
    result = evaluate(planned, [columns] * len(planned.selections(grid)), grid)
    assert isinstance(result, Vector | Matrix | Scalar)
    return result.notes


def test_nothing_is_noted_of_a_query_in_order() -> None:
    assert notes("sum(rate(orders_total[1m]))", __name__="orders_total") == Notes()


def test_what_is_wrong_at_two_places_is_noted_once_where_it_was_seen_last() -> None:
    found = notes("rate(speed[1m]) +\n  increase(speed[2m])", __name__="speed")
    text = (
        "PromQL info: metric might not be a counter, name does not end in "
        '_total/_sum/_count/_bucket: "speed"'
    )
    assert found == Notes(infos=(f"{text} (2:12)",))


@pytest.mark.parametrize(
    "text",
    ["quantile(1.5, up)", "quantile_over_time(1.5, up[5m])", "histogram_quantile(1.5, up)"],
)
def test_a_quantile_beyond_one_is_noted(text: str) -> None:
    found = notes(text, __name__="up", le="+Inf")
    place = text.index("1.5") + 1
    assert found.warnings == (
        f"PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:{place})",
    )


def test_a_bucket_without_a_bound_is_noted() -> None:
    found = notes("histogram_quantile(0.5, x_bucket)", __name__="x_bucket", le="1,much")
    assert found.warnings == (
        'PromQL warning: bucket label "le" is missing or has a malformed value of "much" (1:25)',
    )


def test_counts_that_fell_from_bucket_to_bucket_are_noted() -> None:
    found = notes("histogram_quantile(0.5, x_bucket)", __name__="x_bucket", le="1,2,+Inf")
    (text,) = found.infos
    assert "needed to be fixed for monotonicity" in text
    assert text.endswith(
        "from buckets 2 to +Inf, with a max diff of 40, over 1 samples "
        "from 1970-01-01T00:05:00Z to 1970-01-01T00:05:00Z (1:25)"
    )


def test_sorting_a_range_query_is_noted_as_without_effect() -> None:
    assert notes("sort(up)", __name__="up") == Notes()
    (text,) = notes("sort(up)", end_ms=360_000, __name__="up").warnings
    assert text.startswith("PromQL warning: sort is ineffective for range queries")
