"""The state machine against a real Prometheus: which alerts fire when, as ``promtool`` says."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest

from qvmon.model.labels import Labels
from qvmon.services.alerting.state import NO_ELEMENTS, Block, Phase, Seen, Timing, step

MINUTE = 60_000
TICKS, SERIES = 40, 6
RULES = [Timing(for_ms, keep_ms) for for_ms in (0, 60_000, 150_000) for keep_ms in (0, 180_000)]


def _history(seed: int) -> np.ndarray:
    """Runs of presence and absence, uint8[ticks, series]."""
    draw = random.Random(seed)
    columns = []
    for _ in range(SERIES):
        column: list[int] = []
        while len(column) < TICKS:
            column += [draw.randint(0, 1)] * draw.randint(1, 6)
        columns.append(column[:TICKS])
    return np.array(columns, np.uint8).T


def _firing(timing: Timing, seen: np.ndarray) -> np.ndarray:
    times = np.arange(TICKS, dtype=np.int64) * MINUTE
    labels = tuple(Labels(i=str(series)) for series in range(SERIES))
    block = Block(times, labels, seen * np.uint8(Seen.PRESENT), seen.astype(np.float64))
    return step(timing, NO_ELEMENTS, block).phases == Phase.FIRING


@pytest.mark.server("prometheus")
@pytest.mark.parametrize("seed", range(3))
def test_alerts_fire_when_prometheus_alerts_do(promtool: str, tmp_path: Path, seed: int) -> None:
    seen = _history(seed)
    rules = [
        {
            "alert": f"R{number}",
            "expr": "m == 1",
            "for": f"{timing.for_ms // 1000}s",
            "keep_firing_for": f"{timing.keep_firing_for_ms // 1000}s",
        }
        for number, timing in enumerate(RULES)
    ]
    cases = []
    for number, timing in enumerate(RULES):
        firing = _firing(timing, seen)
        for tick in range(TICKS):
            alerts = [{"exp_labels": {"i": str(i)}} for i in np.flatnonzero(firing[tick])]
            cases.append({"eval_time": f"{tick}m", "alertname": f"R{number}", "exp_alerts": alerts})
    series = [
        {"series": f'm{{i="{i}"}}', "values": " ".join(map(str, seen[:, i]))} for i in range(SERIES)
    ]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": cases}
    documents = {
        "rules.yml": {"groups": [{"name": "g", "rules": rules}]},
        "tests.yml": {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]},
    }
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    ran = subprocess.run(
        [promtool, "test", "rules", "tests.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[:3000]
    assert any(_firing(timing, seen).any() for timing in RULES)
