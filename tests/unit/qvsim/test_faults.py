"""Faults: what may be asked for, and what it means to a workflow."""

from random import Random

import pytest
from pydantic import ValidationError

from qvsim.faults import FAULT, Conditions, ErrorsFault, FeedGapFault, LatencyFault


def test_a_fault_is_told_by_its_kind_and_has_defaults() -> None:
    assert FAULT.validate_python({"kind": "latency", "factor": 3}) == LatencyFault(factor=3)
    assert FAULT.validate_python({"kind": "errors"}) == ErrorsFault(rate=0.2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "gremlins"},
        {"kind": "latency", "factor": 0},
        {"kind": "errors", "rate": 1.5},
        {"kind": "crash", "factor": 2},
        {"kind": "feed-gap", "size": -1},
        {},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FAULT.validate_python(wrong)


def test_conditions_are_exactly_the_faults_last_told() -> None:
    conditions = Conditions()
    gap = FeedGapFault(seconds=5, size=7)
    conditions.change([LatencyFault(factor=4), gap])
    assert (conditions.latency_factor, conditions.feed_gap) == (4, gap)
    conditions.change([])
    assert (conditions.latency_factor, conditions.feed_gap) == (1, None)


def test_an_errors_fault_adds_its_rate_to_the_usual_one() -> None:
    conditions, random = Conditions(), Random(1)
    assert not any(conditions.fails(random, 0) for _ in range(1000))
    conditions.change([ErrorsFault(rate=0.3)])
    assert 250 < sum(conditions.fails(random, 0) for _ in range(1000)) < 350
