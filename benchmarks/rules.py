"""What rules and heavy queries cost those beside them, in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from qvmon.model.access import Role, person, service_principal
from qvmon.model.clock import SystemClock, now_ms
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.model.series import Int64s, SampleBatch, SeriesKeys
from qvmon.stores.query import QueryConfig, QueryEngine
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore

_SERVICES, _INSTANCES, _SECONDS = 200, 100, 300
_RULES = service_principal("bench")
_VIEWER = person("bench", frozenset({Role.VIEWER}))
_TICKS = 3
_APPENDS = 200


async def measure_rules(folder: Path) -> list[Figure]:
    """Return what 400 rules over 20,000 series cost a tick, and what a heavy query costs ingest."""
    clock, registry = SystemClock(), Registry()
    store = TelemetryStore(folder, TelemetryConfig(), clock, registry)
    await store.start()
    try:
        engine = QueryEngine(store, QueryConfig(result_cache_bytes=0), clock, registry)
        ids, end = await _filled(store, now_ms(clock))
        return [*await _ticks(engine, end), *await _beside(engine, store, ids, end)]
    finally:
        await store.stop()


async def _filled(store: TelemetryStore, end: int) -> tuple[Int64s, int]:
    """Append five minutes of one sample a second; return the series' ids and the newest time."""
    ids = store.series_ids(
        SeriesKeys.from_labels(
            Labels({"__name__": "bench_requests_total", "service": f"s{s}", "instance": f"i{i}"})
            for s in range(_SERVICES)
            for i in range(_INSTANCES)
        )
    )
    for second in range(_SECONDS):
        at = np.full(len(ids), end - (_SECONDS - second) * 1000)
        await store.append(SampleBatch(ids, at, np.full(len(ids), float(second))))
    return ids, end


async def _ticks(engine: QueryEngine, end: int) -> list[Figure]:
    rate = 'rate(bench_requests_total{service="s%d"}[5m])'
    apart = [f"sum({rate % s})" for s in range(_SERVICES)]
    apart += [f"sum({rate % s}) > {s}" for s in range(_SERVICES)]
    whole = [f"sum by (service) (rate(bench_requests_total[5m])) > {n}" for n in range(40)]
    figures = []
    for what, texts in (("400 rules of a service each", apart), ("40 rules of all", whole)):
        one = await _cpu_ms(partial(_alone, engine, texts), end)
        all_ = await _cpu_ms(partial(_together, engine, texts), end)
        figures += [
            Figure("qvmon", f"{what}, a tick, one by one, CPU", one, "ms"),
            Figure("qvmon", f"{what}, a tick, together, CPU", all_, "ms"),
        ]
    return figures


async def _alone(engine: QueryEngine, texts: list[str], at: int) -> None:
    for text in texts:
        await engine.instant(_RULES, text, at)


async def _together(engine: QueryEngine, texts: list[str], at: int) -> None:
    async for _, outcome in engine.many(_RULES, [(text, at) for text in texts]):
        if isinstance(outcome, Exception):
            raise outcome


async def _cpu_ms(tick: Callable[[int], Awaitable[None]], end: int) -> float:
    taken = []
    for number in range(_TICKS):
        began = time.process_time()
        await tick(end + number)
        taken.append(time.process_time() - began)
    return min(taken) * 1000


async def _beside(
    engine: QueryEngine, store: TelemetryStore, ids: Int64s, end: int
) -> list[Figure]:
    """Return how long appends of 1,000 samples take, alone and beside a query that never ends."""
    alone = await _append_ms(store, ids, end)

    async def ask() -> None:
        text = "sum by (service) (rate(bench_requests_total[1m]))"
        while True:
            await engine.range(_VIEWER, text, end - _SECONDS * 1000, end, 1000)

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0.5)
    beside = await _append_ms(store, ids, end + _APPENDS)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    what = "append of 1,000 samples"
    return [
        Figure("qvmon", f"{what}, 99th percentile", alone, "ms"),
        Figure("qvmon", f"{what} beside a heavy query, 99th percentile", beside, "ms"),
    ]


async def _append_ms(store: TelemetryStore, ids: Int64s, start: int) -> float:
    some, taken = ids[:1000], []
    for number in range(_APPENDS):
        batch = SampleBatch(some, np.full(1000, start + number), np.ones(1000))
        began = time.perf_counter()
        await store.append(batch)
        taken.append(time.perf_counter() - began)
        await asyncio.sleep(0.005)
    return float(np.percentile(taken, 99)) * 1000
