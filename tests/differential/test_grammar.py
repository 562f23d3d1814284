"""The parts of the differential tests that need no server."""

from __future__ import annotations

import math
import random
from pathlib import Path

from tests.differential.accepted import ACCEPTED, AMPLIFIED, CANCELLED, CHOSEN
from tests.differential.accepted_deviations import ACCEPTED_DEVIATIONS
from tests.differential.answers import Order, compare, same, tied
from tests.differential.datasets import dataset, metrics
from tests.differential.grammar import Grammar, broken
from tests.differential.syntax_tree import Kind, optional, smaller, vector


def _grammar(seed: int) -> Grammar:
    return Grammar(random.Random(seed), metrics(dataset(seed)))


def test_a_seed_makes_the_same_queries_again() -> None:
    """What was found once is found again."""
    first, second = _grammar(5), _grammar(5)
    assert [str(first.query()) for _ in range(200)] == [str(second.query()) for _ in range(200)]


def test_queries_use_every_kind_of_operator() -> None:
    """Nothing of the language is forgotten in a few thousand queries."""
    grammar = _grammar(7)
    text = " ".join(str(grammar.query()) for _ in range(4000))
    wanted = "offset @ [ : without group_left fill smoothed anchored limitk info( atan2 unless bool"
    assert [word for word in wanted.split() if word not in text] == []


def test_a_seed_makes_the_same_series_again() -> None:
    """A data set is its seed; its timestamps rise within each series."""
    first, second = dataset(3), dataset(3)
    assert [s.labels for s in first] == [s.labels for s in second]
    for one, other in zip(first, second, strict=True):
        assert [t for t, _ in one.samples] == sorted({t for t, _ in other.samples})


def test_smaller_trees_keep_their_kind() -> None:
    """Shrinking replaces a vector by a vector, and leaves out what may be left out."""
    tree = vector("abs(", vector("load", optional(" offset 5m")), ")")
    assert {str(each) for each in smaller(tree)} >= {"load offset 5m", "abs(load)", "vector(1)"}
    assert all(each.kind is Kind.VECTOR for each in smaller(tree))


def test_a_broken_query_differs() -> None:
    """Tokens are lost, doubled or swapped."""
    rng = random.Random(1)
    assert any(broken(rng, "sum(load) by (job)") != "sum(load) by (job)" for _ in range(5))


def test_values_are_compared_as_numbers() -> None:
    """A rounding error is none; a digit, an infinity or a NaN is a difference."""
    assert same("0.1", "0.10000000000000002")
    assert same("NaN", "NaN")
    assert not same("1", "1.00000001")
    assert not same("+Inf", "-Inf")
    assert not same("NaN", str(math.pi))


def test_answers_are_compared_by_series_and_time() -> None:
    """A series that only one has, or a point at another time, is told."""

    def answered(value: str, **labels: str) -> dict[str, object]:
        result = [{"metric": labels, "values": [[1, value]]}]
        data = {"resultType": "matrix", "result": result}
        return {"http": 200, "status": "success", "data": data}

    one = answered("1", job="a")
    assert compare(one, one) is None
    other = compare(one, answered("1", job="b"))
    assert other is not None
    assert other.sort == "series"
    value = compare(one, answered("2", job="a"))
    assert value is not None
    assert value.sort == "value"


def _vector(**values: str) -> dict[str, object]:
    result = [{"metric": {"n": name}, "value": [1, value]} for name, value in values.items()]
    data = {"resultType": "vector", "result": result}
    return {"http": 200, "status": "success", "data": data}


def test_sorted_answers_may_differ_only_among_equals() -> None:
    """Prometheus' sort is not stable; an order of values is an order nonetheless."""
    assert compare(_vector(a="1", b="1", c="2"), _vector(b="1", a="1", c="2"), Order.VALUES) is None
    found = compare(_vector(a="1", c="2"), _vector(c="2", a="1"), Order.VALUES)
    assert found is not None
    assert found.sort == "order"


def test_a_choice_among_equals_is_told_from_a_wrong_choice() -> None:
    """Of two series of value 1 either is one of the two greatest; of limitk any is."""
    assert tied("topk", _vector(a="2", b="1"), _vector(a="2", c="1"))
    assert not tied("topk", _vector(a="2", b="1"), _vector(a="2", c="0"))
    assert not tied("topk", _vector(a="2", b="1"), _vector(a="2"))
    assert tied("limitk", _vector(a="2"), _vector(c="0"))


def test_every_accepted_difference_stands_in_the_documentation() -> None:
    """Nothing is accepted in silence."""
    root = Path(__file__).parent.parent.parent
    page = (root / "docs/learn/promql-differences.md").read_text().lower()
    told = [
        AMPLIFIED,
        CANCELLED,
        CHOSEN,
        *(each.reason for each in (*ACCEPTED, *ACCEPTED_DEVIATIONS)),
    ]
    assert [reason for reason in told if reason.lower() not in page] == []
