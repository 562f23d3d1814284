"""The page of the documentation that shows the run kept last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.aims import AIMS
from benchmarks.figures import Row

FILE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write(measured: Iterable[Row], facts: Mapping[str, Any], path: Path = FILE) -> None:
    """Put the figures between the marks of the page.

    Raises:
        ValueError: The page has no marks.
    """
    page = path.read_text()
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{path.name} has no {_BEGIN} and {_END}")
    path.write_text(f"{before}{_BEGIN}\n{_table(list(measured), facts)}{_END}{after}")


def _table(measured: list[Row], facts: Mapping[str, Any]) -> str:
    subjects = list(dict.fromkeys(subject for row in measured for subject in row.values))
    machine = facts["machine"]
    lines = [
        (
            f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, "
            f"Python {facts['python']}, commit {facts['commit']}, {str(facts['at'])[:10]}."
        ),
        "",
        f"| measured | unit | {' | '.join(subjects)} | aim |",
        f"| --- | --- |{' ---: |' * len(subjects)} --- |",
    ]
    lines += [_line(row, subjects) for row in measured]
    return "\n".join(lines) + "\n"


def _line(row: Row, subjects: list[str]) -> str:
    cells = [f"{row.values[s]:,.3g}" if s in row.values else "" for s in subjects]
    aim = AIMS.get(row.key)
    sign = "≥" if row.larger_is_better else "≤"
    told = f"{sign} {aim.text}" if aim else ""
    return f"| {row.name} | {row.unit} | {' | '.join(cells)} | {told} |"
