"""Differences found, grouped by what they seem to come from."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from tests.differential.answers import Difference

_WORD = re.compile(r"[a-z_]+(?=\s*\()|\b(?:and|or|unless|bool|offset|anchored|smoothed)\b|@")
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """A query both answer, but not alike.

    Attributes:
        seed: Of the data set.
        first: The query as it was made. ``query``: the smallest that still differs.
        form: What is sent.
        difference: What is not alike.
    """

    seed: int
    first: str
    query: str
    form: dict[str, str]
    difference: Difference

    @property
    def cause(self) -> str:
        """The kind of difference and the words of the small query."""
        if self.difference.sort in {"message", "status", "error type"}:
            return f"{self.difference.sort}: {re.sub(r'[0-9]+', 'N', self.difference.peer)[:70]}"
        return f"{self.difference.sort}: {' '.join(sorted(set(_WORD.findall(self.query))))}"


@dataclass
class Findings:
    """All of a run."""

    asked: int = 0
    found: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Keep one more."""
        self.found.append(finding)

    def summary(self) -> str:
        """Return one line."""
        return f"{self.asked} queries, {len(self.found)} differ, {len(self._groups())} causes"

    def _groups(self) -> dict[str, list[Finding]]:
        groups: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.found:
            groups[finding.cause].append(finding)
        return dict(sorted(groups.items(), key=lambda item: -len(item[1])))

    def markdown(self) -> str:
        """Return everything, the most frequent cause first."""
        lines = ["# Differences", "", self.summary(), ""]
        for cause, group in self._groups().items():
            lines += [f"## {cause} ({len(group)})", ""]
            for each in sorted(group, key=lambda f: len(f.query))[:_SHOWN]:
                lines += [
                    f"- seed {each.seed}: `{each.query}` {_when(each.form)}",
                    f"    - Prometheus: {each.difference.peer[:600]}",
                    f"    - qvmon: {each.difference.ours[:600]}",
                ]
            lines.append("")
        return "\n".join(lines) + "\n"


def _when(form: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in form.items() if name != "query")
