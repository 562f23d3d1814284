import numpy as np
import pytest

from qvmon.model.labels import Labels
from qvmon.model.series import LabelFrame
from qvmon.promql.plan import plan
from qvmon.promql.results import Vector
from qvmon.services.alerting.coverage import dark, measured, windows
from qvmon.wire.rule_file import decode

TARGETS = {
    Labels(__name__="up", job="api", instance="1", service="orders"): 0.0,
    Labels(__name__="up", job="api", instance="2", service="orders"): 1.0,
    Labels(__name__="up", job="db", instance="3"): 0.0,
}


def _up(targets: dict[Labels, float]) -> Vector:
    return Vector(LabelFrame.from_labels(list(targets)), np.array(list(targets.values())), 0)


@pytest.mark.parametrize(
    ("element", "is_dark"),
    [
        (Labels(job="api", instance="1", alertname="A"), True),
        (Labels(job="api", instance="2"), False),
        (Labels(job="api"), False),  # one of its targets is up
        (Labels(job="db", severity="critical"), True),
        (Labels(service="orders"), False),
        (Labels(job="elsewhere"), False),  # nothing says that it is down
        (Labels(venue="XNYS"), False),  # it belongs to all targets
    ],
)
def test_an_element_is_dark_when_all_its_targets_are_down(element: Labels, is_dark: bool) -> None:
    assert dark([element], _up(TARGETS)) == ([element] if is_dark else [])


def test_an_element_of_no_target_in_particular_is_dark_when_every_target_is_down() -> None:
    down = dict.fromkeys(TARGETS, 0.0)
    assert dark([Labels(venue="XNYS")], _up(down)) == [Labels(venue="XNYS")]
    assert dark([Labels(venue="XNYS")], _up({})) == []


def test_a_rule_looks_back_as_far_as_what_it_reads_was_made_of() -> None:
    rules = """\
groups:
  - name: a
    rules:
      - {record: five, expr: 'rate(x[5m])'}
      - {record: ten, expr: 'max_over_time(five[5m] offset 1m)'}
      - {record: round, expr: 'round + five'}
  - name: b
    rules:
      - {alert: Plain, expr: 'x > 1'}
      - {alert: Far, expr: 'ten > 1 or y > 2'}
"""
    minute = 60_000
    reach = windows(decode(rules, "r.yml"))
    assert reach == [[5 * minute, 11 * minute, 5 * minute], [0, 11 * minute]]


@pytest.mark.parametrize(
    ("expression", "side"),
    [
        ("rate(x[1m]) > 5", "rate(x[1m])"),
        ("((5 < sum by (a) (x)))", "sum by (a) (x)"),
        ("x > bool 5", ""),
        ("x > y", ""),
        ("x > 1 and y > 1", ""),
        ("x", ""),
        ("1 > bool 2", ""),
    ],
)
def test_what_a_condition_compares_with_a_number(expression: str, side: str) -> None:
    assert measured(plan(expression)) == side
