"""``qvmon telemetry restore``: from a snapshot to a data directory that can be served."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from qvmon.app.command import app
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.series import SampleBatch, SeriesKeys
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from qvmon.testing.clock import JumpingClock


@pytest.fixture
async def snapshot(tmp_path):
    store = TelemetryStore(tmp_path / "old", TelemetryConfig(), JumpingClock(), Registry())
    await store.start()
    ids = store.series_ids(SeriesKeys.from_labels([Labels(__name__="up"), Labels(__name__="x")]))
    await store.append(SampleBatch(ids, np.array([10, 20]), np.ones(2)))
    gone = store.series_ids(SeriesKeys.from_labels([Labels(__name__="gone")]))
    await store.append(SampleBatch(gone, np.array([10]), np.ones(1)))
    await store.delete_series([(Matcher("__name__", MatchOp.EQUAL, "gone"),)], 0, 100)
    name = await store.snapshot()
    await store.stop()
    return tmp_path / "old" / "snapshots" / name


async def test_a_snapshot_becomes_a_data_directory_and_is_counted(snapshot, tmp_path):
    arguments = ["telemetry", "restore", str(snapshot), "--data-dir", str(tmp_path / "new")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "restored 2 samples of 2 series, 0 blocks" in result.output
    restored = TelemetryStore(
        tmp_path / "new" / "telemetry", TelemetryConfig(), JumpingClock(), Registry()
    )
    await restored.start()
    assert len(await restored.series([], 0, 100)) == 2
    await restored.stop()


async def test_metrics_that_are_there_are_not_replaced(snapshot, tmp_path):
    arguments = ["telemetry", "restore", str(snapshot), "--data-dir", str(tmp_path / "new")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 1
    assert "is not empty" in str(again.exception)
