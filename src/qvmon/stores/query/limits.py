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


NO_LIMITS = QueryLimits()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds for one query; as ``QueryLimits``, each with a number.

    Attributes:
        setting: How the names of the settings begin that say so.
    """

    samples: int
    series: int
    bytes: int
    seconds: float
    setting: str = "max_"


def bounds(config: QueryConfig, asked: QueryLimits, *, apart: bool = False) -> Bounds:
    """Return the lower of what is configured and what was asked for.

    Args:
        config: What is configured.
        asked: What was asked for.
        apart: Whether another process answers the query, which may cost more there.
    """

    def lower(here: float, there: float, wanted: float | None) -> float:
        configured = there if apart else here
        return configured if wanted is None else min(configured, wanted)

    return Bounds(
        samples=int(lower(config.max_samples, config.analysis_max_samples, asked.samples)),
        series=int(lower(config.max_series, config.analysis_max_series, asked.series)),
        bytes=int(lower(config.max_bytes, config.analysis_max_bytes, asked.bytes)),
        seconds=lower(config.timeout_seconds, config.analysis_timeout_seconds, asked.seconds),
        setting="analysis_max_" if apart else "max_",
    )
