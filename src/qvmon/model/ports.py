"""Ports that more than one room needs; a port with one consumer lives with that consumer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from qvmon.model.labels import Matcher
from qvmon.model.series import (
    Int64s,
    LabelFrame,
    MetricMetadata,
    SampleBatch,
    Selection,
    SeriesColumns,
    SeriesKeys,
)


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What became of a batch.

    Attributes:
        accepted: Samples that are now durable (an exact repeat of a stored sample counts).
        refused: Reason (``out_of_order``, ``too_old``, ``too_far_in_future``,
            ``duplicate_timestamp``, ``series_limit``) to the rows refused for it, as indices into
            the batch.
    """

    accepted: int
    refused: Mapping[str, Int64s] = field(default_factory=dict)


class SampleSink(Protocol):
    """Where samples are written."""

    def series_ids(self, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``, creating unknown series.

        Ids hold for the life of this sink object. A series over a limit gets -1, and samples
        under that id are refused as ``series_limit``.
        """
        ...

    def known_ids(self, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``, -1 for each that is not there yet."""
        ...

    async def append(self, batch: SampleBatch) -> AppendResult:
        """Return once every accepted sample would survive a crash and is visible to queries."""
        ...

    def describe(self, metadata: Sequence[MetricMetadata]) -> None:
        """Remember what targets say about their metrics; the latest word wins."""
        ...


class Allowance(Protocol):
    """What one reader may cost, and whether it still wants its answer; for any thread."""

    @property
    def urgent(self) -> bool:
        """Whether rules wait for it: others' reading must not hold it up."""
        ...

    def reading(self, series: int, samples: int) -> None:
        """Say what is about to be read, in number or a little more.

        Raises:
            QvmonError: EXHAUSTED when that is more than allowed, TIMEOUT when nobody waits.
        """
        ...

    def check(self) -> None:
        """Return while somebody waits for the answer; to be called every few milliseconds.

        Raises:
            QvmonError: TIMEOUT.
        """
        ...

    def at_work(self) -> AbstractContextManager[None]:
        """Mark the time for which a thread works for the reader."""
        ...


class SeriesSource(Protocol):
    """Where samples are read: the embedded store, a peer process, a foreign database."""

    async def select(
        self,
        selections: Sequence[Selection],
        allowance: Allowance | None = None,
        *,
        in_parts: bool = False,
    ) -> list[SeriesColumns]:
        """Return the samples of each selection, series with none left out.

        Args:
            selections: Which samples.
            allowance: What reading them may cost.
            in_parts: The caller looks at them in threads of its own, some series at a time, so
                that many may be read as late as that (``DeferredColumns``).

        Raises:
            QvmonError: As ``allowance`` does, before the samples are read.
        """
        ...

    async def series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> LabelFrame:
        """Return the distinct series that match any set and may have samples in the interval.

        No set at all means every series.
        """
        ...

    async def metadata(self, metric: str | None = None) -> list[MetricMetadata]:
        """Return what targets said about one metric, or about all."""
        ...


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How to speak TLS with a counterpart; files are PEM, empty means the system's choice."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """An HTTP request that leaves this machine; ``timeout_seconds`` is for all of it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_seconds: float = 10.0
    max_response_bytes: int = 64 << 20
    follow_redirects: bool = False
    tls: TlsOptions = TlsOptions()


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """The whole answer; the body is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutboundClient(Protocol):
    """The one door through which HTTP leaves; it holds the egress policy."""

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        """Return the answer, whatever its status.

        Raises:
            QvmonError: FORBIDDEN when policy refuses the address, TIMEOUT, UNAVAILABLE when no
                answer came, EXHAUSTED when the body exceeds ``max_response_bytes``.
        """
        ...
