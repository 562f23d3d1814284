"""What another process computed is read as it was written."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from qvmon.model.labels import Labels
from qvmon.model.series import STALE, LabelFrame
from qvmon.promql import Matrix, Notes, Result, Samples, Scalar, Text, Vector
from qvmon.stores.query.result_files import read_result, write_result

LABELS = LabelFrame.from_labels(
    [Labels({"a": "1", "ü": "✓"}), Labels({"ü": "1"}), Labels({}), Labels({"a": "✓", "b": "x"})]
)
VALUES = np.array([1.5, np.nan, -0.0, STALE])
NOTES = Notes(("PromQL warning: ✓ (1:2)",), ("PromQL info: b (1:1)",))
NOTHING = LabelFrame.from_labels([])
TIMES = np.array([0, 30_000], np.int64)
ROWS = np.stack((VALUES, VALUES[::-1]), axis=1)

RESULTS = [
    Vector(LABELS, VALUES, 7, NOTES),
    Vector(NOTHING, np.zeros(0), 7),
    Matrix(LABELS, TIMES, ROWS, np.isfinite(ROWS), NOTES),
    Matrix(LABELS, TIMES, np.asfortranarray(ROWS), np.ones((4, 2), np.bool_)),
    Matrix(NOTHING, TIMES, np.zeros((0, 2)), np.zeros((0, 2), np.bool_)),
    Scalar(TIMES, np.array([STALE, 1.0]), NOTES),
    Text("a ✓ text", 9),
    Samples(LABELS, np.array([0, 1, 1, 2, 4]), np.arange(4), VALUES, np.arange(4), NOTES),
    Samples(LABELS, np.array([0, 1, 1, 2, 4]), np.arange(4), VALUES),
    Samples(NOTHING, np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0)),
]


def shown(result: Result) -> list[object]:
    """Every attribute as it can be compared, values by their bits."""
    if isinstance(result, Text):
        return [result]
    attributes = [getattr(result, name) for name in dir(result) if not name.startswith("_")]
    return [type(result), *map(_comparable, attributes)]


def _comparable(attribute: object) -> object:
    match attribute:
        case np.ndarray():
            return attribute.dtype.str, attribute.shape, np.ascontiguousarray(attribute).tobytes()
        case LabelFrame():
            return attribute.all_labels()
    return None if callable(attribute) else attribute


@pytest.mark.parametrize("result", RESULTS, ids=lambda each: type(each).__name__.lower())
def test_a_result_comes_back_bit_for_bit_though_its_files_are_gone(
    result: Result, tmp_path: Path
) -> None:
    write_result(result, tmp_path / "result")
    found = read_result(tmp_path / "result")
    shutil.rmtree(tmp_path / "result")
    assert shown(found) == shown(result)


def test_a_result_may_be_changed_by_its_reader(tmp_path: Path) -> None:
    """As one that was computed here."""
    write_result(Vector(LABELS, VALUES, 7), tmp_path / "result")
    found = read_result(tmp_path / "result")
    assert isinstance(found, Vector)
    found.values[0] = 2.0
    assert found.values[0] == 2.0
