"""A source of series for queries, and an engine over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from qvmon.model.access import Role, person
from qvmon.model.labels import Labels, Matcher
from qvmon.model.metrics import Registry
from qvmon.model.ports import Allowance
from qvmon.model.series import LabelFrame, MetricMetadata, Selection, SeriesColumns
from qvmon.stores.query import QueryConfig, QueryEngine
from qvmon.testing.clock import JumpingClock

VIEWER = person("ada", frozenset({Role.VIEWER}))
TIMES = np.arange(0, 600_001, 15_000, dtype=np.int64)


class Ramps:
    """Series that rise by one every fifteen seconds; it counts what is asked of it."""

    def __init__(self, labels: Sequence[Labels]) -> None:
        self.labels = labels
        self.asked: list[Selection] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def select(
        self, selections: Sequence[Selection], allowance: Allowance | None = None, **_: bool
    ) -> list[SeriesColumns]:
        """Return the samples of each selection, once allowed to."""
        self.asked += selections
        await self.may_answer.wait()
        return [self._columns(each) for each in selections]

    def _columns(self, selection: Selection) -> SeriesColumns:
        chosen = [each for each in self.labels if _matches(each, selection.matchers)]
        inside = (selection.start_ms <= TIMES) & (selection.end_ms >= TIMES)
        count = int(inside.sum())
        return SeriesColumns(
            LabelFrame.from_labels(chosen),
            np.arange(len(chosen) + 1, dtype=np.int64) * count,
            np.tile(TIMES[inside], len(chosen)),
            np.tile(np.arange(len(TIMES), dtype=np.float64)[inside], len(chosen)),
        )

    async def series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> LabelFrame:
        """Return the series of any matcher set."""
        return LabelFrame.from_labels(
            [
                each
                for each in self.labels
                if not matcher_sets or any(_matches(each, m) for m in matcher_sets)
            ]
        )

    async def metadata(self, metric: str | None = None) -> list[MetricMetadata]:
        """Return what is known of every metric."""
        return [MetricMetadata("up", "gauge", "Whether the target answered.")]


def _matches(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    return all(m.matches(labels.get(m.name, "")) for m in matchers)


@pytest.fixture
def source() -> Ramps:
    """Return three series of two metrics."""
    return Ramps(
        [
            Labels({"__name__": "up", "job": "gateway"}),
            Labels({"__name__": "up", "job": "decision"}),
            Labels({"__name__": "orders_total", "job": "gateway", "venue": "XNYS"}),
        ]
    )


@pytest.fixture
def registry() -> Registry:
    """Return an empty registry."""
    return Registry()


@pytest.fixture
def engine(source: Ramps, registry: Registry) -> Callable[..., QueryEngine]:
    """Return a maker of engines with chosen limits."""

    def make(**limits: object) -> QueryEngine:
        return QueryEngine(source, QueryConfig(**limits), JumpingClock(), registry)

    return make
