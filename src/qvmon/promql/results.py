"""Where a query is evaluated, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qvmon.model.series import Bools, Float64s, Int64s, LabelFrame, SeriesColumns


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps a query is evaluated at, all in milliseconds; an instant query has one.

    Attributes:
        start_ms: First step.
        end_ms: No step lies after it.
        step_ms: Distance between steps; 0 in an instant query.
        lookback_ms: How old a sample may be and still stand for its series.
        subquery_step_ms: The step of subqueries that name none.
    """

    start_ms: int
    end_ms: int
    step_ms: int = 0
    lookback_ms: int = 300_000
    subquery_step_ms: int = 60_000

    @property
    def steps(self) -> int:
        """The number of steps."""
        if self.step_ms <= 0:
            return 1
        return max(0, (self.end_ms - self.start_ms) // self.step_ms + 1)

    def times(self) -> Int64s:
        """Return int64[steps]: milliseconds of each step."""
        return self.start_ms + self.step_ms * np.arange(self.steps, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Notes:
    """What the author of a query should know: what is probably wrong, and what may surprise."""

    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


NO_NOTES = Notes()


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """The result of an instant query: float64[n] ``values``, one of each series."""

    labels: LabelFrame
    values: Float64s
    time_ms: int
    notes: Notes = NO_NOTES

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The result of a range query.

    Attributes:
        labels: The n series, sorted.
        times: int64[m]; the steps in milliseconds.
        values: float64[n, m].
        present: bool[n, m]; where a series has a value. No row is without any.
    """

    labels: LabelFrame
    times: Int64s
    values: Float64s
    present: Bools
    notes: Notes = NO_NOTES

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A number at each step: int64[m] ``times`` in milliseconds, float64[m] ``values``."""

    times: Int64s
    values: Float64s
    notes: Notes = NO_NOTES


@dataclass(frozen=True, slots=True)
class Text:
    """The result of a query that is a string."""

    value: str
    time_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Samples(SeriesColumns):
    """The result of an instant query that is a range vector: the samples of its only window."""

    notes: Notes = NO_NOTES


Result = Vector | Matrix | Scalar | Text | Samples
