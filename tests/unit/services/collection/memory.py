"""A store, targets and files in memory, and a collection that runs among them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch

import numpy as np

from qvmon.model.errors import QvmonError, not_found
from qvmon.model.exemplars import Exemplar
from qvmon.model.labels import Labels
from qvmon.model.metrics import Metric, Registry
from qvmon.model.ports import AppendResult, OutboundRequest, OutboundResponse
from qvmon.model.series import STALE_BITS, Int64s, MetricMetadata, SampleBatch, SeriesKeys
from qvmon.model.unknown import UnknownInterval
from qvmon.services.collection import CollectionConfig, CollectionService, LocalMetrics
from qvmon.testing.clock import JumpingClock
from qvmon.wire.prometheus_config import decode_prometheus_config

URL = "http://a:1/metrics"
JOB = """
scrape_configs:
- job_name: j
  scrape_interval: 10s
  scrape_timeout: 5s
  static_configs: [{targets: ['a:1']}]
"""

Sample = tuple[int, float | str]


class MemorySink:
    """Keeps every appended sample by its labels."""

    def __init__(self, series_limit: int | None = None) -> None:
        self.labels: list[Labels] = []
        self.samples: dict[Labels, list[Sample]] = {}
        self.metadata: dict[str, MetricMetadata] = {}
        self.series_limit = series_limit
        self.asked = 0
        self.broken: QvmonError | None = None
        self._ids: dict[bytes, int] = {}

    def series_ids(self, keys: SeriesKeys) -> Int64s:
        self.asked += len(keys)
        return np.array([self._id(keys.key(row)) for row in range(len(keys))], np.int64)

    def known_ids(self, keys: SeriesKeys) -> Int64s:
        return np.array([self._ids.get(keys.key(row), -1) for row in range(len(keys))], np.int64)

    def _id(self, key: bytes) -> int:
        if key not in self._ids:
            if self.series_limit is not None and len(self._ids) >= self.series_limit:
                return -1
            self._ids[key] = len(self.labels)
            self.labels.append(Labels.decode(key))
        return self._ids[key]

    async def append(self, batch: SampleBatch) -> AppendResult:
        if self.broken:
            raise self.broken
        refused = []
        bits = batch.values.view(np.uint64)
        for row, (series, time, value) in enumerate(
            zip(
                batch.series.tolist(), batch.timestamps.tolist(), batch.values.tolist(), strict=True
            )
        ):
            if series < 0:
                refused.append(row)
                continue
            shown = "stale" if bits[row] == STALE_BITS else value
            self.samples.setdefault(self.labels[series], []).append((time, shown))
        reasons = {"series_limit": np.array(refused, np.int64)} if refused else {}
        return AppendResult(len(batch) - len(refused), reasons)

    def describe(self, metadata: Sequence[MetricMetadata]) -> None:
        self.metadata.update({each.name: each for each in metadata})

    def values(self, name: str, **labels: str) -> list[float | str]:
        """Return the values of the one series called ``name`` that has ``labels``."""
        return [value for _, value in self.of(name, **labels)]

    def of(self, name: str, **labels: str) -> list[Sample]:
        wanted = {"__name__": name, **labels}
        found = [s for s in self.samples if all(s.get(k) == v for k, v in wanted.items())]
        assert len(found) <= 1, found
        return self.samples[found[0]] if found else []

    def names(self) -> set[str]:
        return {labels["__name__"] for labels in self.samples}


class MemoryUnknown:
    """Keeps unknown intervals as (scope, reason, start, end), in the order of their beginnings."""

    def __init__(self) -> None:
        self.kept: list[UnknownInterval] = []

    def begin_unknown(self, scope: Labels, reason: str, start_ms: int) -> None:
        self.kept.append(UnknownInterval(scope, start_ms, None, reason))

    def end_unknown(self, scope: Labels, reason: str, end_ms: int) -> None:
        for row, each in enumerate(self.kept):
            if (each.scope, each.reason, each.end_ms) == (scope, reason, None):
                self.kept[row] = replace(each, end_ms=end_ms)

    def open_unknown(self) -> list[UnknownInterval]:
        return [each for each in self.kept if each.end_ms is None]

    def shown(self) -> list[tuple[str, int, int | None]]:
        return [(each.reason, each.start_ms, each.end_ms) for each in self.kept]


class MemoryExemplars:
    """Remembers every exemplar, in the order in which they came."""

    def __init__(self) -> None:
        self.kept: list[tuple[Labels, Exemplar]] = []

    def keep(self, exemplars: Iterable[tuple[bytes, Exemplar]]) -> None:
        self.kept += [(Labels.decode(key), each) for key, each in exemplars]


@dataclass
class MemoryTargets:
    """Answers by URL: text, an error to raise, or a function that gives either."""

    answers: dict[str, object] = field(default_factory=dict)
    content_type: str = "text/plain; version=0.0.4"
    requests: list[OutboundRequest] = field(default_factory=list)

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        self.requests.append(request)
        answer = self.answers[request.url]
        if callable(answer):
            answer = answer()
        if isinstance(answer, OutboundResponse):
            return answer
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, str)
        return OutboundResponse(200, {"Content-Type": self.content_type}, answer.encode())


class MemoryFiles:
    """Files by path."""

    def __init__(self, files: dict[str, str] | None = None) -> None:
        self.files = dict(files or {})

    async def matching(self, pattern: str) -> list[str]:
        return sorted(path for path in self.files if fnmatch(path, pattern))

    async def read(self, path: str) -> bytes:
        if path not in self.files:
            raise not_found(f"{path}: no such file")
        return self.files[path].encode()


def in_turn(answers: Iterable[object]) -> Callable[[], object]:
    """Return a function that gives one answer after the other, and the last for ever."""
    rest = list(answers)
    return lambda: rest.pop(0) if len(rest) > 1 else rest[0]


def config(text: str = JOB, **fields: object) -> CollectionConfig:
    """Return a configuration; pages are read in the loop, as the jumping clock needs it."""
    fields.setdefault("threaded_body_bytes", 1 << 40)
    jobs = decode_prometheus_config(text, "prometheus.yml", {}).scrape_configs
    return CollectionConfig(jobs=jobs, instance="host", **fields)


def job(more: str) -> str:
    """Return the usual configuration with more lines in its job."""
    return JOB + "".join(f"  {line}\n" for line in more.strip().splitlines())


@dataclass
class World:
    """A running collection with everything around it in memory."""

    sink: MemorySink = field(default_factory=MemorySink)
    unknown: MemoryUnknown = field(default_factory=MemoryUnknown)
    targets: MemoryTargets = field(default_factory=MemoryTargets)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    clock: JumpingClock = field(default_factory=JumpingClock)
    registry: Registry = field(default_factory=Registry)
    local: tuple[LocalMetrics, ...] = ()
    exemplars: MemoryExemplars = field(default_factory=MemoryExemplars)

    @asynccontextmanager
    async def running(self, configuration: CollectionConfig) -> AsyncIterator[CollectionService]:
        service = CollectionService(
            configuration,
            self.sink,
            self.targets,
            self.clock,
            self.registry,
            unknown=self.unknown,
            exemplars=self.exemplars,
            files=self.files,
            local=self.local,
        )
        await service.start()
        try:
            yield service
        finally:
            await service.stop()

    def counted(self, metric: Metric, *labels: str) -> float:
        return self.registry.value(metric, *labels).current


def world(*answers: object) -> World:
    """Return a world whose one target gives ``answers`` in turn."""
    return World(targets=MemoryTargets({URL: in_turn(answers)}))
