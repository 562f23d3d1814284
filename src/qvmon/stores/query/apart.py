"""Queries that another process answers: what it is asked, how it answers, what it says.

The memory of such a query is that process's. This one gives it a view of the samples, and maps
the files into which the result was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qvmon.model.clock import Clock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Selection, SeriesColumns
from qvmon.promql import Grid, Result, Samples, Text, evaluate, plan
from qvmon.promql.watch import Tally, Watch
from qvmon.stores.query.budget import SAMPLE_BYTES, VALUE_BYTES, Budget, MemoryPool
from qvmon.stores.query.limits import Bounds
from qvmon.stores.query.needs import samples_of, selections
from qvmon.stores.query.result_files import write_result
from qvmon.stores.query.statistics import QueryStatistics


@dataclass(frozen=True, slots=True)
class Question:
    """A query as the other process is told it.

    Attributes:
        text: PromQL.
        grid: The steps.
        as_matrix: Whether an instant vector comes back as a matrix.
        drop_names_late: As ``promql.evaluate`` has it.
        bounds: What it may cost.
        most_values: How many values its result may have.
        now_ms: Nothing is unknown after this yet.
        statistics: What is to be filled in, where that is wanted.
    """

    text: str
    grid: Grid
    as_matrix: bool
    drop_names_late: bool
    bounds: Bounds
    most_values: int
    now_ms: int
    statistics: QueryStatistics | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other process says when the result is written.

    Attributes:
        series: Series that were read. ``samples``: their samples.
        bytes: What the result takes.
        statistics: What was counted, where that was wanted.
    """

    series: int
    samples: int
    bytes: int
    statistics: QueryStatistics | None = None


class Apart(Protocol):
    """Has questions answered by another process; ``stores.analysis`` does."""

    def evaluate(
        self, question: Question, selections: Sequence[Selection], budget: Budget
    ) -> tuple[Answer, Result]:
        """Return the result of a question; it blocks until then, or until nobody waits.

        Args:
            question: What to compute.
            selections: The samples that needs.
            budget: Is told about how much will be read.

        Raises:
            QvmonError: As evaluation and ``budget`` do; EXHAUSTED when the other process has too
                little memory, UNAVAILABLE when it died.
        """
        ...


class View(Protocol):
    """Samples as the other process finds them."""

    def select(self, selection: Selection) -> SeriesColumns:
        """Return the samples of a selection, series with none left out."""
        ...


def answered(question: Question, view: View, directory: Path, clock: Clock) -> Answer:
    """Answer a question and write its result to ``directory``: the other process's part.

    Raises:
        QvmonError: INVALID, when the samples do not fit the query, EXHAUSTED when it costs more
            than its bounds.
    """
    budget = Budget(question.bounds, MemoryPool(question.bounds.bytes), never_refused=False)
    planned, grid, statistics = plan(question.text), question.grid, question.statistics
    begun = clock.monotonic()
    needs = list(planned.needs(grid))
    found = {each: view.select(each) for each in selections(needs, budget)}
    columns = samples_of(needs, found, budget)
    has_read = clock.monotonic()
    tally = Tally(grid) if statistics is not None else None
    result = evaluate(
        planned,
        columns,
        grid,
        as_matrix=question.as_matrix,
        drop_names_late=question.drop_names_late,
        watch=Watch(tally=tally),
    )
    if statistics is not None and tally is not None:
        statistics.take(tally, grid)
        statistics.query_preparation = has_read - begun
        statistics.inner_eval = clock.monotonic() - has_read
    size = _size(result, question.most_values)
    write_result(result, directory)
    return Answer(budget.series, budget.samples, size, statistics)


def _size(result: Result, most_values: int) -> int:
    """Return the bytes that a result's values and times take.

    Raises:
        QvmonError: EXHAUSTED, when they are too many for the process that asks.
    """
    if isinstance(result, Text):
        return len(result.value)
    values = result.values.size
    if values > most_values:
        raise QvmonError(
            ErrorKind.EXHAUSTED,
            f"the result has {values:,} values, and at most {most_values:,} are allowed "
            "(max_samples): ask for fewer series or steps",
            needed=values,
            allowed=most_values,
        )
    return values * (SAMPLE_BYTES if isinstance(result, Samples) else VALUE_BYTES)
