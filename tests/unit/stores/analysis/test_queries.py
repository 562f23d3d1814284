"""A query that a child answers has the answer it would have here, and harms nobody."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from qvmon.model.access import Role, person
from qvmon.model.clock import SystemClock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.model.series import STALE, SampleBatch, SeriesKeys
from qvmon.promql import Matrix, Result, Samples, Scalar, Text, Vector, parse_matchers
from qvmon.stores.analysis import AnalysisConfig, AnalysisProcess, AnalysisQueries
from qvmon.stores.analysis.metrics import DEATHS, STARTS, TASKS
from qvmon.stores.query import Priority, QueryConfig, QueryEngine, QueryStatistics
from qvmon.stores.query.metrics import RUNNING
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from qvmon.testing.clock import JumpingClock
from qvmon.tsdb.files.paths import DataPaths

pytestmark = pytest.mark.slow

VIEWER = person("ada", frozenset({Role.VIEWER}))
END = 3_600_000
NAMES = ("x", "y_total", "z_bucket")
SERIES = [
    Labels(
        {"__name__": name, "job": f"j{i % 3}", "i": str(i), "le": str(i % 4), "ü": "✓" * (i % 2)}
    )
    for name in NAMES
    for i in range(12)
]
RANGES = [
    "x",
    "sum by (job) (rate(y_total[5m]))",
    "sum(x)",
    "avg without (i) (x) / on (job, le, ü) group_left sum without (i) (y_total)",
    "topk(3, x)",
    "limitk(4, x)",
    "quantile_over_time(0.9, x[10m])",
    "histogram_quantile(0.9, sum by (le, job) (rate(z_bucket[10m])))",
    "max_over_time(sum by (job) (x)[20m:1m])",
    "x offset 7m - x @ 1800",
    "qv_unknown or x",
    "sum(qv_unknown)",
    "absent(nothing)",
    "nothing",
    "time()",
    "label_replace(x, 'j', '$1', 'job', '(.*)')",
    "rate(x[5m])",
    "stddev(x) + on () sum(y_total)",
    "{__name__=~'x|y_total', job!='j1'}",
]
INSTANTS = [*RANGES, "x[10m]", "y_total[15m:2m]", "'a text'", "sort_desc(x)", "1 + 1"]

Engines = tuple[QueryEngine, QueryEngine]


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="module")
def shared() -> Iterator[AnalysisProcess]:
    """Children for tests that do them no harm."""
    made = AnalysisProcess("queries", AnalysisConfig(), SystemClock(), Registry(), most=2)
    yield made
    made.stop()


@pytest.fixture
def process(registry: Registry) -> Iterator[AnalysisProcess]:
    made = AnalysisProcess("queries", AnalysisConfig(), SystemClock(), registry, most=2)
    yield made
    made.stop()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[TelemetryStore]:
    """An hour of samples: in blocks, in the head, late, deleted, stale, and unknown."""
    config = TelemetryConfig(out_of_order_window_seconds=3600, block_seconds=600, max_series=1000)
    made = TelemetryStore(tmp_path, config, JumpingClock(END * 10**6), Registry())
    await made.start()
    await filled(made, random.Random(7))
    yield made
    await made.stop()


async def filled(store: TelemetryStore, chance: random.Random) -> None:
    """Append an hour of what may happen."""
    chosen = list(SERIES)
    chance.shuffle(chosen)
    ids = store.series_ids(SeriesKeys.from_labels(chosen))
    for at in range(0, END + 1, 15_000):
        late = at - chance.randrange(900_000) if chance.random() < 0.2 else at
        await append(store, chance, ids, max(0, late))
        await append(store, chance, ids, at)
        if at % 900_000 == 450_000:
            await store.upkeep()
            start = at - chance.randrange(600_000)
            matchers = parse_matchers(chance.choice(['x{job="j0"}', 'y_total{i=~"[12]"}']))
            await store.delete_series([matchers], start, start + 120_000)
    store.begin_unknown(Labels({"job": "j1"}), "scrape_timeout", 600_000)
    store.end_unknown(Labels({"job": "j1"}), "scrape_timeout", 1_200_000)
    store.begin_unknown(Labels({"job": "j2"}), "scrape_refused", 3_000_000)
    assert len(await store.blocks()) > 3


async def append(store: TelemetryStore, chance: random.Random, ids: np.ndarray, at: int) -> None:
    some = ids[[chance.random() < 0.8 for _ in ids]]
    values = np.array([chance.choice([1.0, at / 3, chance.gauss(0, 1e6)]) for _ in some])
    values[[chance.random() < 0.03 for _ in some]] = STALE
    await store.append(SampleBatch(some, np.full(len(some), at), values))


def engines(
    store: TelemetryStore, process: AnalysisProcess, registry: Registry, **limits: object
) -> Engines:
    """One that has analysis queries answered by children, and one that answers all here."""
    clock, config = JumpingClock(END * 10**6), QueryConfig(**limits)
    apart = AnalysisQueries(store, process)
    with_children = QueryEngine(store, config, clock, registry, apart=apart)
    return with_children, QueryEngine(store, config, clock, Registry())


def exactly(result: Result) -> object:
    """Everything of a result that anybody can see, values bit for bit."""
    match result:
        case Vector():
            bits = result.values.view(np.int64).tolist()
            return result.labels.all_labels(), bits, result.time_ms, result.notes
        case Matrix():
            bits = result.values.view(np.int64)[result.present].tolist()
            shown = result.labels.all_labels(), result.times.tolist(), result.present.tolist()
            return *shown, bits, result.notes
        case Scalar():
            return result.times.tolist(), result.values.view(np.int64).tolist(), result.notes
        case Samples():
            columns = result.offsets.tolist(), result.timestamps.tolist()
            bits = result.values.view(np.int64).tolist()
            return result.labels.all_labels(), *columns, bits, result.notes
        case Text():
            return result


async def analysed(engine: QueryEngine, text: str, **options: object) -> Result:
    return await engine.range(
        VIEWER, text, 0, END, 30_000, priority=Priority.ANALYSIS, use_cache=False, **options
    )


async def test_a_range_query_has_the_same_answer_bit_for_bit(
    store: TelemetryStore, shared: AnalysisProcess, registry: Registry
) -> None:
    apart, here = engines(store, shared, registry)
    for text in RANGES:
        found, expected = await analysed(apart, text), await analysed(here, text)
        assert type(found) is type(expected), text
        assert exactly(found) == exactly(expected), text
    assert shared.pids
    assert await asyncio.to_thread(lambda: views(store)) == []


async def test_an_instant_query_has_the_same_answer_bit_for_bit(
    store: TelemetryStore, shared: AnalysisProcess, registry: Registry
) -> None:
    for text in INSTANTS:
        found, expected = [
            await each.instant(VIEWER, text, END - 61_000, priority=Priority.ANALYSIS)
            for each in engines(store, shared, registry)
        ]
        assert type(found) is type(expected), text
        assert exactly(found) == exactly(expected), text


async def test_statistics_are_those_of_the_same_query_here(
    store: TelemetryStore, shared: AnalysisProcess, registry: Registry
) -> None:
    told = QueryStatistics(per_step=True), QueryStatistics(per_step=True)
    for engine, statistics in zip(engines(store, shared, registry), told, strict=True):
        await analysed(engine, "sum by (job) (rate(y_total[5m]))", statistics=statistics)
    apart, here = told
    assert apart.total_queryable == here.total_queryable > 0
    assert (apart.peak, apart.series, apart.read) == (here.peak, here.series, here.read)
    assert apart.samples_per_step == here.samples_per_step
    assert apart.read_per_step == here.read_per_step
    assert apart.inner_eval > 0


async def test_an_error_of_the_query_is_the_error_it_has_here(
    store: TelemetryStore, shared: AnalysisProcess, registry: Registry
) -> None:
    same = "label_replace(label_replace(x, 'i', '', '', ''), 'le', '', '', '')"
    for text in ("x + on (job) y_total", "sum(", same):
        complaints = []
        for engine in engines(store, shared, registry):
            with pytest.raises(QvmonError) as caught:
                await analysed(engine, text)
            complaints.append((caught.value.kind, caught.value.message, caught.value.context))
        assert complaints[0] == complaints[1]


def views(store: TelemetryStore) -> list[Path]:
    """What is left of views."""
    directory = DataPaths(store._open.database.paths.root).views
    return list(directory.iterdir()) if directory.exists() else []


@pytest.mark.parametrize(
    ("limits", "text", "complaint"),
    [
        ({"analysis_max_samples": 1000}, "x", r"at most 1,000 .*analysis_max_samples"),
        ({"analysis_max_series": 5}, "x", r"12 series, and at most 5 .*analysis_max_series"),
        ({"analysis_max_bytes": 100}, "x", r"bytes, and at most 100 .*analysis_max_bytes"),
        ({"max_samples": 500}, "x", r"the result has .* at most 500 .*max_samples"),
        ({"max_total_bytes": 2000}, "x", r"2,000 are allowed to all .*max_total_bytes"),
    ],
)
async def test_what_costs_too_much_is_refused_by_the_name_of_its_limit(
    store: TelemetryStore,
    shared: AnalysisProcess,
    registry: Registry,
    limits: dict[str, object],
    text: str,
    complaint: str,
) -> None:
    apart, _ = engines(store, shared, registry, **limits)
    with pytest.raises(QvmonError, match=complaint) as caught:
        await analysed(apart, text)
    assert caught.value.kind is ErrorKind.EXHAUSTED
    assert apart.running.all() == []


async def test_it_may_cost_more_than_a_dashboard(
    store: TelemetryStore, shared: AnalysisProcess, registry: Registry
) -> None:
    apart, _ = engines(store, shared, registry, max_samples=1000, max_bytes=20_000)
    with pytest.raises(QvmonError, match="max_samples"):
        await apart.range(VIEWER, "sum(x)", 0, END, 30_000)
    assert isinstance(await analysed(apart, "sum(x)"), Matrix)


async def begun(process: AnalysisProcess, engine: QueryEngine) -> asyncio.Task[Result]:
    """Return a query that a child works for and does not end: the child is stopped."""
    await analysed(engine, "x")
    (pid,) = process.pids
    os.kill(pid, signal.SIGSTOP)
    query = asyncio.ensure_future(analysed(engine, "x"))
    await until(lambda: bool(process._busy))
    return query


async def until(what: Callable[[], bool]) -> None:
    while not what():
        await asyncio.to_thread(lambda: None)


async def test_a_child_killed_during_a_query_is_said_and_the_next_query_answered(
    store: TelemetryStore, process: AnalysisProcess, registry: Registry
) -> None:
    apart, here = engines(store, process, registry)
    query = await begun(process, apart)
    (running,) = apart.running.all()
    assert (running.priority, running.kind) == (Priority.ANALYSIS, "range")
    for pid in process.pids:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(QvmonError, match="ended with status -9") as caught:
        await query
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert registry.value(DEATHS, "queries").current == 1
    assert registry.value(TASKS, "queries", "unavailable").current == 1
    assert exactly(await analysed(apart, "x")) == exactly(await analysed(here, "x"))
    assert registry.value(STARTS, "queries").current == 2
    assert views(store) == []


async def test_a_query_given_up_ends_its_child_and_gives_its_place_back(
    store: TelemetryStore, process: AnalysisProcess, registry: Registry
) -> None:
    apart, _ = engines(store, process, registry)
    query = await begun(process, apart)
    query.cancel()
    await until(lambda: registry.value(RUNNING, "analysis").current == 0)
    assert process.pids == []
    assert registry.value(DEATHS, "queries").current == 0
    assert apart.running.all() == []
    assert views(store) == []


async def test_a_query_that_takes_too_long_ends_with_its_child(
    store: TelemetryStore, process: AnalysisProcess, registry: Registry
) -> None:
    apart, _ = engines(store, process, registry)
    query = await begun(process, apart)
    apart.running.cancel(apart.running.all()[0].number)
    with pytest.raises(QvmonError, match="canceled") as caught:
        await query
    assert caught.value.kind is ErrorKind.TIMEOUT
    await until(lambda: process.pids == [])


async def test_queries_and_merges_do_not_wait_for_one_another(
    store: TelemetryStore, process: AnalysisProcess, registry: Registry
) -> None:
    """One query that takes long leaves room for a second; dashboards need no child at all."""
    apart, _ = engines(store, process, registry)
    query = await begun(process, apart)
    assert isinstance(await analysed(apart, "sum(x)"), Matrix)
    assert isinstance(await apart.range(VIEWER, "sum(x)", 0, END, 30_000), Matrix)
    assert not query.done()
    assert len(process.pids) == 2
    query.cancel()


async def test_a_damaged_block_is_quarantined_and_the_rest_answered(
    store: TelemetryStore, process: AnalysisProcess, registry: Registry
) -> None:
    apart, here = engines(store, process, registry)
    blocks = store._open.database.blocks
    victim = min(blocks, key=lambda block: block.meta.start_ms)
    content = bytearray(victim.paths.samples.read_bytes())
    content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 4)
    victim.paths.samples.write_bytes(content)
    found = await analysed(apart, "x")
    assert len(blocks.damaged) == 1
    assert victim.meta.number not in [block.meta.number for block in blocks]
    assert exactly(found) == exactly(await analysed(here, "x"))


async def test_answers_stay_right_beside_appends_flushes_merges_and_deletions(
    store: TelemetryStore, process: AnalysisProcess, registry: Registry
) -> None:
    """Samples that were there before a query and are not deleted are in its answer."""
    apart, here = engines(store, process, registry)
    expected = exactly(await analysed(here, "sum(x)"))
    ids = store.series_ids(SeriesKeys.from_labels([Labels({"__name__": "other"})]))
    stop = False

    async def happening() -> None:
        at = END
        while not stop:
            at += 60_000
            await store.append(SampleBatch(ids, np.array([at]), np.array([1.0])))
            await store.upkeep()
            await store.delete_series([parse_matchers("other")], at - 600_000, at - 300_000)
            await store.clean_tombstones()

    meanwhile = asyncio.ensure_future(happening())
    for _ in range(10):
        assert exactly(await analysed(apart, "sum(x)")) == expected
    stop = True
    await meanwhile


async def test_a_view_left_by_a_crash_is_gone_after_the_next_start(tmp_path: Path) -> None:
    left = DataPaths(tmp_path).view("left").root
    left.mkdir(parents=True)
    (left / "something").touch()
    store = TelemetryStore(tmp_path, TelemetryConfig(), SystemClock(), Registry())
    await store.start()
    assert not left.exists()
    await store.stop()


def test_stopping_ends_a_task_that_is_under_way(process: AnalysisProcess, tmp_path: Path) -> None:
    """Also one that waits for its child to start."""
    errors: list[QvmonError] = []

    def merge() -> None:
        try:
            process.merge(tmp_path, [1], 2, ())
        except QvmonError as error:
            errors.append(error)

    thread = Thread(target=merge)
    thread.start()
    while not process.pids:
        pass
    process.stop()
    thread.join()
    assert [error.kind for error in errors] == [ErrorKind.UNAVAILABLE]
    assert process.pids == []
