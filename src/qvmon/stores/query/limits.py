"""What one query may cost at most."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qvmon.stores.query.config import QueryConfig


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """Limits that a caller sets for one query; a configured limit below one of these holds.

    Attributes:
        samples: Samples read, and values held at every step.
        series: Series read.
        bytes: Memory for both.
        seconds: Time, waiting included.
    """

    samples: int | None = None
    series: int | None = None
    bytes: int | None = None
    seconds: float | None = None

    def within(self, seconds: float | None) -> QueryLimits:
        """Return the same with at most so much time."""
        given = [each for each in (self.seconds, seconds) if each is not None]
        return replace(self, seconds=min(given, default=None))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds for one query; as ``QueryLimits``, each with a number."""

    samples: int
    series: int
    bytes: int
    seconds: float


def bounds(config: QueryConfig, asked: QueryLimits) -> Bounds:
    """Return the lower of what is configured and what was asked for."""

    def lower(configured: float, wanted: float | None) -> float:
        return configured if wanted is None else min(configured, wanted)

    return Bounds(
        samples=int(lower(config.max_samples, asked.samples)),
        series=int(lower(config.max_series, asked.series)),
        bytes=int(lower(config.max_bytes, asked.bytes)),
        seconds=lower(config.timeout_seconds, asked.seconds),
    )
