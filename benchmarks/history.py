"""The runs that were kept, one JSON object a line, and what got worse since the last of them.

Ratios travel between machines, so ratios to peers are what is compared; between runs without peers
on the same machine, the figures are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import Row

FILE = Path(__file__).with_name("history.jsonl")
WORSE = 1.2
"""How many times worse a ratio must be to be called a regression."""


def last(path: Path = FILE) -> Mapping[str, Any]:
    """Return the run kept last, or nothing."""
    lines = path.read_text().splitlines() if path.exists() else []
    run: Mapping[str, Any] = json.loads(lines[-1]) if lines else {}
    return run


def keep(facts: Mapping[str, object], measured: Iterable[Row], path: Path = FILE) -> None:
    """Add a run."""
    figures = {
        row.key: {
            "values": {subject: _rounded(value) for subject, value in row.values.items()},
            "ratios": {subject: _rounded(ratio) for subject, ratio in row.ratios().items()},
        }
        for row in measured
    }
    with path.open("a") as out:
        out.write(json.dumps({**facts, "figures": figures}) + "\n")


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def regressions(
    measured: Iterable[Row], facts: Mapping[str, object], before: Mapping[str, Any]
) -> dict[str, str]:
    """Return what got worse by more than a fifth, by key, in words."""
    told = {}
    same_machine = before.get("machine") == facts["machine"]
    for row in measured:
        kept = before.get("figures", {}).get(row.key)
        if kept is None:
            continue
        shrunk = [
            (kept["ratios"][subject] / ratio, f"to {subject}")
            for subject, ratio in row.ratios().items()
            if subject in kept["ratios"]
        ]
        if not shrunk and same_machine:
            shrunk = [(_times_worse(row, kept["values"]), "itself")]
        worst, whose = max(shrunk, default=(1.0, ""))
        if worst > WORSE:
            told[row.key] = f"[red]REGRESSION: {worst:.2f}x worse {whose}[/]"
    return told


def _times_worse(row: Row, before: Mapping[str, float]) -> float:
    ours, theirs = row.values.get("qvmon", 0.0), before.get("qvmon", 0.0)
    if not ours or not theirs:
        return 1.0
    return theirs / ours if row.larger_is_better else ours / theirs
