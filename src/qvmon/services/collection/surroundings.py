"""What every loop of the process shares."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qvmon.model.clock import Clock
from qvmon.model.exemplars import ExemplarSink
from qvmon.model.metrics import Registry
from qvmon.model.ports import SampleSink
from qvmon.services.collection.observations import Observations

if TYPE_CHECKING:
    from qvmon.services.collection.loop import ScrapeLoop


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where samples go, when, and who counts.

    Attributes:
        sink: Where samples go.
        clock: When.
        registry: Where loops count.
        observations: What is known of every target.
        seed: Moves every target's place in its interval.
        threaded_body_bytes: Pages at least this large are read in a thread.
        max_series_bytes: The longest name with labels of one exposed series.
        exemplars: Where exemplars go.
        first_scrape_within_ns: New targets are scraped once within this time; 0 leaves them to
            their place in the interval.
        alive: The loops of all jobs.
        endings: Tasks that will mark the series of removed targets as ended.
    """

    sink: SampleSink
    clock: Clock
    registry: Registry
    observations: Observations
    exemplars: ExemplarSink
    seed: int = 0
    threaded_body_bytes: int = 1 << 16
    max_series_bytes: int = 64 << 10
    first_scrape_within_ns: int = 0
    alive: set[ScrapeLoop] = field(default_factory=set)
    endings: set[asyncio.Task[None]] = field(default_factory=set)
