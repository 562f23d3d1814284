"""Kernels are loaded when they are needed, and then behave as compiled functions do."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from qvmon.model.compiled import Kernel, kernel, kernels_of
from qvmon.model.series import Int64s


@kernel("int64(int64[::1], int64)")
def total(values: Int64s, more: int) -> int:
    return int(values.sum()) + more


@kernel("int64(int64[::1])")
def total_and_seven(values: Int64s) -> int:
    return total(values, 7)


@kernel(["float64(float64)", "int64(int64)"])
def twice(value: float) -> float:
    return value + value


def _fresh(of: object) -> Kernel:
    assert isinstance(of, Kernel)
    return Kernel(of.py_func, of._declared)


def test_nothing_is_loaded_before_the_first_call() -> None:
    kernel = _fresh(total)
    assert not kernel.signatures
    kernel(np.arange(4), 1)
    assert len(kernel.signatures) == 1


def test_the_first_call_converts_arguments_as_later_ones_do() -> None:
    kernel = _fresh(total)
    assert [kernel(np.arange(4), 2.9), kernel(np.arange(4), 2.9)] == [8, 8]


def test_each_declared_signature_is_loaded_and_chosen_by_the_arguments() -> None:
    kernel = _fresh(twice)
    assert [repr(kernel(each)) for each in (1.5, 2, 1.5)] == ["3.0", "4", "3.0"]


@pytest.mark.parametrize("loaded", [False, True])
def test_arguments_of_other_types_are_refused(loaded: bool) -> None:
    kernel = _fresh(total)
    if loaded:
        kernel.load()
    with pytest.raises(TypeError, match="No matching definition"):
        kernel(np.ones(3), 1)
    assert len(kernel.signatures) == 1, "none may be compiled for them"


def test_kernels_call_kernels() -> None:
    assert total_and_seven(np.arange(4)) == 13


def test_threads_may_make_the_first_call_at_once() -> None:
    kernel = _fresh(total)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda more: kernel(np.arange(4), more), range(8)))
    assert answers == [6 + more for more in range(8)]


def test_the_kernels_of_a_module_are_found() -> None:

    assert set(kernels_of(sys.modules[__name__])) == {total, total_and_seven, twice}
