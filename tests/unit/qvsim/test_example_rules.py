"""The rules that ship for the platform are what promtool and a reader of pages expect."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.servers import program

FILES = sorted((Path(__file__).parents[3] / "examples" / "quantivista" / "rules").glob("*.yml"))


def alerts() -> list[Any]:
    groups = [group for path in FILES for group in YAML(typ="safe").load(path)["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


@pytest.mark.server("prometheus")
def test_promtool_accepts_every_file() -> None:
    checked = subprocess.run(
        [program("promtool"), "check", "rules", *map(str, FILES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count("SUCCESS") == len(FILES)


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_where_and_what_to_do(rule: Any) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert re.match(r"https://.*#[a-z-]+$", rule["annotations"]["runbook_url"])
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    if "qvmon" in rule["expr"]:
        assert rule["labels"]["service"] == "qvmon"
    else:
        assert (
            "$labels.service" in "".join(rule["annotations"].values()) or "service" in rule["expr"]
        )


def test_rules_about_qvmon_name_metrics_that_it_declares() -> None:
    sources = Path(__file__).parents[3] / "src" / "qvmon"
    declared = "".join(path.read_text() for path in sources.rglob("*.py"))
    used = set(re.findall(r"qvmon_\w+", "".join(rule["expr"] for rule in alerts())))
    assert used
    assert {name for name in used if f'"{name.removesuffix("_bucket")}"' not in declared} == set()


def test_alert_names_are_unique() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names))
