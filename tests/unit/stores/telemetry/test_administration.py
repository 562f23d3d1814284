"""What an administrator asks of the store: delete, clean, snapshot, count."""

from __future__ import annotations

import asyncio
import re
import threading

import numpy as np
import pytest

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.series import MetricMetadata, SampleBatch, Selection, SeriesKeys
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from qvmon.testing.clock import JumpingClock
from qvmon.tsdb.snapshot import restore_snapshot
from qvmon.tsdb.upkeep.upkeep import Upkeep

NOW_MS = 1_700_000_000_000
ALL = Matcher("__name__", MatchOp.NOT_EQUAL, "")
DOWN = Matcher("__name__", MatchOp.EQUAL, "down")


async def started(directory, registry=None, **settings):
    config = TelemetryConfig(open_within_seconds=60, **settings)
    store = TelemetryStore(directory, config, JumpingClock(), registry or Registry())
    await store.start()
    return store


@pytest.fixture
async def store(tmp_path):
    """Return a store with two series: five hours of samples, most of them in blocks."""
    each = await started(tmp_path / "store")
    for name in ("up", "down"):
        await append(each, name, range(NOW_MS - 18_000_000, NOW_MS, 60_000))
    await each.upkeep()
    yield each
    await each.stop()


async def append(store, name, times):
    ids = np.repeat(store.series_ids(SeriesKeys.from_labels([Labels(__name__=name)])), len(times))
    return await store.append(SampleBatch(ids, np.array(times), np.ones(len(times))))


async def counts(store):
    """Return {metric: samples}."""
    (columns,) = await store.select([Selection((ALL,), 0, 2**62)])
    names = [labels["__name__"] for labels in columns.labels.all_labels()]
    return dict(zip(names, np.diff(columns.offsets).tolist(), strict=True))


async def test_deleted_series_are_gone_and_stay_gone_when_their_bytes_are(store):
    assert await counts(store) == {"up": 300, "down": 300}
    await store.delete_series([(DOWN,)], 0, 2**62)
    assert await counts(store) == {"up": 300}
    assert (await store.series([], 0, 2**62)).all_labels() == [Labels(__name__="up")]
    await store.clean_tombstones()
    assert await counts(store) == {"up": 300}
    await append(store, "down", [NOW_MS])
    assert await counts(store) == {"up": 300, "down": 1}


async def test_a_deletion_waits_for_no_round_of_upkeep(store, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def compact(_: Upkeep) -> bool:
        begun.set()
        return not go_on.wait()

    monkeypatch.setattr(Upkeep, "compact", compact)
    upkeep = asyncio.create_task(store.upkeep())
    await asyncio.to_thread(begun.wait)
    try:
        await store.delete_series([(DOWN,)], 0, 2**62)
        assert await counts(store) == {"up": 300}
        assert not upkeep.done()
    finally:
        go_on.set()
    await upkeep


async def test_a_deletion_without_matchers_is_refused(store):
    with pytest.raises(QvmonError, match="needs matchers"):
        await store.delete_series([], 0, 2**62)
    assert await counts(store) == {"up": 300, "down": 300}


async def test_a_snapshot_holds_samples_and_what_targets_said_about_them(store, tmp_path):
    store.describe([MetricMetadata("up", "gauge", "whether it answered")])
    name = await store.snapshot()
    await append(store, "up", [NOW_MS])
    assert re.fullmatch(r"20231114T\d{6}Z-[0-9a-f]{16}", name)
    restore_snapshot(tmp_path / "store" / "snapshots" / name, tmp_path / "restored")
    restored = await started(tmp_path / "restored")
    assert await counts(restored) == {"up": 300, "down": 300}
    assert await restored.metadata("up") == [MetricMetadata("up", "gauge", "whether it answered")]
    await restored.stop()


async def test_a_snapshot_may_leave_out_what_is_not_in_blocks(store, tmp_path):
    name = await store.snapshot(skip_head=True)
    restore_snapshot(tmp_path / "store" / "snapshots" / name, tmp_path / "restored")
    restored = await started(tmp_path / "restored")
    in_blocks = await counts(restored)
    assert 0 < in_blocks["up"] < 300
    await restored.stop()


async def test_snapshots_and_deletions_beside_appends_lose_nothing(store):
    async def write():
        for at in range(20):
            assert (await append(store, "up", [NOW_MS + at])).accepted == 1

    async def administer():
        for _ in range(3):
            await store.snapshot()
            await store.delete_series([(DOWN,)], 0, 2**62)

    await asyncio.gather(write(), administer())
    assert await counts(store) == {"up": 320}


async def test_cardinality_is_of_the_newest_samples(store):
    found = await store.cardinality(1)
    assert found.series == 2
    assert [each.name for each in found.values_by_label] == ["__name__"]
    assert found.max_time_ms == NOW_MS - 60_000


async def test_refused_series_are_told_by_metric_and_counted_in_a_bounded_number(tmp_path):
    registry = Registry()
    limits = {f"m{number}": 0 for number in range(80)}
    store = await started(tmp_path, registry, max_series_per_metric=1, metric_series_limits=limits)
    labels = [Labels(__name__=name) for name in limits]
    labels += [Labels(__name__="many", n=str(number)) for number in range(5)]
    ids = store.series_ids(SeriesKeys.from_labels(labels))
    assert np.count_nonzero(ids >= 0) == 1
    batch = SampleBatch(ids, np.full(len(ids), NOW_MS), np.ones(len(ids)))
    assert len((await store.append(batch)).refused["series_limit"]) == 84
    found = await store.refused_series(3)
    assert (found[0].name, found[0].value) == ("many", 4)
    assert len(found) == 3
    (family,) = (
        f for f in registry.collect() if f.metric.name == "qvmon_telemetry_series_refused_total"
    )
    values = {point.labels["metric"]: point.value for point in family.points()}
    assert len(values) == 51
    assert values["many"] == 4
    assert values["(others)"] == 31
    await store.stop()
