"""What the API needs from the rest of the house; a split leaves out what another process has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from qvmon.api.ingest import Ingest
from qvmon.model.access import Principal
from qvmon.model.cardinality import Cardinality, StoredBlock
from qvmon.model.clock import Clock
from qvmon.model.exemplars import ExemplarSource
from qvmon.model.labels import Matcher
from qvmon.model.ledger import Ledger
from qvmon.model.metrics import Registry
from qvmon.model.ports import SeriesSource
from qvmon.model.series import LabelFrame, MetricMetadata, Selection, SeriesColumns
from qvmon.model.unknown import UnknownSource
from qvmon.promql import Result
from qvmon.services.alerting import RuleGroupStatus
from qvmon.services.collection import TargetsView
from qvmon.services.configuration import AccessService
from qvmon.services.distribution import DistributionService
from qvmon.services.incidents import IncidentsService
from qvmon.stores.query import Priority, QueryLimits, QueryStatistics, RunningQueries


class Queries(Protocol):
    """Evaluates PromQL for a principal; ``stores.query.QueryEngine``."""

    async def instant(
        self,
        principal: Principal,
        text: str,
        time_ms: int,
        *,
        lookback_ms: int | None = None,
        timeout_seconds: float | None = None,
        limits: QueryLimits = ...,
        priority: Priority = ...,
        statistics: QueryStatistics | None = None,
    ) -> Result:
        """Return the value of a query at one moment, its cost in ``statistics``."""
        ...

    async def range(
        self,
        principal: Principal,
        text: str,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        *,
        lookback_ms: int | None = None,
        timeout_seconds: float | None = None,
        limits: QueryLimits = ...,
        priority: Priority = ...,
        statistics: QueryStatistics | None = None,
        use_cache: bool = True,
    ) -> Result:
        """Return the value of a query at every step, its cost in ``statistics``."""
        ...


class SeriesLookup(Protocol):
    """Knows which series there are; ``stores.query.Catalogue``."""

    async def series(
        self,
        principal: Principal,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> LabelFrame:
        """Return the series that match any set, all of them when there is none."""
        ...

    async def label_names(
        self,
        principal: Principal,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> Sequence[str]:
        """Return the label names of those series, sorted."""
        ...

    async def label_values(
        self,
        principal: Principal,
        name: str,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> Sequence[str]:
        """Return the values of one label of those series, sorted."""
        ...

    async def metadata(
        self, principal: Principal, metric: str | None = None
    ) -> Sequence[MetricMetadata]:
        """Return what targets said about one metric, or about all."""
        ...


class RawSamples(Protocol):
    """Reads samples as they are stored; ``stores.query.QueryEngine``."""

    async def select(
        self, principal: Principal, selections: Sequence[Selection]
    ) -> Sequence[SeriesColumns]:
        """Return the samples of each selection, staleness markers included."""
        ...


class QueryPort(Queries, RawSamples, Protocol):
    """Everything the Prometheus API asks of the query engine."""

    @property
    def catalogue(self) -> SeriesLookup:
        """Which series there are."""
        ...


class TelemetryKeeping(Protocol):
    """What administrators may have done to stored samples; ``stores.telemetry``."""

    async def delete_series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> None:
        """Return once the samples of series that match any set are durably gone from queries."""
        ...

    async def clean_tombstones(self) -> None:
        """Return once deleted samples are gone from disk."""
        ...

    async def snapshot(self, *, skip_head: bool = False) -> str:
        """Return the name of a copy of everything stored, a directory under ``snapshots``."""
        ...


class CardinalityReport(Protocol):
    """Tells what is stored, and what makes series many; ``stores.telemetry``."""

    async def blocks(self) -> Sequence[StoredBlock]:
        """Return what is on disk beside the log, earliest first."""
        ...

    async def cardinality(self, limit: int) -> Cardinality:
        """Return the ``limit`` largest of each kind."""
        ...


class Telemetry(TelemetryKeeping, CardinalityReport, Protocol):
    """The telemetry store of this process."""


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What ``status/*`` tells of the process.

    Attributes:
        version: qvmon's version.
        started_at_us: When the process was ready to start serving.
        retention: How long samples are kept, in words such as ``15d``.
        configuration: The configuration file as it was read, secrets as ``***``.
        flags: Settings, under the names of Prometheus' command-line flags.
        external_labels: What federation and remote read add to every series.
        lookback_seconds: How old a sample may be and still stand for its series.
        hostname: The machine. ``directory``: where the process works.
    """

    version: str
    started_at_us: int
    retention: str = ""
    configuration: str = ""
    flags: Mapping[str, str] = field(default_factory=dict)
    external_labels: Mapping[str, str] = field(default_factory=dict)
    lookback_seconds: float = 300.0
    hostname: str = ""
    directory: str = ""


@dataclass(frozen=True)
class ApiPorts:
    """The parts that this process has; routes exist only for what is there."""

    clock: Clock
    registry: Registry
    build: BuildFacts
    ready: Callable[[], bool]
    access: AccessService | None = None
    ledger: Ledger | None = None
    queries: QueryPort | None = None
    running_queries: RunningQueries | None = None
    series: SeriesSource | None = None
    unknown: UnknownSource | None = None
    telemetry: Telemetry | None = None
    exemplars: ExemplarSource | None = None
    ingest: Ingest | None = None
    targets: Callable[[], TargetsView] | None = None
    rules: Callable[[], Sequence[RuleGroupStatus]] | None = None
    incidents: IncidentsService | None = None
    distribution: DistributionService | None = None
