"""Grouping of series agrees with plain Python that imports nothing of ours."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.labels import Labels
from qvmon.model.series import Bools, LabelFrame, SeriesKeys
from qvmon.promql.groups import kernels
from qvmon.promql.sheet import joined, label_order, row_groups

_LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y", "z"])).map(Labels)
_CELL = st.one_of(st.none(), st.integers(-20, 20).map(float))


def arrays(rows: list[list[float | None]]) -> tuple[np.ndarray, np.ndarray]:
    """Return values and presence of rows with gaps."""
    present = np.array([[v is not None for v in row] for row in rows], np.bool_)
    return np.array([[v or 0.0 for v in row] for row in rows]), present


_TABLE = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(_CELL, min_size=3, max_size=3), min_size=n, max_size=n),
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
    )
)

BY_HAND = {
    "sum": math.fsum,
    "avg": statistics.fmean,
    "min": min,
    "max": max,
    "count": len,
    "group": lambda values: 1,
    "stddev": statistics.pstdev,
    "stdvar": statistics.pvariance,
}


@pytest.mark.parametrize("operator", BY_HAND)
@given(table=_TABLE)
@settings(deadline=None)
def test_a_group_is_reduced_to_one_number_at_each_step(
    operator: str, table: tuple[list[list[float | None]], list[int]]
) -> None:
    rows, groups = table
    values, present = arrays(rows)
    of = np.array(groups, np.int64)
    out, there = kernels.reduce_groups(kernels.GROUPED[operator], values, present, of, 3)
    members = defaultdict(list)
    for row, group in zip(rows, groups, strict=True):
        for step, value in enumerate(row):
            if value is not None:
                members[group, step].append(value)
    for group in range(3):
        for step in range(3):
            assert there[group, step] == bool(members[group, step])
            if members[group, step]:
                by_hand = BY_HAND[operator](members[group, step])
                assert out[group, step] == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize("top_rows", [kernels.top_rows, kernels.few_top_rows])
@given(table=_TABLE, limit=st.integers(0, 4), largest=st.booleans())
@settings(deadline=None)
def test_the_first_few_of_each_group_are_kept(
    top_rows: Callable[..., Bools],
    table: tuple[list[list[float | None]], list[int]],
    limit: int,
    largest: bool,
) -> None:
    rows, groups = table
    values, present = arrays(rows)
    limits = np.full(3, limit, np.int64)
    of = np.array(groups, np.int64)
    kept = top_rows(values, present, of, 3, limits, largest)
    for step in range(3):
        for group in range(3):
            there = [
                (row[step], i)
                for i, (row, g) in enumerate(zip(rows, groups, strict=True))
                if g == group and row[step] is not None
            ]
            there.sort(key=lambda pair: (-pair[0] if largest else pair[0], pair[1]))
            assert {i for i in np.flatnonzero(kept[:, step]) if groups[i] == group} == {
                i for _, i in there[:limit]
            }


@pytest.mark.parametrize("top_rows", [kernels.top_rows, kernels.few_top_rows])
def test_not_a_number_is_the_last_to_be_kept(top_rows: Callable[..., Bools]) -> None:
    values = np.array([[math.nan], [1.0], [-math.inf]])
    one = np.zeros(3, np.int64)
    present = np.ones((3, 1), np.bool_)
    for largest in (True, False):
        kept = top_rows(values, present, one, 1, np.array([2]), largest)
        assert kept.ravel().tolist() == [False, True, True]


@given(st.lists(_LABELS, max_size=12))
def test_equal_label_sets_are_one_group_numbered_by_first_appearance(
    all_labels: list[Labels],
) -> None:
    groups, first = row_groups(LabelFrame.from_labels(all_labels).codes)
    seen = list(dict.fromkeys(all_labels))
    assert groups.tolist() == [seen.index(each) for each in all_labels]
    assert [all_labels[row] for row in first] == seen


@given(st.lists(_LABELS, max_size=8), st.lists(_LABELS, max_size=8))
def test_frames_with_different_symbols_are_joined(left: list[Labels], right: list[Labels]) -> None:
    both = joined((LabelFrame.from_labels(left), LabelFrame.from_labels(right)))
    assert both.all_labels() == left + right


@given(st.lists(_LABELS, max_size=12, unique=True))
def test_rows_are_ordered_as_their_labels_are(all_labels: list[Labels]) -> None:
    order = label_order(LabelFrame.from_labels(all_labels))
    assert [all_labels[row] for row in order] == sorted(all_labels, key=Labels.pairs)


@pytest.mark.parametrize(
    ("key", "digest"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_keys_are_hashed_by_xxh64(key: bytes, digest: int) -> None:
    keys = SeriesKeys.from_bytes([b"other", key])
    assert int(kernels.hash_keys(keys.arena, keys.offsets)[1]) == digest
