"""What a query cost, for those who ask: times, and samples as Prometheus counts them."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        peak: The most samples held at once.
        samples_per_step: (milliseconds, samples looked at) of each step.
    """

    per_step: bool = False
    eval_total: float = 0.0
    query_preparation: float = 0.0
    inner_eval: float = 0.0
    result_sort: float = 0.0
    exec_queue: float = 0.0
    exec_total: float = 0.0
    total_queryable: int = 0
    peak: int = 0
    samples_per_step: list[tuple[int, int]] = field(default_factory=list)

    def take(self, tally: Tally, grid: Grid) -> None:
        """Take over what an evaluation counted."""
        self.total_queryable, self.peak = tally.total, tally.peak
        if self.per_step:
            steps = zip(grid.times().tolist(), tally.per_step.tolist(), strict=True)
            self.samples_per_step = list(steps)
