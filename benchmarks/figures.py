"""Measured numbers, and how they are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        subject: What was measured: ``qvmon``, ``prometheus`` or a part of qvmon.
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


def show(title: str, figures: Iterable[Figure]) -> None:
    """Print a table with a column for each subject, and how qvmon compares with the other."""
    table = Table(title=title, title_justify="left")
    rows: dict[tuple[str, str], dict[str, Figure]] = {}
    subjects: dict[str, None] = {}
    for each in figures:
        rows.setdefault((each.name, each.unit), {})[each.subject] = each
        subjects[each.subject] = None
    for column in ("measured", *subjects):
        table.add_column(column, justify="left" if column == "measured" else "right")
    if len(subjects) > 1:
        table.add_column("qvmon is", justify="right")
    for (name, unit), by_subject in rows.items():
        cells = [f"{by_subject[s].value:,.4g}" if s in by_subject else "" for s in subjects]
        verdict = [_verdict(by_subject)] if len(subjects) > 1 else []
        table.add_row(f"{name} [dim]{unit}[/]", *cells, *verdict)
    Console(width=120).print(table)


def _verdict(by_subject: dict[str, Figure]) -> str:
    ours = by_subject.get("qvmon")
    others = [figure for subject, figure in by_subject.items() if subject != "qvmon"]
    if ours is None or not others or not ours.value or not others[0].value:
        return ""
    ratio = ours.value / others[0].value
    better = ratio if ours.larger_is_better else 1 / ratio
    if 0.98 < better < 1.02:
        return "the same"
    return f"{better:.2f}x better" if better >= 1 else f"{1 / better:.2f}x worse"


def write(path: Path, facts: dict[str, object], figures: Iterable[Figure]) -> None:
    """Write everything as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**facts, "figures": [asdict(each) for each in figures]}
    path.write_text(json.dumps(document, indent=2) + "\n")
