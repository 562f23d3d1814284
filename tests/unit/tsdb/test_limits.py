"""Limits on series: how many in all, how many of one metric."""

from __future__ import annotations

import numpy as np
import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.series import (
    SampleBatch,
    SeriesKeys,
)
from tests.unit.tsdb.conftest import NOW, Small, labels_of


def test_series_over_the_limit_get_no_id_and_their_samples_are_refused(tmp_path):
    small = Small(tmp_path, max_series=2)
    keys = SeriesKeys.from_labels([labels_of(i) for i in range(4)])
    ids = small.database.series_ids(keys)
    assert ids.tolist() == [0, 1, -1, -1]
    batch = SampleBatch(ids, np.full(4, 10), np.ones(4))
    (result,) = small.database.append([batch], NOW)
    assert result.accepted == 2
    assert result.refused["series_limit"].tolist() == [2, 3]
    small.database.close()


def test_series_of_one_metric_over_its_limit_are_refused_and_counted(tmp_path):
    small = Small(tmp_path, max_metric_series=2, metric_limits=(("many", 3), ("none", 0)))
    names = ["few", "few", "few", "many", "many", "many", "many", "none", "other", ""]
    labels = [Labels(__name__=name, n=str(n)) for n, name in enumerate(names)]
    keys = SeriesKeys.from_labels(labels)
    ids = small.database.series_ids(keys)
    assert (ids < 0).tolist() == [False, False, True, *[False] * 3, True, True, False, False]
    assert small.database.series_ids(keys).tolist() == ids.tolist()
    refused = {each.name: each.value for each in small.database.index.refused(10)}
    assert refused == {"few": 2, "many": 2, "none": 2}
    assert len(small.database.index.refused(1)) == 1
    small.database.close()


def test_what_is_stored_is_served_also_when_limits_were_lowered(tmp_path):
    small = Small(tmp_path)
    small.append(*((s, t, 1.0) for t in range(0, 2_000, 100) for s in range(5)))
    small.database.upkeep.flush()
    before = small.read()
    small.database.close()
    small.changes = {"max_series": 2, "max_metric_series": 1}
    small.open()
    assert small.read() == before
    assert small.append((9, 2_000, 1.0)).refused["series_limit"].tolist() == [0]
    assert small.append((1, 2_000, 1.0)).accepted == 1
    small.database.close()


def test_blocks_with_more_series_than_there_is_room_for_are_not_merged(tmp_path):
    """They would lose the samples of those that are not known."""
    small = Small(tmp_path)
    small.append(*((s, t, 1.0) for t in range(0, 4_000, 100) for s in range(12)))
    small.database.upkeep.flush()
    before = small.read()
    small.database.close()
    small.changes = {"max_series": 1}
    small.open()
    with pytest.raises(QvmonError, match="no room for all series") as caught:
        small.database.upkeep.compact()
    assert caught.value.kind is ErrorKind.EXHAUSTED
    small.database.close()
    small.changes = {}
    small.open()
    assert small.read() == before
    assert small.database.upkeep.compact()
    assert small.read() == before
    small.database.close()


def test_refusals_over_the_total_name_no_metric_that_was_never_there(tmp_path):
    small = Small(tmp_path, max_series=1)
    keys = SeriesKeys.from_labels([Labels(__name__=name) for name in ("a", "b", "c")])
    small.database.series_ids(keys)
    assert [(each.name, each.value) for each in small.database.index.refused(10)] == [("", 2)]
    small.database.close()
