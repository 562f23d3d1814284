"""Which exemplars are remembered, and how they are found again."""

from __future__ import annotations

import pytest

from qvmon.model.exemplars import Exemplar
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.promql import parse_matchers
from qvmon.stores.telemetry import ExemplarRing
from qvmon.stores.telemetry.exemplars import APPENDED, KEPT, REFUSED, refusal

A = Labels(__name__="latency_bucket", le="1", service="router")
B = Labels(__name__="latency_bucket", le="2", service="router")
EVERY = [parse_matchers('{__name__=~".+"}')]
ALWAYS = (0, 1 << 53)


def exemplar(time_ms: int, trace: str = "t", value: float = 1.0) -> Exemplar:
    return Exemplar(Labels(trace_id=trace), value, time_ms)


def ring(most: int = 10) -> ExemplarRing:
    return ExemplarRing(most, Registry())


def times(kept: ExemplarRing) -> list[list[int]]:
    return [[e.time_ms for e in s.exemplars] for s in kept.exemplars(EVERY, *ALWAYS)]


def test_series_come_in_label_order_with_their_exemplars_oldest_first() -> None:
    kept = ring()
    kept.keep([(B.encode(), exemplar(5)), (A.encode(), exemplar(7)), (B.encode(), exemplar(6))])
    found = kept.exemplars(EVERY, *ALWAYS)
    assert [each.labels for each in found] == [A, B]
    assert times(kept) == [[7], [5, 6]]


def test_matchers_and_the_interval_choose() -> None:
    kept = ring()
    kept.keep([(A.encode(), exemplar(5)), (A.encode(), exemplar(9)), (B.encode(), exemplar(9))])
    found = kept.exemplars([parse_matchers('latency_bucket{le="1"}')], 6, 9)
    assert [(each.labels, [e.time_ms for e in each.exemplars]) for each in found] == [(A, [9])]
    assert kept.exemplars(EVERY, 10, 20) == []
    assert kept.exemplars([], *ALWAYS) == []


def test_the_oldest_to_arrive_go_first() -> None:
    kept = ring(most=2)
    kept.keep([(A.encode(), exemplar(1)), (B.encode(), exemplar(2)), (B.encode(), exemplar(3))])
    assert times(kept) == [[2, 3]]


def test_none_are_kept_where_none_are_wanted() -> None:
    kept = ring(most=0)
    kept.keep([(A.encode(), exemplar(1))])
    assert kept.exemplars(EVERY, *ALWAYS) == []


@pytest.mark.parametrize(
    ("next_one", "reason"),
    [
        (exemplar(100), "duplicate"),
        (exemplar(99), "out_of_order"),
        (exemplar(100, value=2.0), ""),
        (exemplar(100, trace="u"), ""),
        (exemplar(101), ""),
        (exemplar(101, trace="x" * 120), ""),
        (exemplar(101, trace="x" * 121), "labels_too_long"),
    ],
)
def test_repeats_and_the_past_are_left_out(next_one: Exemplar, reason: str) -> None:
    assert refusal(next_one, exemplar(100)) == reason


def test_an_exemplar_without_a_time_of_its_own_is_kept_once() -> None:
    first = Exemplar(Labels(trace_id="t"), 1.0, 100, timed=False)
    again = Exemplar(Labels(trace_id="t"), 1.0, 200, timed=False)
    assert refusal(again, first) == "duplicate"


def test_what_was_kept_and_left_out_is_counted() -> None:
    registry = Registry()
    kept = ExemplarRing(10, registry)
    kept.keep([(A.encode(), exemplar(5)), (A.encode(), exemplar(5)), (A.encode(), exemplar(4))])
    assert registry.value(KEPT).current == registry.value(APPENDED).current == 1
    assert registry.value(REFUSED, "duplicate").current == 1
    assert registry.value(REFUSED, "out_of_order").current == 1
