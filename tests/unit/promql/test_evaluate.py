"""What no script of Prometheus shows: sources, plans, shapes of results."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.model.series import LabelFrame, Selection, SeriesColumns
from qvmon.promql import Grid, Matrix, Result, Samples, Scalar, Text, Vector, evaluate, plan

EVERY_10S = np.arange(0, 600_001, 10_000, dtype=np.int64)


def store(series: dict[str, float]) -> list[tuple[Labels, float]]:
    """Return series such as ``name a=1 b=2`` that rise by a number every ten seconds."""
    out = []
    for text, slope in series.items():
        name, *pairs = text.split()
        out.append((Labels([("__name__", name), *(tuple(p.split("=")) for p in pairs)]), slope))
    return out


def select(series: Sequence[tuple[Labels, float]], selection: Selection) -> SeriesColumns:
    """Return a selection from a store."""
    hits = [
        (labels, slope)
        for labels, slope in series
        if all(m.matches(labels.get(m.name, "")) for m in selection.matchers)
    ]
    inside = (selection.start_ms <= EVERY_10S) & (selection.end_ms >= EVERY_10S)
    times = EVERY_10S[inside]
    values = [np.arange(len(EVERY_10S))[inside] * slope for _, slope in hits]
    return SeriesColumns(
        LabelFrame.from_labels([labels for labels, _ in hits]),
        np.arange(len(hits) + 1, dtype=np.int64) * len(times),
        np.tile(times, len(hits)),
        np.concatenate([np.zeros(0), *values]),
    )


def ask(series: dict[str, float], text: str, grid: Grid, **options: bool) -> Result:
    """Return the result of a query; every selection gets symbols of its own."""
    planned, rows = plan(text), store(series)
    columns = [select(rows, each) for each in planned.selections(grid)]
    return evaluate(planned, columns, grid, **options)


AT = Grid(300_000, 300_000)
OVER = Grid(300_000, 420_000, 60_000)


def as_dict(result: Result) -> dict[Labels, float]:
    """Return an instant vector as a dictionary."""
    assert isinstance(result, Vector)
    return dict(zip(result.labels.all_labels(), result.values.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("up", (1, 300_000)),
        ("up offset 1m", (-59_999, 240_000)),
        ("up @ 100", (-199_999, 100_000)),
        ("rate(up[5m])", (1, 300_000)),
        ("rate(up[1m] offset 2m)", (120_001, 180_000)),
        ("max_over_time(up[2m:30s])", (-89_999, 300_000)),
        ("increase(up[1m] anchored)", (-59_999, 300_000)),
        ("increase(up[1m] smoothed)", (-59_999, 600_000)),
    ],
)
def test_a_plan_asks_for_exactly_what_its_windows_see(text: str, interval: tuple[int, int]) -> None:
    (selection,) = plan(text).selections(AT)
    assert (selection.start_ms, selection.end_ms) == interval


def test_a_range_query_asks_once_for_all_its_steps() -> None:
    (selection,) = plan("rate(up[1m])").selections(OVER)
    assert (selection.start_ms, selection.end_ms) == (240_001, 420_000)


def test_every_selector_is_listed_in_the_order_of_the_text() -> None:
    names = [s.matchers[-1].value for s in plan("a + sum(b) / max_over_time(c[5m])").selections(AT)]
    assert names == ["a", "b", "c"]


def test_operands_from_sources_with_different_symbols_find_each_other() -> None:
    """Label codes mean something only beside their own symbols."""
    series = {"a x=1 y=2": 1.0, "a x=2 y=1": 2.0, "b y=1 x=2": 4.0}
    assert as_dict(ask(series, "a / b", AT)) == {Labels(x="2", y="1"): 0.5}


def test_an_instant_query_yields_a_vector_and_a_range_query_a_sorted_matrix() -> None:
    series = {"a x=2": 1.0, "a x=1": 2.0}
    instant = ask(series, "a", AT)
    assert isinstance(instant, Vector)
    assert instant.time_ms == 300_000
    result = ask(series, "a", OVER)
    assert isinstance(result, Matrix)
    assert [labels["x"] for labels in result.labels.all_labels()] == ["1", "2"]
    assert result.values.tolist() == [[60.0, 72.0, 84.0], [30.0, 36.0, 42.0]]
    assert result.times.tolist() == [300_000, 360_000, 420_000]


def test_a_range_query_of_one_step_can_still_yield_a_matrix() -> None:
    grid = Grid(300_000, 300_000, 60_000)
    assert isinstance(ask({"a": 1.0}, "a", grid, as_matrix=True), Matrix)


def test_numbers_and_strings_have_results_of_their_own() -> None:
    number = ask({}, "1 + 2", OVER)
    assert isinstance(number, Scalar)
    assert number.values.tolist() == [3.0, 3.0, 3.0]
    assert ask({}, '("text")', AT) == Text("text", 300_000)


def test_a_range_selector_yields_the_samples_of_its_window() -> None:
    result = ask({"a x=1": 1.0, "b": 1.0}, "a[25s]", AT)
    assert isinstance(result, SeriesColumns)
    assert result.timestamps.tolist() == [280_000, 290_000, 300_000]
    assert result.values.tolist() == [28.0, 29.0, 30.0]


def test_series_without_any_value_are_left_out() -> None:
    result = ask({"a x=1": 1.0, "a x=2": 3.0}, "a > 100", OVER)
    assert isinstance(result, Matrix)
    assert [labels["x"] for labels in result.labels.all_labels()] == ["2"]
    assert result.present.tolist() == [[False, True, True]]


def test_buffers_that_must_not_be_written_to_are_read() -> None:
    planned = plan("sum by (x) (rate(a[1m])) + count(a)")
    rows = store({"a x=1": 1.0})
    columns = []
    for each in planned.selections(AT):
        found = select(rows, each)
        for array in (found.offsets, found.timestamps, found.values):
            array.setflags(write=False)
        columns.append(found)
    result = evaluate(planned, columns, AT)
    assert not isinstance(result, Text)
    assert len(result.values) == 0 or result.values.tolist() == [1.1]


def test_names_dropped_by_functions_collide_at_once_or_at_the_end() -> None:
    series = {"a x=1": 1.0, "b x=1": 1.0}
    text = 'sum by (__name__) (rate({x="1"}[1m]))'
    with pytest.raises(QvmonError, match="same labelset"):
        ask(series, text, AT)
    kept = ask(series, f'label_replace({text}, "n", "$1", "__name__", "(.*)")', AT,
               drop_names_late=True)  # fmt: skip
    assert set(as_dict(kept)) == {Labels(n="a"), Labels(n="b")}


def test_long_chains_of_operators_are_evaluated() -> None:
    assert as_dict(ask({"a": 1.0}, "a" + " + a" * 290, AT)) == {Labels(): 30.0 * 291}


def test_nothing_selected_is_an_empty_result() -> None:
    for text in ("a", "rate(a[5m])", "sum(a)", "topk(3, a)", "a + a", "a or b", "-a",
                 'count_values("v", a)', "histogram_quantile(0.9, a)", "quantile(0.5, a)",
                 'label_replace(a, "x", "$1", "y", "(.*)")', "max_over_time(a[5m:1m])",
                 "limit_ratio(0.5, a)", "sort(a)"):  # fmt: skip
        assert as_dict(ask({}, text, AT)) == {}
        result = ask({}, text, OVER)
        assert isinstance(result, Matrix)
        assert len(result) == 0


def test_values_are_counted_without_a_pass_for_each_of_them() -> None:
    """Ten thousand distinct values take one sort, not ten thousand comparisons of everything."""
    series = {f"a i={i} j={i % 2}": float(i) for i in range(200)}
    result = ask(series, 'count_values by (j) ("v", a)', Grid(0, 490_000, 10_000))
    assert isinstance(result, Matrix)
    assert len(result) > 4000
    assert np.where(result.present, result.values, 0).sum() == 200 * 50


def test_a_label_that_is_grouped_away_does_not_tell_values_apart() -> None:
    series = {"a i=1": 1.0, "a i=2": 2.0}
    counted = ask(series, 'count_values without (v, i) ("v", a)', AT)
    assert as_dict(counted) == {Labels(): 2.0}


def test_the_best_of_an_instant_query_come_first() -> None:
    series = {"a x=1": 1.0, "a x=2": 3.0, "a x=3": 2.0}
    order = [labels["x"] for labels in as_dict(ask(series, "topk(2, a)", AT))]
    assert order == ["2", "3"]
    order = [labels["x"] for labels in as_dict(ask(series, "sort(a)", AT))]
    assert order == ["1", "3", "2"]


def test_a_range_vector_comes_in_the_order_of_its_labels() -> None:
    series = {"b x=2": 1.0, "b x=1": 1.0, "a x=3": 1.0}
    for text in ('{__name__=~".+"}[1m]', '({__name__=~".+"} > 0)[1m:30s]'):
        result = ask(series, text, AT)
        assert isinstance(result, Samples)
        assert [each["x"] for each in result.labels.all_labels()] == ["3", "1", "2"]


def test_the_last_subquery_drops_the_names_that_its_functions_dropped_late() -> None:
    result = ask({"b x=2": 1.0}, "abs(b)[1m:30s]", AT, drop_names_late=True)
    assert isinstance(result, Samples)
    assert result.labels.all_labels() == [Labels(x="2")]


def test_windows_are_cut_where_the_last_series_has_no_sample() -> None:
    labels = LabelFrame.from_labels([Labels(__name__="a", n="1"), Labels(__name__="a", n="2")])
    offsets = np.array([0, 2, 2], np.int64)
    columns = SeriesColumns(labels, offsets, np.array([250_000, 300_000]), np.array([1.0, 4.0]))
    result = evaluate(plan("max_over_time(a[5m])"), [columns], AT)
    assert as_dict(result) == {Labels(n="1"): 4.0}


def test_names_that_are_dropped_late_still_sort() -> None:
    series = {"a x=2": 1.0, "b x=1": 1.0}
    result = ask(series, 'sort_by_label(abs({x=~".+"}), "y")', AT, drop_names_late=True)
    assert isinstance(result, Vector)
    assert [each["x"] for each in result.labels.all_labels()] == ["2", "1"]


def test_a_subquery_without_a_step_has_nothing_to_note() -> None:
    result = ask({"a x=2": 1.0}, 'sort_by_label(a, "x")[1m:7m]', AT)
    assert isinstance(result, Samples)
    assert result.notes.warnings == ()
