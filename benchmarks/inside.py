"""What the parts do, one at a time, in this process."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from benchmarks.rules import measure_rules
from benchmarks.workload import STEP_MS, Slice, Workload, columns, counted, counter_keys, exposition
from qvmon.model.access import service_principal
from qvmon.model.clock import SystemClock, now_ms
from qvmon.model.metrics import Registry
from qvmon.model.series import SampleBatch
from qvmon.stores.query import QueryConfig, QueryEngine
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from qvmon.wire import remote_write
from qvmon.wire.exposition import parse

_REPEATS = 7


async def measure(workload: Workload, folder: Path) -> list[Figure]:
    """Return the figures of parsing, decoding, appending, querying and keeping."""
    figures = [*_parsing(), *_decoding(workload)]
    clock, registry = SystemClock(), Registry()
    config = TelemetryConfig(out_of_order_window_seconds=2 * 3600)
    store = TelemetryStore(folder, config, clock, registry)
    await store.start()
    try:
        figures += await _appending(workload, store, now_ms(clock))
        figures += await _querying(workload, QueryEngine(store, QueryConfig(), clock, registry))
    finally:
        await store.stop()
    return [*figures, *await measure_rules(folder.with_name("rules"))]


def _parsing() -> Iterator[Figure]:
    body = exposition(100_000, 3)
    seconds = min(_cpu_seconds(lambda: parse(body, "text/plain")) for _ in range(_REPEATS))
    yield Figure("qvmon", "exposition parsed", 100_000 / seconds / 1e6, "M samples/s", True)
    yield Figure("qvmon", "exposition parsed", len(body) / seconds / 1e6, "MB/s", True)


def _decoding(workload: Workload) -> Iterator[Figure]:
    rows, timestamps, values = next(_slices(workload, 1_700_000_000_000))
    body = remote_write.encode(counter_keys(workload.part_series), rows, timestamps, values)
    seconds = min(
        _cpu_seconds(lambda: remote_write.decode(body, "snappy")) for _ in range(_REPEATS)
    )
    yield Figure("qvmon", "remote-write decoded", len(rows) / seconds / 1e6, "M samples/s", True)


def _slices(workload: Workload, end_ms: int) -> Iterator[Slice]:
    """Yield counters sampled every 15 seconds until ``end_ms``, some samples of each at a time."""
    values = counted(np.random.default_rng(4), workload.part_series, workload.part_samples)
    begin = end_ms - workload.part_samples * STEP_MS
    for at in range(0, workload.part_samples, 8):
        yield columns(values[:, at : at + 8], begin + at * STEP_MS)


async def _appending(workload: Workload, store: TelemetryStore, end_ms: int) -> list[Figure]:
    keys = counter_keys(workload.part_series)
    before = _resident_bytes()
    wall, cpu = time.perf_counter(), time.process_time()
    ids = store.series_ids(keys)
    first = time.process_time() - cpu
    samples = 0
    for rows, timestamps, values in _slices(workload, end_ms):
        await store.append(SampleBatch(ids[rows], timestamps, values))
        samples += len(rows)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu - first
    grown = _resident_bytes() - before
    return [
        Figure("qvmon", "series created", len(keys) / first / 1e6, "M series/s", True),
        Figure("qvmon", "samples made durable", samples / wall / 1e6, "M samples/s", True),
        Figure("qvmon", "samples made durable, CPU", cpu / samples * 1e6, "s per M samples"),
        Figure("qvmon", "memory of a series with its history", grown / len(keys), "bytes"),
    ]


async def _querying(workload: Workload, engine: QueryEngine) -> list[Figure]:
    principal, end = service_principal("bench"), now_ms(SystemClock())
    start = end - workload.part_samples * STEP_MS

    def ranged() -> Awaitable[object]:
        return engine.range(principal, "rate(bench_orders_total[5m])", start, end, 15_000)

    def instant() -> Awaitable[object]:
        return engine.instant(principal, "rate(bench_orders_total[5m])", end - 60_000)

    count = f"{workload.part_series:,} series"
    return [
        Figure("qvmon", f"rate of {count} at one time", await _median_ms(instant), "ms"),
        Figure("qvmon", f"rate of {count} over the history", await _median_ms(ranged), "ms"),
    ]


async def _median_ms(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    taken = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)) * 1000


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _resident_bytes() -> int:
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index("VmRSS:") + 1]) << 10
