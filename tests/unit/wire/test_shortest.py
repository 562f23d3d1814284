"""Floats become the shortest digits that read back the same: those that ``repr`` finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from qvmon.wire.shortest import LONGEST_FLOAT_BYTES, put_float


def spelled(values: NDArray[np.float64]) -> list[str]:
    out, texts = np.zeros(LONGEST_FLOAT_BYTES, np.uint8), []
    for bits in values.view(np.uint64):
        end = put_float(out, 0, bits)
        assert end < LONGEST_FLOAT_BYTES
        texts.append(out[:end].tobytes().decode())
    return texts


def digits(text: str) -> str:
    """The significant digits of a number's text."""
    return text.lstrip("-").partition("e")[0].replace(".", "").strip("0")


RNG = np.random.default_rng(11)


@pytest.mark.parametrize(
    "values",
    [
        RNG.integers(0, 1 << 64, 20_000, dtype=np.uint64).view(np.float64),
        np.arange(1, 2000, dtype=np.uint64).view(np.float64),
        np.ldexp(1.0, np.arange(-1074, 1024)),
        np.round(RNG.random(5000) * 1e6, 3),
        RNG.integers(-(1 << 60), 1 << 60, 5000).astype(np.float64),
    ],
    ids=["any bits", "the smallest", "powers of two", "short decimals", "integers"],
)
def test_every_float_has_the_digits_that_repr_finds(values: NDArray[np.float64]) -> None:
    finite = values[np.isfinite(values)]
    for value, text in zip(finite.tolist(), spelled(finite), strict=True):
        assert float(text) == value
        assert digits(text) == digits(repr(value))
