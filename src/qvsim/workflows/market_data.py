"""Market-data ingestion: feeds of three venues, numbered messages, gaps and staleness."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from random import Random

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from structlog.typing import FilteringBoundLogger

from qvsim.faults import Conditions
from qvsim.workflows.arrivals import duration, poisson
from qvsim.workflows.catalogue import VENUES

_BATCH_SECONDS = 0.1
_MESSAGES_PER_BATCH = {"XNAS": 12.0, "XNYS": 9.0, "BATS": 6.0}
_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_ERROR_CODES = ("decode", "checksum", "unknown_symbol")
_FLOWING_BETWEEN_GAPS_SECONDS = 3.0


class MarketDataIngestion:
    """Reads numbered messages of each venue, normalises them and passes them on."""

    def __init__(
        self,
        registry: CollectorRegistry,
        random: Random,
        conditions: Conditions,
        log: FilteringBoundLogger,
    ) -> None:
        self._random, self._conditions, self._log = random, conditions, log
        self._messages = Counter(
            "qv_market_data_messages", "Messages received.", ["venue"], registry=registry
        )
        self._errors = Counter(
            "qv_market_data_errors",
            "Messages not understood.",
            ["venue", "code"],
            registry=registry,
        )
        self._gaps = Counter(
            "qv_market_data_sequence_gaps",
            "Jumps in sequence numbers.",
            ["venue"],
            registry=registry,
        )
        self._missed = Counter(
            "qv_market_data_missed_messages",
            "Messages that never came, by their sequence numbers.",
            ["venue"],
            registry=registry,
        )
        self._processing = Histogram(
            "qv_market_data_processing_seconds",
            "From receipt of a message to its publication.",
            ["venue"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._sequence = Gauge(
            "qv_market_data_sequence_number", "Last sequence number.", ["venue"], registry=registry
        )
        staleness = Gauge(
            "qv_market_data_staleness_seconds",
            "Time since the last message.",
            ["venue"],
            registry=registry,
        )
        self._now = time.monotonic
        self._last_message = dict.fromkeys(VENUES, self._now())
        for venue in VENUES:
            staleness.labels(venue).set_function(partial(self._staleness, venue))
            self._gaps.labels(venue)
            self._missed.labels(venue)
            for code in _ERROR_CODES:
                self._errors.labels(venue, code)

    async def run(self) -> None:
        """Read every venue's feed until cancelled."""
        self._now = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as tasks:
            for venue in VENUES:
                tasks.create_task(self._feed(venue))

    async def _feed(self, venue: str) -> None:
        sequence = self._random.randrange(1_000_000)
        while True:
            await asyncio.sleep(_BATCH_SECONDS)
            if self._conditions.feed_gap is not None:
                sequence += await self._silence(venue)
            count = poisson(self._random, _MESSAGES_PER_BATCH[venue])
            sequence += count
            self._receive(venue, count)
            self._sequence.labels(venue).set(sequence)

    async def _silence(self, venue: str) -> int:
        """Let the feed be silent as the fault says; return how many messages were missed."""
        await asyncio.sleep(_FLOWING_BETWEEN_GAPS_SECONDS * self._random.random())
        fault = self._conditions.feed_gap
        began = self._now()
        while (now := self._conditions.feed_gap) is not None:
            if self._now() - began >= now.seconds:
                break
            await asyncio.sleep(_BATCH_SECONDS)
        size = fault.size if fault else 0
        self._gaps.labels(venue).inc()
        self._missed.labels(venue).inc(size)
        self._log.warning("sequence gap", venue=venue, missed_messages=size)
        return size

    def _staleness(self, venue: str) -> float:
        return self._now() - self._last_message[venue]

    def _receive(self, venue: str, count: int) -> None:
        if count == 0:
            return
        self._last_message[venue] = self._now()
        self._messages.labels(venue).inc(count)
        processing = self._processing.labels(venue)
        for _ in range(count):
            if self._conditions.fails(self._random, 0.0005):
                self._errors.labels(venue, self._random.choice(_ERROR_CODES)).inc()
            else:
                processing.observe(duration(self._random, self._conditions, 0.002, 0.5))
