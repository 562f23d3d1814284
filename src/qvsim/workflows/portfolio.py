"""Portfolio coordination: strategies' targets become positions within limits; P&L and risk."""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from structlog.typing import FilteringBoundLogger

from qvsim.faults import Conditions
from qvsim.workflows.arrivals import duration, on_arrival
from qvsim.workflows.catalogue import STRATEGIES

_PRICES = {"AAPL": 190.0, "MSFT": 420.0, "NVDA": 880.0, "SPY": 520.0}
_DAILY_VOLATILITY = 0.012
_NORMAL_QUANTILE_99 = 2.326
_EXPOSURE_LIMIT_USD = 10_000_000.0
_KEPT_SHARE = 0.97  # of a position, at each round: positions stay within bounds
_MARK_SECONDS = 1.0
_BUCKETS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
_ERROR_CODES = ("conflicting_targets", "limit_breach", "lock_timeout")


class PortfolioCoordination:
    """Brings the strategies' wishes together and marks the book to a wandering market."""

    def __init__(
        self,
        registry: CollectorRegistry,
        random: Random,
        conditions: Conditions,
        log: FilteringBoundLogger,
    ) -> None:
        self._random, self._conditions, self._log = random, conditions, log
        self._declare_coordination(registry)
        self._declare_book(registry)
        self._prices = dict(_PRICES)
        self._shares = {(s, symbol): 0 for s in STRATEGIES for symbol in _PRICES}
        self._profit = dict.fromkeys(STRATEGIES, 0.0)
        self._limit.set(_EXPOSURE_LIMIT_USD)
        self._show_book()

    def _declare_coordination(self, registry: CollectorRegistry) -> None:
        self._coordinations = Counter(
            "qv_portfolio_coordinations", "Rounds, by outcome.", ["outcome"], registry=registry
        )
        self._errors = Counter(
            "qv_portfolio_errors", "Failed rounds, by reason.", ["code"], registry=registry
        )
        self._latency = Histogram(
            "qv_portfolio_coordination_seconds",
            "How long a round takes.",
            buckets=_BUCKETS,
            registry=registry,
        )
        for outcome in ("success", "failure"):
            self._coordinations.labels(outcome)
        for code in _ERROR_CODES:
            self._errors.labels(code)

    def _declare_book(self, registry: CollectorRegistry) -> None:
        self._position = Gauge(
            "qv_portfolio_position_shares",
            "Shares held; negative when short.",
            ["strategy", "symbol"],
            registry=registry,
        )
        self._pnl = Gauge(
            "qv_portfolio_pnl_usd", "Profit and loss today.", ["strategy"], registry=registry
        )
        self._gross = Gauge(
            "qv_portfolio_gross_exposure_usd", "Long plus short.", ["strategy"], registry=registry
        )
        self._net = Gauge(
            "qv_portfolio_net_exposure_usd", "Long minus short.", ["strategy"], registry=registry
        )
        self._limit = Gauge(
            "qv_portfolio_exposure_limit_usd", "Largest gross exposure allowed.", registry=registry
        )
        self._value_at_risk = Gauge(
            "qv_portfolio_value_at_risk_usd",
            "Parametric value at risk of one day.",
            ["confidence"],
            registry=registry,
        )

    async def run(self) -> None:
        """Coordinate every strategy, and mark the book each second, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._mark())
            for strategy in STRATEGIES:
                work = partial(self._coordinate, strategy)
                tasks.create_task(on_arrival(self._random, 2.0, work))

    async def _coordinate(self, strategy: str) -> None:
        now = asyncio.get_running_loop().time
        began = now()
        await asyncio.sleep(duration(self._random, self._conditions, 0.12, 0.4))
        if self._conditions.fails(self._random, 0.0002):
            code = self._random.choice(_ERROR_CODES)
            self._errors.labels(code).inc()
            self._coordinations.labels("failure").inc()
            self._log.warning("coordination failed", strategy=strategy, code=code)
            return
        self._latency.observe(now() - began)
        self._coordinations.labels("success").inc()
        self._trade(strategy)

    def _trade(self, strategy: str) -> None:
        symbol = self._random.choice(tuple(_PRICES))
        kept = _KEPT_SHARE * self._shares[strategy, symbol]
        held = round(kept + self._random.randint(-300, 300))
        self._shares[strategy, symbol] = held
        self._position.labels(strategy, symbol).set(held)

    async def _mark(self) -> None:
        """Let prices wander and revalue the book."""
        while True:
            await asyncio.sleep(_MARK_SECONDS)
            for symbol, price in self._prices.items():
                moved = price * self._random.gauss(0, _DAILY_VOLATILITY / 150)
                self._prices[symbol] = price + moved
                for strategy in STRATEGIES:
                    self._profit[strategy] += moved * self._shares[strategy, symbol]
            self._show_book()

    def _show_book(self) -> None:
        total = 0.0
        for strategy in STRATEGIES:
            worth = [self._prices[s] * self._shares[strategy, s] for s in self._prices]
            self._pnl.labels(strategy).set(self._profit[strategy])
            self._gross.labels(strategy).set(sum(map(abs, worth)))
            self._net.labels(strategy).set(sum(worth))
            total += sum(map(abs, worth))
        risk = total * _DAILY_VOLATILITY * _NORMAL_QUANTILE_99
        self._value_at_risk.labels("0.99").set(risk)
