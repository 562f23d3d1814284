"""Durations are read and printed as Prometheus does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import QvmonError
from qvmon.promql import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1d2h3m4s5ms", 93_784_005),
        ("2w", 1209600000),
    ],
)
def test_units_add_up(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["", "5", "m", "1m1h", "1m1m", "-5m", "1.5h", "5 m", "300000y"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(QvmonError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0s"), (90_000, "1m30s"), (90 * 86_400_000, "90d"), (7 * 86_400_000, "1w"), (-1, "-1ms")],
)
def test_the_largest_units_that_read_well_are_printed(milliseconds: int, text: str) -> None:
    assert format_duration(milliseconds) == text


@given(st.integers(min_value=0, max_value=9 * 10**12))
def test_what_is_printed_reads_back_the_same(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds)) == milliseconds
