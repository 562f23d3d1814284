"""Which series there are, and what is said about them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qvmon.model.access import Principal
from qvmon.model.labels import Matcher
from qvmon.model.ports import SeriesSource
from qvmon.model.series import LabelFrame, MetricMetadata
from qvmon.stores.query.limits import NO_LIMITS
from qvmon.stores.query.reception import Asked, Reception


class Catalogue:
    """Answers questions about series that need none of their samples.

    All raise UNAUTHENTICATED or FORBIDDEN for a principal that may not read telemetry, EXHAUSTED
    when too much is asked at once, TIMEOUT.

    Args:
        source: Where series are.
        reception: Lets questions in.
    """

    def __init__(self, source: SeriesSource, reception: Reception) -> None:
        self._source = source
        self._reception = reception

    async def series(
        self,
        principal: Principal,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> LabelFrame:
        """Return the series that match any set and may have samples in the interval."""
        shown = " or ".join(map(shown_selector, matcher_sets))
        async with self._reception.admitted(Asked(principal, "series", shown, NO_LIMITS)):
            return await self._source.series(matcher_sets, start_ms, end_ms)

    async def label_names(
        self,
        principal: Principal,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> list[str]:
        """Return the label names of those series, sorted."""
        frame = await self.series(principal, matcher_sets, start_ms, end_ms)
        return [name for name in frame.names if frame.column(name).any()]

    async def label_values(
        self,
        principal: Principal,
        name: str,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> list[str]:
        """Return the values that label ``name`` has among those series, sorted."""
        frame = await self.series(principal, matcher_sets, start_ms, end_ms)
        codes = np.unique(frame.column(name))
        return sorted(frame.symbols[int(code)] for code in codes if code)

    async def metadata(
        self, principal: Principal, metric: str | None = None
    ) -> list[MetricMetadata]:
        """Return what targets said about one metric, or about all."""
        asked = Asked(principal, "metadata", metric or "", NO_LIMITS)
        async with self._reception.admitted(asked):
            return await self._source.metadata(metric)


def shown_selector(matchers: Sequence[Matcher]) -> str:
    """Return matchers as those who look at the queries that run are shown them."""
    return "{" + ", ".join(map(str, matchers)) + "}"
