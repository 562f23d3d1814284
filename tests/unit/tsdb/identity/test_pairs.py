"""Canonical label bytes taken apart: the labels they were made of."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.labels import Labels
from qvmon.model.series import SeriesKeys
from qvmon.tsdb.identity.pairs import LabelPairs

texts = st.text(min_size=1, max_size=200)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(texts, texts, max_size=5), min_size=1, max_size=8), st.data())
def test_names_and_values_are_those_that_were_encoded(sets, data):
    labels = [Labels(each) for each in sets]
    rows = data.draw(st.lists(st.integers(0, len(labels) - 1), max_size=8))
    pairs = LabelPairs.of(SeriesKeys.from_labels(labels), np.array(rows, np.int64))
    names, values = (
        [arena[start:stop].tobytes().decode() for start, stop in pairwise(ends)]
        for ends, arena in ((pairs.name_ends, pairs.names), (pairs.value_ends, pairs.values))
    )
    found = list(zip(names, values, strict=True))
    ends = pairs.ends.tolist()
    for i, row in enumerate(rows):
        assert tuple(found[ends[i] : ends[i + 1]]) == labels[row].pairs()
    assert len(found) == ends[-1]
