"""Numbers in text become the nearest double, as Python's own ``float`` reads them."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import QvmonError
from qvmon.wire.decimals import BAD, OK, UNDECIDED, decimal, read_decimal


def read(text: str) -> tuple[int, float, int]:
    source = text.encode()
    return read_decimal(np.frombuffer(source, np.uint8), 0, len(source))


def value_of(text: str) -> float:
    end, value, status = read(text)
    assert end == len(text)
    return value if status == OK else decimal(text.encode())


@given(st.floats(allow_nan=False))
def test_what_repr_writes_is_read_back_bit_for_bit(number: float) -> None:
    assert struct.pack("d", value_of(repr(number))) == struct.pack("d", number)


@given(st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_any_decimal_rounds_as_python_rounds(text: str) -> None:
    assert value_of(text) == float(text)


@given(st.integers(2**52, 2**53 - 1), st.integers(0, 9))
def test_the_midpoint_of_two_doubles_rounds_to_even(mantissa: int, exponent: int) -> None:
    text = str((2 * mantissa + 1) << exponent)
    assert value_of(text) == float(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("+Inf", math.inf), ("-inf", -math.inf), ("Infinity", math.inf), (".5", 0.5), ("5.", 5.0)],
)
def test_go_spellings(text: str, expected: float) -> None:
    assert value_of(text) == expected


def test_nan_has_the_bits_of_prometheus_ordinary_nan() -> None:
    assert struct.pack(">d", value_of("NaN")).hex() == "7ff8000000000001"


@pytest.mark.parametrize("text", ["", "+", ".", "e5", "1e", "1e+", "-nan", "nope", "i", "-"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert read(text)[2] == BAD


def test_a_number_too_large_for_a_double_is_refused() -> None:
    assert read("1e400")[2] == UNDECIDED
    with pytest.raises(QvmonError, match="out of the range"):
        decimal(b"1e400")
