"""What the simulated workflows show on a good day, and under each fault."""

import re
from pathlib import Path
from random import Random

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from qvsim.faults import Conditions, ErrorsFault, Fault, FeedGapFault, LatencyFault
from qvsim.workflows import SIMULATIONS
from tests.unit.qvsim.virtual_time import run_for

README = Path(__file__).parents[3] / "src" / "qvsim" / "README.md"
RULES = Path(__file__).parents[3] / "examples" / "quantivista" / "rules"


class Day:
    """Sums of what a workflow showed after some virtual time."""

    def __init__(self, workflow: str, *faults: Fault, seconds: float = 120, seed: int = 1) -> None:
        self.registry, conditions = CollectorRegistry(), Conditions()
        conditions.change(faults)
        log = structlog.wrap_logger(structlog.ReturnLogger(), processors=[])
        simulation = SIMULATIONS[workflow](self.registry, Random(seed), conditions, log)
        run_for(seconds, simulation.run)

    def total(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def largest(self, name: str) -> float:
        return max(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name
        )

    def share_within(self, histogram: str, le: str) -> float:
        return self.total(f"{histogram}_bucket", le=le) / self.total(f"{histogram}_count")


def test_orders_are_acknowledged_fast_on_a_good_day_and_slowly_under_a_latency_fault() -> None:
    usual = Day("trade-execution")
    slow = Day("trade-execution", LatencyFault(factor=10))
    assert usual.share_within("qv_execution_order_to_ack_seconds", "0.05") > 0.99
    assert slow.share_within("qv_execution_order_to_ack_seconds", "0.1") < 0.9


def test_slow_orders_slip() -> None:
    def quality(day: Day) -> float:
        fills = "qv_execution_fills_total"
        return day.total(fills, quality="met") / day.total(fills)

    assert quality(Day("trade-execution")) > 0.95
    assert quality(Day("trade-execution", LatencyFault(factor=10))) < 0.8


@pytest.mark.parametrize(
    ("workflow", "errors", "operations"),
    [
        ("market-data-ingestion", "qv_market_data_errors", "qv_market_data_messages"),
        ("trading-decision", "qv_decision_errors", "qv_decision_decisions"),
        ("trade-execution", "qv_execution_errors", "qv_execution_orders"),
        ("portfolio-coordination", "qv_portfolio_errors", "qv_portfolio_coordinations"),
    ],
)
def test_an_errors_fault_shows_in_every_workflow(
    workflow: str, errors: str, operations: str
) -> None:
    def ratio(day: Day) -> float:
        return day.total(f"{errors}_total") / day.total(f"{operations}_total")

    assert ratio(Day(workflow)) < 0.01
    assert ratio(Day(workflow, ErrorsFault(rate=0.2))) > 0.15


def test_a_feed_gap_makes_feeds_stale_and_messages_missing() -> None:
    usual = Day("market-data-ingestion")
    gap = Day("market-data-ingestion", FeedGapFault(seconds=30, size=500), seconds=140)
    assert usual.total("qv_market_data_missed_messages_total") == 0
    assert usual.largest("qv_market_data_staleness_seconds") < 1
    assert gap.total("qv_market_data_missed_messages_total") >= 3 * 3 * 500
    silence = gap.total("qv_market_data_messages_total")
    assert silence < usual.total("qv_market_data_messages_total") / 4


def test_decisions_and_coordination_meet_their_objectives_on_a_good_day() -> None:
    decisions, rounds = Day("trading-decision"), Day("portfolio-coordination")
    assert decisions.share_within("qv_decision_latency_seconds", "0.5") > 0.99
    assert rounds.share_within("qv_portfolio_coordination_seconds", "1.0") > 0.99


def test_exposure_stays_below_its_limit_for_hours() -> None:
    day = Day("portfolio-coordination", seconds=3 * 3600)
    exposure = day.total("qv_portfolio_gross_exposure_usd")
    assert 0 < exposure < 0.8 * day.total("qv_portfolio_exposure_limit_usd")


def test_the_same_seed_draws_the_same_day() -> None:
    def samples(seed: int) -> list[str]:
        registry = Day("trade-execution", seconds=20, seed=seed).registry
        lines = generate_latest(registry).decode().splitlines()
        return [line for line in lines if "_created" not in line]  # real times

    assert samples(1) == samples(1) != samples(2)


def exposed_names() -> set[str]:
    names = set()
    for workflow in SIMULATIONS:
        for family in Day(workflow, seconds=1).registry.collect():
            suffix = "_total" if family.type == "counter" else ""
            names.add(family.name + suffix)
    return names


def test_the_readme_lists_every_metric_and_no_other() -> None:
    assert set(re.findall(r"^\| `(qv_\w+)`", README.read_text(), re.MULTILINE)) == exposed_names()


def test_the_example_rules_name_only_metrics_that_exist() -> None:
    text = "".join(path.read_text() for path in RULES.glob("*.yml"))
    recorded = re.findall(r"record: (\S+)", text)
    used = {
        name.removesuffix("_bucket")
        for name in re.findall(r"(?<![:\w])qv_\w+", "".join(text.split("record:")))
    }
    assert recorded
    assert used <= exposed_names()
