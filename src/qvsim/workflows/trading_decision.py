"""Trading decisions: each strategy turns market data into buy, sell or hold."""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from structlog.typing import FilteringBoundLogger

from qvsim.faults import Conditions
from qvsim.workflows.arrivals import duration, on_arrival
from qvsim.workflows.catalogue import STRATEGIES

_DECISIONS_PER_SECOND = {"momentum": 5.0, "mean-reversion": 4.0, "market-making": 10.0}
_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
_ERROR_CODES = ("stale_input", "model_timeout", "risk_rejected")
_OUTCOMES, _WEIGHTS = ("buy", "sell", "hold"), (0.2, 0.2, 0.6)


class TradingDecision:
    """Decides for every strategy, some decisions at a time."""

    def __init__(
        self,
        registry: CollectorRegistry,
        random: Random,
        conditions: Conditions,
        log: FilteringBoundLogger,
    ) -> None:
        self._random, self._conditions, self._log = random, conditions, log
        self._latency = Histogram(
            "qv_decision_latency_seconds",
            "From market data to the decision.",
            ["strategy"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._decisions = Counter(
            "qv_decision_decisions", "Decisions taken.", ["strategy", "outcome"], registry=registry
        )
        self._errors = Counter(
            "qv_decision_errors", "Decisions that failed.", ["strategy", "code"], registry=registry
        )
        self._pending = Gauge(
            "qv_decision_pending", "Decisions being taken now.", ["strategy"], registry=registry
        )
        for strategy in STRATEGIES:
            for code in _ERROR_CODES:
                self._errors.labels(strategy, code)

    async def run(self) -> None:
        """Decide for every strategy until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for strategy in STRATEGIES:
                rate = _DECISIONS_PER_SECOND[strategy]
                work = partial(self._decide, strategy)
                tasks.create_task(on_arrival(self._random, rate, work))

    async def _decide(self, strategy: str) -> None:
        now = asyncio.get_running_loop().time
        began = now()
        with self._pending.labels(strategy).track_inprogress():
            await asyncio.sleep(duration(self._random, self._conditions, 0.06, 0.5))
        if self._conditions.fails(self._random, 0.002):
            code = self._random.choice(_ERROR_CODES)
            self._errors.labels(strategy, code).inc()
            self._log.warning("decision failed", strategy=strategy, code=code)
            return
        self._latency.labels(strategy).observe(now() - began)
        outcome = self._random.choices(_OUTCOMES, _WEIGHTS)[0]
        self._decisions.labels(strategy, outcome).inc()
