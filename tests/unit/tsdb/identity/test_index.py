"""The index: identity, matching and label frames."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.series import SeriesKeys
from qvmon.tsdb.identity import postings
from qvmon.tsdb.identity.index import Index

names = st.sampled_from(["__name__", "a", "instance", "ü", "service"])
values = st.sampled_from(["", "a", "b", "ab", "web-1", "web-2", "π", "x" * 300, "a|b"])
label_sets = st.dictionaries(names, values, max_size=5)
expressions = st.sampled_from(["a", "a|b", "web-.*", ".*", ".+", "", "a|", "[ab]+", "π", "nothing"])
matchers = st.tuples(
    st.sampled_from(["=", "!=", "=~", "!~"]), names, st.one_of(expressions, values)
)


def _holds(operator: str, wanted: str, value: str) -> bool:
    if operator in {"=", "!="}:
        return (value == wanted) is (operator == "=")
    return (re.fullmatch(wanted, value) is not None) is (operator == "=~")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(label_sets, max_size=12), max_size=4), st.lists(matchers, max_size=3))
def test_matching_agrees_with_asking_each_series(batches, conditions):
    """Also as series are added between the questions, and in either layer of the postings."""
    index = Index(1_000)
    expected: list[dict[str, str]] = []
    for batch in batches:
        index.ids(SeriesKeys.from_labels([Labels(each) for each in batch]))
        for labels in ({k: v for k, v in each.items() if v} for each in batch):
            if labels not in expected:
                expected.append(labels)
        found = index.match([Matcher(name, MatchOp(op), text) for op, name, text in conditions])
        assert found.tolist() == [
            number
            for number, labels in enumerate(expected)
            if all(_holds(op, text, labels.get(name, "")) for op, name, text in conditions)
        ]
    everything = np.arange(len(index))
    assert [dict(each) for each in index.frame(everything).all_labels()] == expected


def test_ids_are_given_in_order_of_arrival_and_stay():
    index = Index(10)
    keys = SeriesKeys.from_labels([Labels(a="1"), Labels(a="2"), Labels(a="1"), Labels()])
    assert index.ids(keys).tolist() == [0, 1, 0, 2]
    assert index.ids(keys).tolist() == [0, 1, 0, 2]
    assert index.keys(np.array([2, 0])).key(1) == Labels(a="1").encode()


def test_many_series_survive_growing_tables(monkeypatch):
    monkeypatch.setattr(postings, "_SMALL_TAIL", 50)
    index = Index(30_000)
    all_labels = [Labels(n=str(i), group=str(i % 7)) for i in range(20_000)]
    for start in range(0, 20_000, 5_000):
        index.ids(SeriesKeys.from_labels(all_labels[start : start + 5_000]))
        third = index.match([Matcher("group", MatchOp.EQUAL, "3")])
        assert third.tolist() == list(range(3, start + 5_000, 7))
    keys = SeriesKeys.from_labels(all_labels)
    assert index.ids(keys).tolist() == list(range(20_000))


def test_a_frame_has_sorted_names_and_code_zero_for_an_absent_label():
    index = Index(10)
    ids = index.ids(SeriesKeys.from_labels([Labels(z="1"), Labels(b="1", z="2")]))
    frame = index.frame(ids)
    assert frame.names == ("b", "z")
    assert frame.codes[0, 0] == 0
    assert frame.symbols[0] == ""
    assert frame.codes[1, 0] == frame.codes[0, 1]
    assert index.frame(ids[:0]).names == ()


@pytest.mark.parametrize(
    "key",
    [
        b"\x01b\x01x\x01a\x01x",  # names descending
        b"\x01a\x01x\x01a\x01y",  # a name twice
        b"\x01a\x00",  # an empty value
        b"\x01a",  # no value
        b"\x05a",  # ends inside a string
        b"\x80",  # ends inside a length
        b"\xff\xff\xff\xff\xff\xff\xff\x7f",  # a length beyond reason
    ],
)
def test_bytes_that_are_no_labels_are_refused_and_nothing_is_added(key):
    index = Index(10)
    good = Labels(a="1").encode()
    with pytest.raises(QvmonError, match="not canonical") as caught:
        index.ids(SeriesKeys.from_bytes([good, key]))
    assert caught.value.kind is ErrorKind.INVALID
    assert caught.value.context["row"] == 1
    assert len(index) == 0


def test_a_series_with_more_labels_than_an_index_takes_gets_no_id():
    index = Index(10)
    bomb = Labels({f"l{i:04}": "x" for i in range(2_000)})
    ids = index.ids(SeriesKeys.from_labels([bomb, Labels(a="1")]))
    assert ids.tolist() == [-1, 0]
    assert index.frame(np.array([0])).all_labels() == [Labels(a="1")]


def test_series_with_more_labels_than_there_is_room_for_are_refused_and_harm_no_other():
    """Their strings are few, their pairs of a name and a value are not."""
    index = Index(1)
    labels = [Labels({f"l{i}": f"v{(i + j) % 60}" for i in range(60)}) for j in range(60)]
    labels = [Labels(__name__=f"m{n}", **dict(each)) for n in range(30) for each in labels]
    wide = Index(len(labels))
    keys = SeriesKeys.from_labels(labels)
    assert wide.ids(keys).tolist() == list(range(len(labels)))
    assert wide.match([Matcher("l7", MatchOp.EQUAL, "v9")]).tolist() == list(range(2, 1800, 60))
    assert wide.frame(np.array([61])).all_labels() == [labels[61]]
    assert np.count_nonzero(index.ids(keys, unlimited=True) >= 0) == index.capacity
    assert sum(each.value for each in index.refused(100)) == len(labels) - index.capacity


def test_pairs_beyond_all_room_are_refused_not_written_elsewhere():
    index = Index(2_000)
    many = [Labels({f"l{i}": f"v{i * j % 1009}" for i in range(60)}) for j in range(2_000)]
    keys = SeriesKeys.from_labels(many)
    found = index.ids(keys)
    fits = np.flatnonzero(found >= 0)
    assert 0 < len(fits) < len(many)
    assert index.frame(found[fits]).all_labels() == [many[at] for at in fits]
    assert index.ids(keys).tolist() == found.tolist()
