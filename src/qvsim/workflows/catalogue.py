"""What every simulated workflow is called and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Protocol

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from qvsim.faults import Conditions

VENUES = ("XNAS", "XNYS", "BATS")
STRATEGIES = ("momentum", "mean-reversion", "market-making")


@dataclass(frozen=True, slots=True)
class Specification:
    """A workflow: its name, the service that runs it, and whether it reads a feed."""

    workflow: str
    service: str
    has_feed: bool = False


SPECIFICATIONS = {
    each.workflow: each
    for each in (
        Specification("market-data-ingestion", "feed-handler", has_feed=True),
        Specification("trading-decision", "signal-engine"),
        Specification("trade-execution", "order-gateway"),
        Specification("portfolio-coordination", "portfolio-coordinator"),
    )
}


class Simulation(Protocol):
    """One workflow at work."""

    def __init__(
        self,
        registry: CollectorRegistry,
        random: Random,
        conditions: Conditions,
        log: FilteringBoundLogger,
    ) -> None:
        """Declare the workflow's metrics in ``registry``."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...
