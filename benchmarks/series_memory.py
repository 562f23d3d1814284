"""What a series takes in memory: its identity, then its samples as they come.

``python -m benchmarks.series_memory`` prints a table; nothing else should run beside it.
"""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

import numpy as np

from qvmon.model.labels import Labels
from qvmon.model.series import Float64s, Int64s, SampleBatch, SeriesKeys
from qvmon.tsdb.database import Database
from qvmon.tsdb.options import Options

_SERIES = 50_000
_INTERVAL_MS = 15_000
_TOLD = (0, 16, 17, 60, 120, 240, 480)


def main() -> None:
    """Fill a store with counters and three-decimal gauges, half of each, and print the table."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database(Path(directory) / "store", Options())
        _append(database, database.series_ids(_keys(1)), 0, np.ones(1))
        keys = _keys(_SERIES)
        before = _resident_bytes()
        ids = database.series_ids(keys)
        print(f"{'samples a series':>16} {'bytes a series':>16} {'of them samples':>16}")
        chance = np.random.default_rng(0)
        counters = np.zeros(_SERIES)
        for number in range(_TOLD[-1] + 1):
            if number in _TOLD:
                taken = (_resident_bytes() - before) / _SERIES
                samples = database.head.chunk_bytes / _SERIES
                print(f"{number:16} {taken:16.0f} {samples:16.0f}")
            counters += chance.integers(0, 20, _SERIES)
            gauges = np.round(chance.random(_SERIES) * 100, 3)
            values = np.where(np.arange(_SERIES) % 2, counters, gauges)
            _append(database, ids, _INTERVAL_MS * (number + 1), values)
        database.close()


def _keys(series: int) -> SeriesKeys:
    return SeriesKeys.from_labels(
        Labels(
            __name__=f"m{number % 50}_total",
            job="api",
            instance=f"host-{number % 1000}:9100",
            service=f"svc-{number % 37}",
            path=f"/p/{number}",
            region="eu",
        )
        for number in range(series)
    )


def _append(database: Database, ids: Int64s, time_ms: int, values: Float64s) -> None:
    database.append([SampleBatch(ids, np.full(len(ids), time_ms), values)], time_ms)


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    main()
