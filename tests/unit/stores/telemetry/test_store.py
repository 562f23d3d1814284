"""The telemetry store: ports kept, groups committed, upkeep on the clock, one owner."""

from __future__ import annotations

import asyncio
import math
import threading

import numpy as np
import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.series import MetricMetadata, SampleBatch, Selection, SeriesKeys
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from qvmon.testing.clock import JumpingClock
from qvmon.tsdb.upkeep.upkeep import Upkeep

NOW_MS = 1_700_000_000_000
ALL = Matcher("__name__", MatchOp.NOT_EQUAL, "")


@pytest.fixture
async def opened(tmp_path):
    """Return a function that opens the store, closing what was open before."""
    stores = []

    async def again(clock=None, **settings):
        if stores:
            await stores.pop().stop()
        # replayed first, however busy the machine: else late samples are taken, not refused
        config = TelemetryConfig(max_series=1000, open_within_seconds=60, **settings)
        stores.append(TelemetryStore(tmp_path, config, clock or JumpingClock(), Registry()))
        await stores[0].start()
        return stores[0]

    yield again
    for store in stores:
        await store.stop()


def ids_of(store, *names):
    return store.series_ids(SeriesKeys.from_labels([Labels(__name__=name) for name in names]))


async def append(store, name, times, value=1.0):
    ids = np.repeat(ids_of(store, name), len(times))
    return await store.append(SampleBatch(ids, np.array(times), np.full(len(times), value)))


async def times_of(store, start=0, end=2**62):
    (columns,) = await store.select([Selection((ALL,), start, end)])
    offsets = columns.offsets.tolist()
    return {
        labels["__name__"]: columns.timestamps[a:b].tolist()
        for labels, a, b in zip(columns.labels.all_labels(), offsets, offsets[1:], strict=False)
    }


def points(store, name):
    """Return {label values: value} of one of the store's own metrics."""
    (family,) = (f for f in store._metrics.registry.collect() if f.metric.name == name)
    return {
        tuple(p.labels.values()): p.value for p in family.points() if p.suffix in {"", "_count"}
    }


async def test_a_sample_is_visible_when_append_returns_and_there_after_a_restart(opened):
    store = await opened()
    assert (await append(store, "up", [NOW_MS])).accepted == 1
    assert await times_of(store) == {"up": [NOW_MS]}
    store = await opened()
    assert await times_of(store) == {"up": [NOW_MS]}


async def test_many_appends_at_once_share_commits_and_each_gets_its_own_answer(opened):
    store = await opened()
    names = [f"m{i}" for i in range(200)]
    results = await asyncio.gather(
        *(append(store, name, [NOW_MS, NOW_MS - row % 2]) for row, name in enumerate(names))
    )
    assert [result.accepted for result in results] == [2 - row % 2 for row in range(200)]
    assert len(await times_of(store)) == 200
    commits = sum(points(store, "qvmon_telemetry_commit_duration_seconds").values())
    assert 1 <= commits < 200


async def test_refusals_are_named_by_row_and_counted_by_reason(opened):
    store = await opened()
    result = await append(store, "up", [NOW_MS, NOW_MS - 5, NOW_MS + 3_600_000])
    assert result.accepted == 1
    assert {reason: rows.tolist() for reason, rows in result.refused.items()} == {
        "out_of_order": [1],
        "too_far_in_future": [2],
    }
    refused = points(store, "qvmon_telemetry_samples_refused_total")
    assert refused["out_of_order",] == refused["too_far_in_future",] == 1
    assert refused["too_old",] == 0
    assert points(store, "qvmon_telemetry_samples_appended_total") == {(): 1}


async def test_an_empty_batch_is_accepted(opened):
    store = await opened()
    none = np.empty(0, np.int64)
    assert (await store.append(SampleBatch(none, none, np.empty(0)))).accepted == 0


async def test_columns_of_different_lengths_are_refused_and_slices_of_columns_taken(opened):
    store = await opened()
    ids = ids_of(store, "up")
    with pytest.raises(QvmonError, match="differ in length"):
        await store.append(SampleBatch(ids, np.array([NOW_MS, NOW_MS]), np.ones(1)))
    table = np.arange(6, dtype=np.int32).reshape(3, 2)
    batch = SampleBatch(np.repeat(ids, 3), table[:, 1], table[:, 0])
    assert (await store.append(batch)).accepted == 3
    assert await times_of(store) == {"up": [1, 3, 5]}


async def test_blocks_are_written_and_expire_as_time_goes_on(opened):
    """Not by the clock alone: a wrong one must not delete what there is."""
    clock = JumpingClock()
    store = await opened(clock, retention_seconds=86_400)
    await append(store, "up", list(range(NOW_MS - 18_000_000, NOW_MS, 60_000)))
    await store.upkeep()
    assert points(store, "qvmon_telemetry_blocks") == {(): 2}
    assert len((await times_of(store))["up"]) == 300
    await clock.advance(2 * 86_400)
    await store.upkeep()
    assert points(store, "qvmon_telemetry_blocks") == {(): 2}
    await append(store, "up", [NOW_MS + 2 * 86_400_000])
    await store.upkeep()
    await store.upkeep()
    assert points(store, "qvmon_telemetry_blocks") == {(): 0}
    assert points(store, "qvmon_telemetry_blocks_deleted_total") == {(): 4}


@pytest.mark.parametrize("years", [1, 20])
async def test_a_clock_that_jumps_ahead_and_back_deletes_nothing(opened, years):
    """Not even when samples come with its time; a size limit would still hold."""
    clock = JumpingClock()
    store = await opened(clock, retention_seconds=86_400, upkeep_interval_seconds=600)
    await append(store, "up", list(range(NOW_MS - 18_000_000, NOW_MS, 60_000)))
    await clock.advance(7_200)
    await store.upkeep()
    jump = years * 31_536_000
    clock.jump_wall(jump)
    await append(store, "other", [NOW_MS + jump * 1000])
    await clock.advance(3_000)
    await store.upkeep()
    clock.jump_wall(-jump)
    await clock.advance(7_200)
    await store.upkeep()
    assert len((await times_of(store))["up"]) == 300
    assert points(store, "qvmon_telemetry_clock_jumps") == {(): 2}
    assert points(store, "qvmon_telemetry_blocks_deleted_total") == {(): 0}


async def test_a_clock_set_back_refuses_what_is_from_its_future_until_it_is_right(opened):
    clock = JumpingClock()
    store = await opened(clock, retention_seconds=86_400)
    await append(store, "up", list(range(NOW_MS - 18_000_000, NOW_MS, 60_000)))
    clock.jump_wall(-10 * 31_536_000)
    await store.upkeep()
    result = await append(store, "up", [NOW_MS])
    assert {reason: len(rows) for reason, rows in result.refused.items()} == {
        "too_far_in_future": 1
    }
    clock.jump_wall(10 * 31_536_000)
    assert (await append(store, "up", [NOW_MS])).accepted == 1
    assert len((await times_of(store))["up"]) == 301


async def test_samples_of_a_clock_that_was_ahead_can_be_deleted_so_that_right_ones_follow(opened):
    clock = JumpingClock()
    store = await opened(clock)
    await append(store, "up", [NOW_MS - 60_000])
    clock.jump_wall(31_536_000)
    await append(store, "up", [NOW_MS + 31_536_000_000])
    await store.upkeep()
    clock.jump_wall(-31_536_000)
    assert list((await append(store, "up", [NOW_MS])).refused) == ["out_of_order"]
    assert (await append(store, "other", [NOW_MS])).accepted == 1
    await store.upkeep()
    assert (await append(store, "other", [NOW_MS + 1])).accepted == 1
    await store.delete_series([(ALL,)], NOW_MS + 2, 2**62)
    assert (await append(store, "up", [NOW_MS + 2])).accepted == 1
    assert await times_of(store) == {
        "up": [NOW_MS - 60_000, NOW_MS + 2],
        "other": [NOW_MS, NOW_MS + 1],
    }
    blocks = points(store, "qvmon_telemetry_blocks_flushed_total")
    await append(store, "up", [NOW_MS + 15_000])
    await store.upkeep()
    assert points(store, "qvmon_telemetry_blocks_flushed_total") == blocks


async def test_upkeep_runs_by_itself_at_its_interval(opened):
    clock = JumpingClock()
    store = await opened(clock, upkeep_interval_seconds=10)
    await append(store, "up", list(range(NOW_MS - 18_000_000, NOW_MS, 60_000)))
    await clock.advance(9)
    assert points(store, "qvmon_telemetry_blocks") == {(): 0}
    await clock.advance(1)
    await store.upkeep()
    assert points(store, "qvmon_telemetry_blocks_flushed_total") == {(): 2}


async def test_a_failed_round_of_upkeep_is_counted_and_the_next_one_tried(opened, monkeypatch):
    clock = JumpingClock()
    store = await opened(clock, upkeep_interval_seconds=10)
    failed = asyncio.Event()

    async def fail():
        failed.set()
        raise OSError("disk full")

    monkeypatch.setattr(store._open.rounds, "round", fail)
    for _ in range(2):
        failed.clear()
        await clock.advance(10)
        await failed.wait()
    assert points(store, "qvmon_telemetry_upkeep_failures_total") == {(): 2}


async def test_metadata_keeps_the_latest_word_over_a_restart(opened):
    store = await opened()
    store.describe([MetricMetadata("up", "gauge", "old"), MetricMetadata("a_total", "counter")])
    store.describe([MetricMetadata("up", "gauge", "new")])
    store = await opened()
    assert [entry.name for entry in await store.metadata()] == ["a_total", "up"]
    assert await store.metadata("up") == [MetricMetadata("up", "gauge", "new")]
    assert await store.metadata("nothing") == []


async def test_series_and_several_selections_are_answered_in_order(opened):
    store = await opened()
    await append(store, "a", [NOW_MS])
    await append(store, "b", [NOW_MS - 1000])
    a, b = (Matcher("__name__", MatchOp.EQUAL, name) for name in "ab")
    columns = await store.select([Selection((each,), 0, NOW_MS) for each in (b, a)])
    assert [c.labels.labels(0)["__name__"] for c in columns] == ["b", "a"]
    frame = await store.series([(a,), (b,)], NOW_MS - 500, NOW_MS)
    assert frame.all_labels() == [Labels(__name__="a")]


async def test_a_second_store_on_the_same_directory_is_refused(opened, tmp_path):
    await opened()
    other = TelemetryStore(tmp_path, TelemetryConfig(), JumpingClock(), Registry())
    with pytest.raises(QvmonError, match="in use by another process") as caught:
        await other.start()
    assert caught.value.kind is ErrorKind.CONFLICT


async def test_a_stopped_store_says_so_and_had_written_what_waited(opened):
    store = await opened()
    ids = ids_of(store, "up")
    waiting = [
        asyncio.create_task(store.append(SampleBatch(ids, np.array([NOW_MS + i]), np.ones(1))))
        for i in range(50)
    ]
    await asyncio.sleep(0)
    await store.stop()
    assert [(await each).accepted for each in waiting] == [1] * 50
    with pytest.raises(QvmonError) as caught:
        await store.append(SampleBatch(ids, np.array([NOW_MS]), np.ones(1)))
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    store = await opened()
    assert len((await times_of(store))["up"]) == 50


async def test_more_than_may_wait_is_refused_and_what_waits_is_stored(opened):
    store = await opened(max_pending_samples=10)
    results = await asyncio.gather(
        *(append(store, f"m{i}", [NOW_MS] * 1) for i in range(500)), return_exceptions=True
    )
    stored = [result for result in results if not isinstance(result, QvmonError)]
    kinds = {result.kind for result in results if isinstance(result, QvmonError)}
    assert kinds <= {ErrorKind.EXHAUSTED}
    assert len(await times_of(store)) == len(stored)


async def test_values_come_back_bit_for_bit(opened):
    store = await opened()
    for at, value in enumerate((math.nan, -0.0, math.inf, 0.1)):
        await append(store, "v", [NOW_MS + at], value)
    (columns,) = await store.select([Selection((ALL,), 0, 2**62)])
    expected = np.array([math.nan, -0.0, math.inf, 0.1])
    assert columns.values.view(np.int64).tolist() == expected.view(np.int64).tolist()


async def test_stopping_waits_for_a_merge_that_is_under_way(opened, monkeypatch):
    """Otherwise it would go on in a directory that somebody else owns by then."""
    store = await opened()
    begun, go_on = threading.Event(), threading.Event()

    def flush(_: Upkeep) -> int:
        begun.set()
        go_on.wait()
        return 0

    monkeypatch.setattr(Upkeep, "_flush_due", flush)
    upkeep = asyncio.create_task(store.upkeep())
    await asyncio.to_thread(begun.wait)
    upkeep.cancel()
    stopping = asyncio.create_task(store.stop())
    done, _ = await asyncio.wait({stopping}, timeout=0.05)
    go_on.set()
    await stopping
    assert not done
