"""A file system that is really full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qvmon.model.clock import SystemClock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.series import SampleBatch, Selection, SeriesKeys
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore

SERIES = 100
EVERYTHING = Selection((Matcher("i", MatchOp.NOT_EQUAL, ""),), 0, 2**62)
CONFIG = TelemetryConfig(
    block_seconds=600,
    segment_bytes=1 << 16,
    retention_seconds=0,
    future_tolerance_seconds=10**10,
    upkeep_interval_seconds=10**6,
)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of two megabytes."""
    place = tmp_path / "tiny"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.slow
async def test_writing_stops_and_goes_on_with_the_room_and_reading_never_stops(tiny):
    ballast = tiny / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    store = TelemetryStore(tiny / "data", CONFIG, SystemClock(), Registry())
    await store.start()
    keys = SeriesKeys.from_labels([Labels(i=str(i)) for i in range(SERIES)])
    ids, step, acknowledged = store.series_ids(keys), 0, set()

    async def append() -> None:
        nonlocal step
        step += 1
        columns = np.full(SERIES, step * 10_000), np.random.default_rng(step).random(SERIES)
        await store.append(SampleBatch(ids, *columns))
        acknowledged.add(step * 10_000)

    async def check() -> None:
        (found,) = await store.select([EVERYTHING])
        times = found.timestamps.reshape(SERIES, -1)
        assert acknowledged <= set(times[0].tolist())
        assert np.all(times == times[0])

    async def fill() -> None:
        while True:
            await append()

    with pytest.raises(QvmonError) as refused:
        await fill()
    assert refused.value.kind is ErrorKind.UNAVAILABLE
    with pytest.raises((OSError, QvmonError)):
        await store.upkeep()
    await check()
    with pytest.raises(QvmonError):
        await append()
    ballast.unlink()
    for _ in range(10):
        await append()
    await store.upkeep()
    await check()
    assert list((tiny / "data" / "blocks").glob("*.tmp")) == []
    await store.stop()
    store = TelemetryStore(tiny / "data", CONFIG, SystemClock(), Registry())
    await store.start()
    await check()
    await store.stop()
