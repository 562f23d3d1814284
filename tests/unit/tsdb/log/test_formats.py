"""Logs that earlier versions wrote are read as they were meant."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from qvmon.model.labels import Labels
from qvmon.model.series import Selection
from qvmon.tsdb.database import Database
from tests.unit.tsdb.conftest import options

FORMATS = Path(__file__).parents[1] / "formats"
FIRST_MS, STEP_MS = 1_790_000_000_000, 15_000
INFINITE, NOT_A_NUMBER = 0x7FF0000000000000, 0x7FF8000000000000


def _bits(value: float) -> int:
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits)


def _written() -> dict[Labels, list[tuple[int, int]]]:
    """Return {labels: [(time, bits)]} of every stored log: three segments, two late samples."""
    times = [FIRST_MS + STEP_MS * k for k in range(12)]
    hosts = [Labels(__name__="requests_total", instance=f"host-{i}") for i in range(4)]
    rows: dict[Labels, list[tuple[int, int]]] = {
        hosts[0]: [(t, _bits(float(k))) for k, t in enumerate(times)],
        hosts[1]: [(t, _bits(-0.0)) for t in times],
        hosts[2]: [(t, NOT_A_NUMBER if k % 3 else INFINITE) for k, t in enumerate(times)],
        hosts[3]: [(t, _bits(k * 0.001)) for k, t in enumerate(times)],
        Labels(__name__="odd", text='ü\n"\\'): [(t, k) for k, t in enumerate(times)],
    }
    rows[hosts[0]].append((FIRST_MS - 1_000, _bits(7.5)))
    rows[hosts[1]].append((FIRST_MS + 1, _bits(8.5)))
    return {labels: sorted(samples) for labels, samples in rows.items()}


@pytest.mark.parametrize("version", ["wal-1", "wal-2"])
def test_a_stored_log_gives_every_sample_bit_for_bit(tmp_path, version):
    shutil.copytree(FORMATS / version, tmp_path / "wal")
    database = Database(tmp_path, options(out_of_order_window_ms=10**9))
    assert database.recovery.warnings == []
    columns = database.select(Selection((), 0, 2**62))
    found = {}
    for row, labels in enumerate(columns.labels.all_labels()):
        rows = slice(columns.offsets[row], columns.offsets[row + 1])
        bits = columns.values[rows].view("<i8").tolist()
        found[labels] = list(zip(columns.timestamps[rows].tolist(), bits, strict=True))
    assert found == _written()
    database.close()
