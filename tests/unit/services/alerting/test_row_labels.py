import numpy as np

from qvmon.model.labels import Labels
from qvmon.model.series import LabelFrame, SymbolTable
from qvmon.services.alerting.row_labels import RowLabels

A, B, C = (Labels(i=i, j="x") for i in "abc")


def test_labels_are_the_same_objects_while_the_series_are_the_same() -> None:
    frame, rows = LabelFrame.from_labels([A, B, C]), RowLabels()
    first = rows.of(frame)
    assert first == (A, B, C)
    assert rows.of(frame.take(np.array([0, 1, 2]))) is first
    changed = rows.of(frame.take(np.array([2, 0])))
    assert changed == (C, A)
    assert changed[0] is first[2]
    assert rows.of(frame) == (A, B, C)


def test_codes_of_other_symbols_or_names_are_not_mixed_up() -> None:
    rows = RowLabels()
    codes = np.array([[1, 2]], np.int32)
    one, other = SymbolTable(["a", "x"]), SymbolTable(["b", "y"])
    assert rows.of(LabelFrame(("i", "j"), codes, one)) == (Labels(i="a", j="x"),)
    assert rows.of(LabelFrame(("i", "j"), codes, other)) == (Labels(i="b", j="y"),)
    assert rows.of(LabelFrame(("k", "l"), codes, other)) == (Labels(k="b", l="y"),)


def test_rows_may_have_no_labels_at_all() -> None:
    rows, frame = RowLabels(), LabelFrame.from_labels([Labels()])
    assert rows.of(frame) == (Labels(),)
    assert rows.of(frame.take(np.array([], np.int64))) == ()
    assert rows.of(frame) == (Labels(),)
