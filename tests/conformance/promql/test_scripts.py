"""PromQL means what Prometheus' scripts, and our own, say it means."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import promqltest
import pytest
from known_failures import KNOWN

OURS = sorted(Path(__file__).parent.glob("*.test"))
UPSTREAM = [
    "aggregators",
    "at_modifier",
    "collision",
    "duration_expression",
    "extended_vectors",
    "fill-modifier",
    "functions",
    "histograms",
    "info",
    "limit",
    "literals",
    "name_label_dropping",
    "operators",
    "range_queries",
    "selectors",
    "staleness",
    "start_timestamps",
    "subquery",
    "trig_functions",
    "type_and_unit",
    "unquoted_utf8_names",
]
NOT_RUN = {"native_histograms.test"}  # all about native histograms


@pytest.mark.parametrize("script", OURS, ids=lambda path: path.stem)
def test_our_scripts_pass(script: Path) -> None:
    """Every case of our own scripts gives what it says."""
    verdicts = promqltest.run(script.read_text())
    assert verdicts
    assert [v for v in verdicts if v.problem] == []


@pytest.mark.parametrize("name", UPSTREAM)
def test_prometheus_scripts_pass(upstream_scripts: Path, name: str) -> None:
    """Every case gives Prometheus' result, but for native histograms and the known failures."""
    file = f"{name}.test"
    verdicts = promqltest.run((upstream_scripts / file).read_text())
    known = KNOWN.get(file, {})
    failed = {v.line: v for v in verdicts if v.problem not in (None, promqltest.NATIVE)}
    unexpected = [v for line, v in failed.items() if line not in known]
    mended = [line for line in known if line not in failed]
    counts = Counter(
        "passed" if v.problem is None else v.problem if v.problem == "native" else "known failure"
        for v in verdicts
    )
    print(f"{file}: {dict(counts)}")
    assert unexpected == []
    assert mended == [], "these pass now: take them out of known_failures.py"


def test_every_upstream_script_is_run(upstream_scripts: Path) -> None:
    """A script that appears upstream is not overlooked."""
    there = {path.name for path in upstream_scripts.glob("*.test")}
    assert there == {f"{name}.test" for name in UPSTREAM} | NOT_RUN
