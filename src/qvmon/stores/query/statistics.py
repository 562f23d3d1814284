"""What a query cost, for those who ask: times, and samples as Prometheus counts them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from qvmon.promql.results import Grid
from qvmon.promql.watch import Tally


@dataclass(slots=True, eq=False)
class QueryStatistics:
    """A caller makes one, passes it with a query, and reads it when the query has ended.

    Times are seconds, named as in Prometheus' ``stats``.

    Attributes:
        per_step: Whether ``samples_per_step`` is wanted.
        eval_total: From the place taken to the result.
        query_preparation: Reading samples.
        inner_eval: Computing.
        result_sort: Ordering an instant query's rows; part of ``inner_eval`` here.
        exec_queue: Waiting for a place.
        exec_total: From the arrival of the query to its result.
        total_queryable: Samples that all steps together looked at.
        read: Samples that all steps together read, those of overlapping windows once.
        series: Series that the selectors read, those of several selectors several times.
        peak: The most samples held at once.
        samples_per_step: (milliseconds, samples looked at) of each step.
        read_per_step: (milliseconds, samples read) of each step.
    """

    per_step: bool = False
    eval_total: float = 0.0
    query_preparation: float = 0.0
    inner_eval: float = 0.0
    result_sort: float = 0.0
    exec_queue: float = 0.0
    exec_total: float = 0.0
    total_queryable: int = 0
    read: int = 0
    series: int = 0
    peak: int = 0
    samples_per_step: list[tuple[int, int]] = field(default_factory=list)
    read_per_step: list[tuple[int, int]] = field(default_factory=list)

    def take(self, tally: Tally, grid: Grid) -> None:
        """Take over what an evaluation counted."""
        self.total_queryable, self.peak = tally.total, tally.peak
        self.read, self.series = tally.read, tally.series
        if self.per_step:
            times = grid.times().tolist()
            self.samples_per_step = list(zip(times, tally.per_step.tolist(), strict=True))
            self.read_per_step = list(zip(times, tally.read_per_step.tolist(), strict=True))

    def take_over(self, other: QueryStatistics) -> None:
        """Take over what another process counted; the times of waiting are noted here."""
        for each in fields(self):
            setattr(self, each.name, getattr(other, each.name))
