"""Remote-write: what a sample costs to take in, to hold in memory, and to keep on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from benchmarks.subject import PROMETHEUS, QVMON, VICTORIA_METRICS, Program, Subject, running
from benchmarks.workload import STEP_MS, Workload, columns, counted, counter_keys, walked
from qvmon.model.series import SeriesKeys
from qvmon.wire.remote_write import encode

_WARMING = 5
_ACTIVE_ROUNDS = 5
_SETTLED_SECONDS = 4.0
_LONGEST_SECONDS = 60.0


def receiving(workload: Workload, program: Program, folder: Path) -> Iterator[Figure]:
    """Send one sample of each series in each request; what is new is not measured."""
    keys = counter_keys(workload.sent_series)
    count = _WARMING + workload.sent_requests
    begin = int(time.time() * 1000) - count * STEP_MS
    rng = np.random.default_rng(1)
    totals = np.zeros((workload.sent_series, 1))
    with running(program, folder) as subject:
        wall = cpu = 0.0
        for number in range(count):
            totals = totals + counted(rng, workload.sent_series, 1)
            body = encode(keys, *columns(totals, begin + number * STEP_MS))
            spent, began = subject.cpu_seconds(), time.perf_counter()
            subject.write(body)
            if number >= _WARMING:
                wall += time.perf_counter() - began
                cpu += subject.cpu_seconds() - spent
        spent = subject.cpu_seconds()
        time.sleep(_SETTLED_SECONDS)
        cpu += subject.cpu_seconds() - spent
    samples = workload.sent_series * workload.sent_requests
    one = "one sample a series a request"
    yield Figure(program.name, f"remote-write, {one}", cpu / samples * 1e6, "CPU s/M samples")
    yield Figure(program.name, f"remote-write, {one}", samples / wall / 1e6, "M samples/s", True)


def active(workload: Workload, program: Program, folder: Path) -> Iterator[Figure]:
    """Give many series a few samples each, and see how much larger the program gets."""
    keys = counter_keys(workload.active_series)
    begin = int(time.time() * 1000) - _ACTIVE_ROUNDS * STEP_MS
    rng = np.random.default_rng(2)
    values = counted(rng, workload.active_series, _ACTIVE_ROUNDS)
    with running(program, folder) as subject:
        time.sleep(1)
        idle = subject.private_bytes()
        for number in range(_ACTIVE_ROUNDS):
            when = begin + number * STEP_MS
            subject.write(encode(keys, *columns(values[:, number : number + 1], when)))
        time.sleep(_SETTLED_SECONDS)
        grown = subject.private_bytes() - idle
    yield Figure(program.name, "memory when idle", idle / 2**20, "MiB")
    each = grown / workload.active_series
    yield Figure(program.name, "memory above idle of an active series", each, "bytes")


def disk(workload: Workload, program: Program, folder: Path) -> Iterator[Figure]:
    """Keep half a day of counters, then of gauges, and see what each sample takes."""
    shape = workload.disk_series, workload.disk_samples
    rng = np.random.default_rng(3)
    for kind, values in (("counters", counted(rng, *shape)), ("gauges", walked(rng, *shape))):
        size = _kept(program, folder / kind, values)
        yield Figure(program.name, f"on disk, {kind}", size / values.size, "bytes/sample")


def _kept(program: Program, folder: Path, values: np.ndarray[tuple[int, int], np.dtype]) -> int:
    """Return the bytes of everything but the samples that came last, which only push."""
    keys = counter_keys(len(values))
    samples = values.shape[1]
    begin = int(time.time() * 1000) - samples * STEP_MS - 4 * 3_600_000
    with running(program, folder, eager=True) as subject:
        for at in range(0, samples, 160):
            body = encode(keys, *columns(values[:, at : at + 160], begin + at * STEP_MS))
            subject.write(body)
        _push(subject, keys, begin + samples * STEP_MS + 4 * 3_600_000 - 1000)
        return _SETTLED[program.name](subject)


def _push(subject: Subject, keys: SeriesKeys, when: int) -> None:
    """Send one late sample, after which everything before it can be moved to disk."""
    one = SeriesKeys.from_bytes([keys.key(0)])
    subject.write(encode(one, *columns(np.ones((1, 1)), when)))


def _qvmon_bytes(subject: Subject) -> int:
    blocks = next((subject.folder / "data").rglob("blocks"))
    return _settled(blocks)


def _prometheus_bytes(subject: Subject) -> int:
    name = json.loads(subject.post("/api/v1/admin/tsdb/snapshot"))["data"]["name"]
    return _size(subject.folder / "data" / "snapshots" / name)


def _victoria_bytes(subject: Subject) -> int:
    subject.ask("/internal/force_flush")
    subject.ask("/internal/force_merge")
    data = subject.folder / "data"
    _settled(data / "data")
    return _size(data / "data") + _size(data / "indexdb")


_SETTLED = {
    QVMON: _qvmon_bytes,
    PROMETHEUS: _prometheus_bytes,
    VICTORIA_METRICS: _victoria_bytes,
}


def _settled(folder: Path) -> int:
    """Return the size of ``folder`` once it has stayed the same for a while."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    size, since = _size(folder), time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = _size(folder)
        if now != size:
            size, since = now, time.monotonic()
        elif size and time.monotonic() - since > _SETTLED_SECONDS:
            break
    return size


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # merged away meanwhile
            continue
    return total
