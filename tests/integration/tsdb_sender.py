"""The process that ``test_tsdb_kill`` kills: appends without end, prints what was acknowledged.

Started as ``python tsdb_sender.py DIRECTORY FIRST_MILLISECOND``. Three senders with ten series each
share the store; a line ``durable SENDER TIME`` says that one sender's samples at one time are.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np

from qvmon.model.clock import SystemClock
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.model.series import SampleBatch, SeriesKeys
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore

SENDERS, SERIES, STEP_MS = 3, 10, 10_000
CONFIG = TelemetryConfig(
    block_seconds=600,
    segment_bytes=1 << 16,
    retention_seconds=0,
    future_tolerance_seconds=10**10,
    upkeep_interval_seconds=0.02,
)


async def send(store: TelemetryStore, sender: int, first_ms: int) -> None:
    labels = [Labels({"sender": str(sender), "series": str(i)}) for i in range(SERIES)]
    ids = store.series_ids(SeriesKeys.from_labels(labels))
    time_ms = first_ms
    while True:
        values = time_ms * 100.0 + sender * SERIES + np.arange(SERIES)
        result = await store.append(SampleBatch(ids, np.full(SERIES, time_ms), values))
        if result.accepted != SERIES:
            raise RuntimeError(f"refused: {result.refused}")
        print("durable", sender, time_ms, flush=True)
        time_ms += STEP_MS


async def main(directory: Path, first_ms: int) -> None:
    store = TelemetryStore(directory, CONFIG, SystemClock(), Registry())
    await store.start()
    await asyncio.gather(*(send(store, sender, first_ms) for sender in range(SENDERS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
