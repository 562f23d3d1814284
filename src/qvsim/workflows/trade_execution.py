"""Trade execution: orders go to venues, come back acknowledged, filled or rejected."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from itertools import product
from random import Random

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from structlog.typing import FilteringBoundLogger

from qvsim.faults import Conditions
from qvsim.workflows.arrivals import duration, on_arrival
from qvsim.workflows.catalogue import STRATEGIES, VENUES

_ORDERS_PER_SECOND = {"momentum": 2.0, "mean-reversion": 1.5, "market-making": 4.0}
_ACK_SECONDS = {"XNAS": 0.006, "XNYS": 0.008, "BATS": 0.005}
_ACK_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_SLIPPAGE_BUCKETS = (0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 50.0)
_SLIPPAGE_TARGET_BPS = 5.0
_USUAL_SLIPPAGE_BPS = 1.4
_REJECT_CODES = ("price_collar", "throttled", "unknown_symbol", "halted")


class TradeExecution:
    """Sends every strategy's orders to every venue and watches what comes back."""

    def __init__(
        self,
        registry: CollectorRegistry,
        random: Random,
        conditions: Conditions,
        log: FilteringBoundLogger,
    ) -> None:
        self._random, self._conditions, self._log = random, conditions, log
        route = ["venue", "strategy"]
        self._orders = Counter("qv_execution_orders", "Orders sent.", route, registry=registry)
        self._order_to_ack = Histogram(
            "qv_execution_order_to_ack_seconds",
            "From sending an order to its acknowledgement.",
            route,
            buckets=_ACK_BUCKETS,
            registry=registry,
        )
        self._errors = Counter(
            "qv_execution_errors", "Orders rejected.", ["venue", "code"], registry=registry
        )
        self._unacknowledged = Gauge(
            "qv_execution_unacknowledged_orders",
            "Orders sent and not yet answered.",
            ["venue"],
            registry=registry,
        )
        self._fills = Counter(
            "qv_execution_fills",
            "Fills, by whether slippage met its target of 5 basis points.",
            [*route, "quality"],
            registry=registry,
        )
        self._slippage = Histogram(
            "qv_execution_slippage_bps",
            "Slippage against the arrival price, in basis points.",
            route,
            buckets=_SLIPPAGE_BUCKETS,
            registry=registry,
        )
        self._shortfall = Counter(
            "qv_execution_shortfall_usd",
            "Implementation shortfall: what decisions lost on their way to fills.",
            ["strategy"],
            registry=registry,
        )
        for venue, code in product(VENUES, _REJECT_CODES):
            self._errors.labels(venue, code)
        for venue, strategy, quality in product(VENUES, STRATEGIES, ("met", "missed")):
            self._fills.labels(venue, strategy, quality)

    async def run(self) -> None:
        """Trade for every strategy at every venue until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for venue, strategy in product(VENUES, STRATEGIES):
                rate = _ORDERS_PER_SECOND[strategy]
                work = partial(self._trade, venue, strategy)
                tasks.create_task(on_arrival(self._random, rate, work))

    async def _trade(self, venue: str, strategy: str) -> None:
        now = asyncio.get_running_loop().time
        began = now()
        self._orders.labels(venue, strategy).inc()
        with self._unacknowledged.labels(venue).track_inprogress():
            await asyncio.sleep(duration(self._random, self._conditions, _ACK_SECONDS[venue], 0.4))
        if self._conditions.fails(self._random, 0.002):
            code = self._random.choice(_REJECT_CODES)
            self._errors.labels(venue, code).inc()
            self._log.warning("order rejected", venue=venue, strategy=strategy, code=code)
            return
        self._order_to_ack.labels(venue, strategy).observe(now() - began)
        for _ in range(self._random.randint(1, 3)):
            self._fill(venue, strategy)

    def _fill(self, venue: str, strategy: str) -> None:
        """Fill a part of an order; the market moves away from the slow."""
        mean = _USUAL_SLIPPAGE_BPS * math.sqrt(self._conditions.latency_factor)
        slippage = self._random.expovariate(1 / mean)
        quality = "met" if slippage <= _SLIPPAGE_TARGET_BPS else "missed"
        self._fills.labels(venue, strategy, quality).inc()
        self._slippage.labels(venue, strategy).observe(slippage)
        notional = self._random.uniform(2_000, 40_000)
        self._shortfall.labels(strategy).inc(notional * slippage / 10_000)
