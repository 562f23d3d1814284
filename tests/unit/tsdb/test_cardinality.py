"""Cardinality: counted as plain dictionaries count it."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.labels import Labels
from qvmon.model.series import SampleBatch, SeriesKeys
from qvmon.tsdb.cardinality import cardinality
from qvmon.tsdb.head.head import Admission, Head
from qvmon.tsdb.identity.index import Index

label_sets = st.lists(
    st.dictionaries(
        st.sampled_from(["__name__", "job", "instance"]), st.sampled_from("abcdé"), min_size=1
    ),
    unique_by=lambda each: tuple(sorted(each.items())),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(label_sets, st.data())
def test_it_counts_what_dictionaries_count(sets, data):
    index, head = Index(100), Head(100, 1 << 20)
    ids = index.ids(SeriesKeys.from_labels([Labels(each) for each in sets]))
    active = data.draw(st.sets(st.integers(0, len(sets) - 1)))
    chosen = ids[sorted(active)]
    batch = SampleBatch(chosen, np.full(len(chosen), 5), np.ones(len(chosen)))
    head.append(batch, Admission(len(index), 0, 10))
    found = cardinality(index, head, 100)

    labels = [sets[row] for row in sorted(active)]
    pairs = Counter(pair for each in labels for pair in each.items())
    values, sizes = defaultdict(set), Counter()
    for (name, value), count in pairs.items():
        values[name].add(value)
        sizes[name] += len(value.encode()) * count
    assert found.series == len(labels)
    assert found.chunks == len(labels)
    assert found.label_pairs == len(pairs)
    assert as_dict(found.series_by_metric) == {
        value: count for (name, value), count in pairs.items() if name == "__name__"
    }
    assert as_dict(found.values_by_label) == {name: len(each) for name, each in values.items()}
    assert as_dict(found.bytes_by_label) == dict(sizes)
    assert as_dict(found.series_by_pair) == {f"{n}={v}": c for (n, v), c in pairs.items()}


def as_dict(counts):
    return {each.name: each.value for each in counts}


def test_only_the_largest_entries_are_told_the_largest_first(small):
    small.append(*((number, 10, 1.0) for number in range(5)))
    found = small.database.cardinality(2)
    assert [(each.name, each.value) for each in found.series_by_metric] == [("requests_total", 5)]
    assert found.series_by_pair[0].name == "__name__=requests_total"
    assert len(found.series_by_pair) == 2
    assert found.min_time_ms == found.max_time_ms == 10


def test_series_whose_samples_were_deleted_are_not_counted(small):
    small.append((1, 10, 1.0), (2, 10, 1.0))
    small.delete(1)
    assert small.database.cardinality(10).series == 1


def test_an_empty_head_has_no_oldest_and_no_newest_sample(small):
    found = small.database.cardinality(10)
    assert (found.series, found.chunks, found.series_by_metric) == (0, 0, ())
    assert (found.min_time_ms, found.max_time_ms) == (2**63 - 1, -(2**63))
