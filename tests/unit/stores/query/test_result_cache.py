"""An answer with steps from the cache is the answer without it."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.model.series import STALE, LabelFrame, SampleBatch, SeriesKeys
from qvmon.promql import Grid, Matrix, parse_matchers, plan
from qvmon.stores.query import QueryConfig, QueryEngine
from qvmon.stores.query.metrics import CACHED_STEPS
from qvmon.stores.query.result_cache import ResultCache, cache_key
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from qvmon.testing.clock import JumpingClock
from qvmon.tsdb.changes import Changes

from .conftest import VIEWER

SERIES = [
    Labels({"__name__": name, "job": job, "i": str(i)})
    for name in ("x", "y_total")
    for job in ("a", "b")
    for i in range(2)
]
TEXTS = [
    "x",
    "sum by (job) (rate(y_total[1m]))",
    "rate(x[1m])",
    "topk(1, x)",
    "x / on (job, i) y_total",
    "max_over_time(rate(y_total[30s])[1m:10s])",
    "count_values('v', x % 3)",
    "quantile_over_time(time() / 2000, x[1m])",
    "x offset 30s",
    "label_replace(x, 'j', '$1', 'job', '(.*)') or y_total",
    "absent(x)",
    "timestamp(x)",
    "sort(x)",
    "x @ 600",
    "x offset -30s",
    "count(x) * step()",
    "rate(x[range()])",
    "limitk(1, x)",
]


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_cached_answers_are_the_answers(chance: random.Random) -> None:
    """Whatever is appended, late or in order, marked stale or deleted between the questions."""
    asyncio.run(_story(chance))


async def _story(chance: random.Random) -> None:
    clock, registry = JumpingClock(0), Registry()
    with tempfile.TemporaryDirectory() as folder:
        config = TelemetryConfig(out_of_order_window_seconds=300, max_series=1000)
        store = TelemetryStore(Path(folder), config, clock, registry)
        await store.start()
        engine = QueryEngine(store, QueryConfig(), clock, registry, changes=store.changes)
        ids = store.series_ids(SeriesKeys.from_labels(SERIES))
        newest = 600_000
        for _ in range(25):
            newest = await _happening(chance, store, ids, newest)
            await clock.advance(max(0.0, newest / 1000 - clock.now_ns() / 1e9))
            await _compared(engine, chance, newest)
        await store.stop()


async def _happening(
    chance: random.Random, store: TelemetryStore, ids: np.ndarray, newest: int
) -> int:
    """Append or delete something; return the time that is newest now."""
    if chance.random() < 0.05:
        start = newest - chance.randrange(600_000)
        matchers = parse_matchers(chance.choice(['x{job="a"}', "y_total"]))
        await store.delete_series([matchers], start, start + 60_000)
        return newest
    late = chance.random() < 0.2
    at = newest - chance.randrange(200_000) if late else newest + chance.randrange(40_000)
    chosen = ids[[chance.random() < 0.7 for _ in ids]]
    values = np.array([chance.choice([1.0, 2.0, 5.0, float(at)]) for _ in chosen])
    values[[chance.random() < 0.1 for _ in chosen]] = STALE
    await store.append(SampleBatch(chosen, np.full(len(chosen), at), values))
    return max(newest, at)


async def _compared(engine: QueryEngine, chance: random.Random, newest: int) -> None:
    text = chance.choice(TEXTS)
    step = chance.choice([10_000, 15_000])
    end = newest // step * step + chance.choice([0, 0, 0, step, -2 * step])
    start = end - step * chance.choice([0, 5, 20, 30])
    cached, fresh = await _both(engine, text, start, end, step)
    assert type(cached) is type(fresh)
    if isinstance(cached, Matrix):
        assert cached.labels.all_labels() == fresh.labels.all_labels(), text
        assert cached.times.tolist() == fresh.times.tolist()
        assert cached.present.tolist() == fresh.present.tolist(), text
        assert np.array_equal(cached.values[cached.present], fresh.values[fresh.present], True)
        assert cached.notes == fresh.notes


async def _both(engine: QueryEngine, text: str, start: int, end: int, step: int) -> list[object]:
    found: list[object] = []
    for use_cache in (True, False):
        try:
            found.append(await engine.range(VIEWER, text, start, end, step, use_cache=use_cache))
        except QvmonError as error:
            found.append(str(error))
    if isinstance(found[0], str):
        assert found[0] == found[1]
    return found


async def test_a_dashboard_that_moves_on_has_only_new_steps_computed(tmp_path: Path) -> None:
    registry, clock = Registry(), JumpingClock(900 * 10**9)
    store = TelemetryStore(tmp_path, TelemetryConfig(max_series=1000), clock, registry)
    await store.start()
    engine = QueryEngine(store, QueryConfig(), clock, registry, changes=store.changes)
    ids = store.series_ids(SeriesKeys.from_labels(SERIES))

    async def grown(until: int) -> Matrix:
        at = np.full(len(ids), until)
        await store.append(SampleBatch(ids, at, at / 1.0))
        result = await engine.range(VIEWER, "sum(x)", until - 300_000, until, 15_000)
        assert isinstance(result, Matrix)
        return result

    for until in range(600_000, 900_001, 15_000):
        result = await grown(until)
    assert result.values[0, -1] == 4 * 900_000
    reused = registry.value(CACHED_STEPS, "reused").current
    computed = registry.value(CACHED_STEPS, "computed").current
    assert (reused, computed) == (20 * 20, 21 + 20)
    await store.stop()


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("sum(rate(x[5m] offset 1h))", True),
        ("max_over_time(x[5m:1m])", True),
        ("x @ end()", False),
        ("x @ 5", False),
        ("x offset -1m", False),
        ("max_over_time(x[5m:1m] @ start())", False),
        ("rate(x[5m] smoothed)", False),
        ("rate(x[range()])", False),
        ("x * step()", False),
        ("limitk(2, x)", False),
        ("limit_ratio(0.5, x)", False),
        ("info(x)", False),
        ("qv_unknown", False),
    ],
)
def test_only_what_looks_back_from_its_step_is_kept(text: str, may: bool) -> None:
    assert (cache_key(plan(text), Grid(0, 60_000, 1000)) is not None) is may


def test_keys_tell_questions_apart_and_spellings_not() -> None:
    grid = Grid(0, 60_000, 1000)
    same = cache_key(plan("sum(x)"), grid)
    assert cache_key(plan(" sum( x )"), Grid(5000, 9000, 1000)) == same
    assert cache_key(plan("sum(x)"), Grid(500, 60_500, 1000)) != same
    assert cache_key(plan("sum(x)"), Grid(0, 60_000, 2000)) != same
    assert cache_key(plan("sum(x)"), Grid(0, 60_000, 1000, lookback_ms=1)) != same


def test_the_cache_keeps_what_was_asked_last_within_its_bytes() -> None:
    cache = ResultCache(20_000, Changes(), Registry())
    keys = [cache_key(plan(f"x + {n}"), Grid(0, 100_000, 1000)) for n in range(10)]
    times = np.arange(0, 100_001, 1000)
    frame = LabelFrame.from_labels([Labels({"__name__": "x"})])
    matrix = Matrix(frame, times, np.ones((1, 101)), np.ones((1, 101), np.bool_))
    for key in keys:
        assert key is not None
        cache.keep(key, cache.token(), matrix)
    kept = [key for key in keys if key and cache.beginning(key, Grid(0, 100_000, 1000))]
    assert kept == keys[-len(kept) :]
    assert 2 <= len(kept) < 10
