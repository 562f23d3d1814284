"""Groups of samples as bits and back, whatever times and values they have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qvmon.model.series import STALE_BITS
from qvmon.tsdb.packing import kernels

EXTREME = st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.builds(
    lambda number, digits: int(np.float64(number / 10**digits).view(np.int64)),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.integers(0, 15),
)
COUNTS = st.builds(lambda n: int(np.float64(n).view(np.int64)), st.integers(0, 1000))
BITS = st.one_of(
    st.lists(COUNTS, min_size=17, max_size=17),
    st.lists(DECIMALS, min_size=17, max_size=17),
    st.lists(st.one_of(COUNTS, EXTREME, st.just(STALE_BITS)), min_size=17, max_size=17),
    st.builds(lambda bits: [bits] * 17, EXTREME),
)
TIMES = st.one_of(
    st.lists(EXTREME, min_size=17, max_size=17, unique=True).map(sorted),
    st.builds(
        lambda begin, step, jitter: [begin + step * i + j for i, j in enumerate(jitter)],
        st.integers(-(2**62), 2**62),
        st.integers(10, 10**6),
        st.lists(st.integers(-3, 3), min_size=17, max_size=17),
    ),
    st.builds(lambda begin, step: [begin + step * i for i in range(17)], EXTREME, EXTREME).filter(
        lambda times: -(2**63) <= times[0] < times[-1] < 2**63
    ),
)


def packed(times, bits, delta=0):
    """Return the words and bits of the samples that follow the first."""
    words = np.ones(kernels.MOST_WORDS, np.uint64)
    spare = np.ones(kernels.MOST_GROUP, np.uint64)
    known = times[0], np.uint64(delta), bits[0]
    columns = np.array(times, np.int64), np.array(bits, np.int64)
    return words, kernels.pack(*columns, 1, len(times) - 1, *known, words, spare)


@example(
    list(range(17)), [0, *np.array([9224.0, 1e-15]).view(np.int64).tolist()] + [0] * 14, 16, True
)
@given(TIMES, BITS, st.integers(0, 16), st.booleans())
def test_any_group_comes_back_bit_for_bit(times, bits, n, steady):
    times, bits = times[: n + 1], bits[: n + 1]
    delta = (times[1] - times[0]) % 2**64 if steady and n else 0
    words, length = packed(times, bits, delta)
    assert length <= 64 * (kernels.MOST_WORDS - 1)
    read_times, read_bits = np.empty(n, np.int64), np.empty(n, np.int64)
    for wanted in (0, 1):
        known = times[0], np.uint64(delta), bits[0]
        columns = read_times, read_bits, 0, wanted
        behind = kernels.unpack(words, n, n, *known, *columns)
        assert behind == (length if n else 0)
        assert read_times.tolist() == times[1:]
    assert read_bits.tolist() == bits[1:]


def floats(values) -> list[int]:
    return np.array(values, np.float64).view(np.int64).tolist()


@pytest.mark.parametrize(
    ("values", "bits_a_sample"),
    [
        ([5.0] * 17, 3 / 16),
        (np.arange(17) * 7.0, 2),
        (1e6 + np.cumsum(np.arange(17) * 37 % 100), 9),
        (np.arange(17) * 37 % 1000 / 1000, 12),
        (np.sqrt(np.arange(1, 18)), 65),
    ],
)
def test_a_steady_series_takes_few_bits(values, bits_a_sample):
    times = list(range(0, 17_000, 1_000))
    assert packed(times, floats(values), 1_000)[1] <= 16 * bits_a_sample
