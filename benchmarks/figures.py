"""Measured numbers, and how they are shown."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.aims import AIMS, Aim


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        subject: What was measured: ``qvmon`` or a peer.
        name: What about it.
        value: The number; NaN where it could not be measured.
        unit: Its unit.
        larger_is_better: How to read a ratio.
    """

    subject: str
    name: str
    value: float
    unit: str
    larger_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What every subject has of one thing.

    Attributes:
        name: What was measured, and ``unit``: in what.
        larger_is_better: How to read a ratio.
        values: The number of each subject.
    """

    name: str
    unit: str
    larger_is_better: bool
    values: Mapping[str, float]

    @property
    def key(self) -> str:
        """Name it in the history file."""
        return f"{self.name} [{self.unit}]"

    def ratios(self) -> dict[str, float]:
        """Return how many times better qvmon is than each peer (below 1: worse)."""
        ours = self.values.get("qvmon", math.nan)
        out = {}
        for subject, theirs in self.values.items():
            if subject != "qvmon" and ours > 0 and theirs > 0:
                out[subject] = ours / theirs if self.larger_is_better else theirs / ours
        return out


def rows(figures: Iterable[Figure]) -> list[Row]:
    """Return the figures by what was measured, in the order they came."""
    gathered: dict[tuple[str, str, bool], dict[str, float]] = {}
    for each in figures:
        of_name = gathered.setdefault((each.name, each.unit, each.larger_is_better), {})
        of_name[each.subject] = each.value
    return [Row(*key, values) for key, values in gathered.items()]


def show(title: str, measured: Iterable[Row], regressed: Mapping[str, str]) -> None:
    """Print a table with a column for each subject, what is aimed at, and what got worse."""
    measured = list(measured)
    subjects = list(dict.fromkeys(subject for row in measured for subject in row.values))
    table = Table(title=title, title_justify="left")
    table.add_column("measured")
    for subject in subjects:
        table.add_column(subject, justify="right")
    for column in ("qvmon is", "aim", "against the last kept run"):
        table.add_column(column)
    for row in measured:
        cells = [f"{row.values[s]:,.4g}" if s in row.values else "" for s in subjects]
        aim = AIMS.get(row.key)
        told = [_verdict(row), _met(aim, row), regressed.get(row.key, "")]
        table.add_row(f"{row.name} [dim]{row.unit}[/]", *cells, *told)
    Console(width=170).print(table)


def _verdict(row: Row) -> str:
    return ", ".join(_worded(ratio) for ratio in row.ratios().values())


def _worded(ratio: float) -> str:
    if 0.98 < ratio < 1.02:
        return "the same"
    return f"{ratio:.2g}x better" if ratio >= 1 else f"[yellow]{1 / ratio:.2g}x worse[/]"


def _met(aim: Aim | None, row: Row) -> str:
    if aim is None:
        return ""
    limit = aim.limit(row.values)
    ours = row.values.get("qvmon", math.nan)
    met = ours >= limit if row.larger_is_better else ours <= limit
    word = "unknown" if math.isnan(limit) else "met" if met else "[red]missed[/]"
    return f"{aim.text}: {word}"


def write(path: Path, facts: Mapping[str, object], figures: Iterable[Figure]) -> None:
    """Write everything as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**facts, "figures": [asdict(each) for each in figures]}
    path.write_text(json.dumps(document, indent=2) + "\n")
