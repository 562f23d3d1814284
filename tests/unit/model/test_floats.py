"""Floats are read and printed as Go does."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import QvmonError
from qvmon.model.floats import format_decimal, format_float, parse_float


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (1e6, "1000000"),
        (123456789.125, "123456789.125"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1.5e300, "-1.5e+300"),
        (1e-6, "0.000001"),
        (1.25e-7, "1.25e-07"),
        (0.1 + 0.2, "0.30000000000000004"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_values_print_as_in_prometheus_json(value: float, text: str) -> None:
    assert format_float(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e21, "1" + "0" * 21), (1.25e-7, "0.000000125"), (-2.5e16, "-25000000000000000")],
)
def test_decimals_never_have_an_exponent(value: float, text: str) -> None:
    assert format_decimal(value) == text


@given(st.floats(allow_nan=False))
def test_what_is_printed_reads_back_the_same(value: float) -> None:
    assert parse_float(format_float(value)) == value
    assert parse_float(format_decimal(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31.0),
        ("0x1.8p1", 3.0),
        ("1_000.5", 1000.5),
        (".5e+2", 50.0),
        ("+Inf", math.inf),
        ("-inf", -math.inf),
        ("Infinity", math.inf),
    ],
)
def test_go_syntax_is_read(text: str, value: float) -> None:
    assert parse_float(text) == value


def test_nan_is_read_in_any_case() -> None:
    assert math.isnan(parse_float("nAn"))


@pytest.mark.parametrize("text", ["", "-", "1__0", "0x", "1e", "1,5", " 1", "one", "1.2.3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(QvmonError):
        parse_float(text)
