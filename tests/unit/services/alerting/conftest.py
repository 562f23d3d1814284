"""What the tests of alerting are set up with: scripted results, a sink in memory, a clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from qvmon.model.access import Principal
from qvmon.model.errors import QvmonError
from qvmon.model.facts import Fact
from qvmon.model.labels import Labels
from qvmon.model.ledger import Ledger
from qvmon.model.metrics import Registry
from qvmon.model.ports import AppendResult
from qvmon.model.series import (
    STALE_BITS,
    Int64s,
    LabelFrame,
    MetricMetadata,
    SampleBatch,
    SeriesKeys,
)
from qvmon.promql.results import Result, Vector
from qvmon.services.alerting import PROJECTIONS, AlertingConfig, AlertingService, Readiness
from qvmon.testing.clock import JumpingClock
from qvmon.testing.ledger import MemoryLedger
from qvmon.wire.rule_file import decode

Answer = Mapping[Labels, float] | QvmonError


class ScriptedQueries:
    """Answers each query as the test's table says; a query it does not know yields nothing."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, int]] = []
        self.before: Callable[[str], None] = lambda text: None

    async def many(
        self,
        principal: Principal,
        asked: Sequence[tuple[str, int]],
        *,
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[tuple[tuple[str, int], Result | QvmonError]]:
        for text, time_ms in asked:
            self.asked.append((text, time_ms))
            self.before(text)
            yield (text, time_ms), self._answer(text, time_ms)

    def _answer(self, text: str, time_ms: int) -> Result | QvmonError:
        answer = self.answers.get(text, {})
        if isinstance(answer, QvmonError):
            return answer
        values = np.array(list(answer.values()), np.float64)
        return Vector(LabelFrame.from_labels(list(answer)), values, time_ms)


class MemorySink:
    """Remembers every sample; ``away`` makes it fail, ``refuses`` makes it refuse a row."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.samples: list[tuple[Labels, int, float | str]] = []
        self.away: QvmonError | None = None
        self.refuses: Mapping[str, Sequence[int]] = {}

    def series_ids(self, keys: SeriesKeys) -> Int64s:
        for row in range(len(keys)):
            if keys.key(row) not in self.keys:
                self.keys.append(keys.key(row))
        return np.array([self.keys.index(keys.key(row)) for row in range(len(keys))], np.int64)

    async def append(self, batch: SampleBatch) -> AppendResult:
        if self.away is not None:
            raise self.away
        stale = batch.values.view(np.uint64) == STALE_BITS
        for series, at, value, end in zip(
            batch.series, batch.timestamps, batch.values, stale, strict=True
        ):
            labels = Labels.decode(self.keys[series])
            self.samples.append((labels, int(at), "stale" if end else float(value)))
        refused = {why: np.array(rows, np.int64) for why, rows in self.refuses.items()}
        return AppendResult(len(batch), refused)

    def describe(self, metadata: Sequence[MetricMetadata]) -> None:
        raise AssertionError("alerting describes nothing")

    def of(self, name: str) -> list[tuple[Labels, int, float | str]]:
        return [
            (labels.without("__name__"), at, value)
            for labels, at, value in self.samples
            if labels["__name__"] == name
        ]


@dataclass
class World:
    """Everything around an alerting service, which may be killed and started again."""

    clock: JumpingClock = field(default_factory=lambda: JumpingClock(1_000_000 * 10**9))
    queries: ScriptedQueries = field(default_factory=ScriptedQueries)
    sink: MemorySink = field(default_factory=MemorySink)
    registry: Registry = field(default_factory=Registry)
    config: AlertingConfig = field(default_factory=AlertingConfig)
    rules: str = ""
    ready: Readiness | None = None
    ledger: MemoryLedger = field(init=False)
    service: AlertingService = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock, PROJECTIONS)

    async def start(self) -> None:
        ledger: Ledger = self.ledger
        self.registry = Registry()
        self.service = AlertingService(
            self.config,
            decode(self.rules, "rules.yml"),
            self.queries,
            self.sink,
            ledger,
            clock=self.clock,
            registry=self.registry,
            ready=self.ready,
        )
        await self.service.start()

    async def restart(self) -> None:
        await self.service.stop()
        await self.start()

    def facts(self, noun: str = "alert") -> list[Fact]:
        """The facts so far that are about a ``noun``."""
        return [fact for fact in self.ledger.facts if fact.type.startswith(f"{noun}.")]

    def types(self) -> list[str]:
        return [fact.type for fact in self.facts()]


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture(scope="session")
def make_world() -> type[World]:
    """Makes a world of its own for each example of a property."""
    return World
