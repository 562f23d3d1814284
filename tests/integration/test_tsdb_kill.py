"""``kill -9`` at any moment loses no acknowledged sample."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from qvmon.model.clock import SystemClock
from qvmon.model.labels import Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.series import Selection
from qvmon.stores.telemetry import TelemetryStore
from tests.integration.tsdb_sender import CONFIG, SENDERS, SERIES

KILLS = 10
SENDER = Path(__file__).with_name("tsdb_sender.py")
Acknowledged = dict[int, set[int]]


def _send_until_killed(directory: Path, first_ms: int, after_seconds: float) -> list[str]:
    """Return the acknowledgements printed before a kill, some time after the first one."""
    command = [sys.executable, str(SENDER), str(directory), str(first_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = next((line for line in process.stdout if line.startswith("durable")), "")
        assert first, "the sender ended before it stored anything"
        killer = threading.Timer(after_seconds, process.send_signal, [signal.SIGKILL])
        killer.start()
        lines = [first, *process.stdout]
        killer.join()
    assert process.returncode == -signal.SIGKILL
    return [line for line in lines if line.startswith("durable") and line.endswith("\n")]


async def _stored(directory: Path) -> tuple[dict[tuple[int, int], dict[int, float]], int]:
    """Return {(sender, series): {time: value}} and how many blocks hold part of it."""
    store = TelemetryStore(directory, CONFIG, SystemClock(), Registry())
    await store.start()
    blocks = len(list((directory / "blocks").iterdir()))
    everything = Matcher("sender", MatchOp.NOT_EQUAL, "")
    (columns,) = await store.select([Selection((everything,), 0, 2**62)])
    await store.stop()
    found = {}
    for row, labels in enumerate(columns.labels.all_labels()):
        rows = slice(columns.offsets[row], columns.offsets[row + 1])
        times, values = columns.timestamps[rows].tolist(), columns.values[rows].tolist()
        assert np.all(np.diff(times) > 0)
        found[int(labels["sender"]), int(labels["series"])] = dict(zip(times, values, strict=True))
    return found, blocks


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_acknowledged_sample_outlives_kills_at_random_moments(tmp_path):
    """Ten kills during appends, flushes and merges; each value is exactly what was sent."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    acknowledged: Acknowledged = defaultdict(set)
    most_blocks = 0
    for kill in range(KILLS):
        lines = _send_until_killed(tmp_path, (kill + 1) * 10**9, chance.uniform(0, 0.6))
        for line in lines:
            sender, time_ms = map(int, line.split()[1:])
            acknowledged[sender].add(time_ms)
        found, blocks = await _stored(tmp_path)
        most_blocks = max(most_blocks, blocks)
        for sender in range(SENDERS):
            for series in range(SERIES):
                samples = found[sender, series]
                missing = acknowledged[sender] - samples.keys()
                assert not missing, f"seed {seed}, kill {kill}: {sorted(missing)[:5]} are lost"
                offset = sender * SERIES + series
                assert all(value == time * 100.0 + offset for time, value in samples.items())
    assert most_blocks > 0
    assert sum(map(len, acknowledged.values())) > KILLS * SENDERS
