"""Values as decimals and back: bit for bit, whatever they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.tsdb.block import kernels

ANY_BITS = st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.builds(
    lambda number, digits: int(np.float64(number / 10**digits).view(np.int64)),
    st.integers(-(2**53), 2**53),
    st.integers(0, 9),
)
SERIES = st.lists(st.lists(st.one_of(DECIMALS, DECIMALS, ANY_BITS), max_size=12), max_size=6)


def split(series: list[list[int]]):
    """Return the split values, their bits and where each series begins."""
    offsets = np.cumsum([0, *map(len, series)]).astype(np.int64)
    bits = np.array([each for some in series for each in some], np.int64)
    bases, divisors = np.zeros(len(series), np.int64), np.ones(len(series))
    mantissas, exact = np.empty(len(bits), np.int64), np.empty(len(bits), np.bool_)
    kernels.to_decimals(offsets, bits.view(np.float64), bases, divisors, mantissas, exact)
    return offsets, bits, bases, divisors, mantissas, exact


def joined(offsets, bits, bases, divisors, mantissas, exact, first=0, last=None):
    values = np.empty(len(bits[first:last]), np.float64)
    kernels.from_decimals(mantissas[first:last], first, offsets, bases, divisors, values)
    kernels.put_exact(bits.view(np.float64)[first:last], exact[first:last], values)
    return values.view(np.int64)


@given(SERIES)
def test_any_values_come_back_bit_for_bit(series):
    parts = split(series)
    assert joined(*parts).tolist() == parts[1].tolist()


@given(SERIES, st.data())
def test_any_part_of_the_rows_comes_back(series, data):
    parts = split(series)
    total = len(parts[1])
    first = data.draw(st.integers(0, max(0, total - 1)))
    last = data.draw(st.integers(first, total))
    assert joined(*parts, first, last).tolist() == parts[1][first:last].tolist()


@given(st.integers(0, 9), st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20))
def test_short_decimals_need_no_exact_value(digits, numbers):
    values = [int(np.float64(number / 10**digits).view(np.int64)) for number in numbers]
    _, _, bases, divisors, mantissas, exact = split([values])
    assert not exact.any()
    assert divisors[0] <= 10**digits
    back = [(int(bases[0]) + each) / divisors[0] for each in mantissas.tolist()]
    assert back == [number / 10**digits for number in numbers]


@pytest.mark.parametrize("odd", [-0.0, float("inf"), float("-inf"), float("nan"), 1 / 3, 1e300])
def test_an_odd_value_is_the_only_exact_one_of_its_series(odd):
    values = np.array([1.5, odd, 2.5]).view(np.int64).tolist()
    assert split([values])[5].tolist() == [False, True, False]


def test_a_series_goes_on_where_the_one_before_ended():
    """So that its first difference, which Parquet packs together with others, is none."""
    rising = np.arange(1e6, 1e6 + 5).view(np.int64).tolist()
    falling = (np.arange(5, 0, -1) / 4).view(np.int64).tolist()
    mantissas = split([rising, falling])[4].tolist()
    first = mantissas[0]
    assert [each - first for each in mantissas] == [0, 1, 2, 3, 4, 4, -21, -46, -71, -96]
