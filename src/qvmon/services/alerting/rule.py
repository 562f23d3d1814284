"""What one rule makes of its expression's result. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.labels import METRIC_NAME, Labels
from qvmon.model.series import Float64s, LabelFrame
from qvmon.promql.results import Result, Scalar, Vector
from qvmon.services.alerting.state import Block, Seen
from qvmon.templates import Surroundings
from qvmon.wire.rule_file import AlertingRule, RecordingRule

ALERT_NAME = "alertname"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """An expression's result: the labels of n rows and float64[n] values."""

    frame: LabelFrame
    values: Float64s

    @classmethod
    def of(cls, result: Result) -> Rows:
        """Return the rows of a result.

        Raises:
            QvmonError: INVALID, when it is neither a vector nor a scalar.
        """
        if isinstance(result, Vector):
            return cls(result.labels, result.values)
        if isinstance(result, Scalar):
            return cls(_UNLABELLED, result.values[-1:])
        raise invalid("rule result is not a vector or scalar")


_UNLABELLED = LabelFrame.from_labels([Labels()])


def recorded(rule: RecordingRule, sources: Sequence[Labels], limit: int) -> tuple[Labels, ...]:
    """Return the labels under which the rows of a result are recorded.

    Raises:
        QvmonError: INVALID when two rows get the same labels, EXHAUSTED above the limit.
    """
    over = {**rule.labels, METRIC_NAME: rule.name}
    labels = tuple(each.merged(over) for each in sources)
    if len(set(labels)) < len(labels):
        message = "vector contains metrics with the same labelset after applying rule labels"
        raise invalid(message, rule=rule.name)
    if limit and len(labels) > limit:
        raise over_limit(limit, len(labels), "series")
    return labels


def alert_labels(rule: AlertingRule, source: Labels, value: float, around: Surroundings) -> Labels:
    """Return the labels of the alert that one row of the result stands for.

    Raises:
        QueryNeeded: A template asks for a query that was not made yet.
    """
    own = {name: each.expand(source, value, around) for name, each in rule.labels.items()}
    return source.merged({METRIC_NAME: "", **own, ALERT_NAME: rule.name})


def require_distinct(rule: AlertingRule, labels: Sequence[Labels]) -> None:
    """Return when no two alerts have the same labels.

    Raises:
        QvmonError: INVALID.
    """
    if len(set(labels)) < len(labels):
        message = "vector contains metrics with the same labelset after applying alert labels"
        raise invalid(message, rule=rule.name)


def annotated(
    rule: AlertingRule, source: Labels, value: float, around: Surroundings
) -> dict[str, str]:
    """Return an alert's annotations.

    Raises:
        QueryNeeded: A template asks for a query that was not made yet.
    """
    return {name: each.expand(source, value, around) for name, each in rule.annotations.items()}


def block_of(
    time_ms: int, labels: Sequence[Labels], values: Float64s, unknown: Sequence[Labels]
) -> Block:
    """Return one tick: the elements a result has, and those that are gone without our knowing."""
    everything = (*labels, *unknown)
    seen = np.full((1, len(everything)), Seen.PRESENT, np.uint8)
    seen[:, len(labels) :] = Seen.UNKNOWN
    column = np.concatenate([values, np.full(len(unknown), np.nan)])[None, :]
    return Block(np.array([time_ms], np.int64), everything, seen, column)


def over_limit(limit: int, count: int, what: str) -> QvmonError:
    """Return the error for a rule that yields more than its group allows."""
    return QvmonError(ErrorKind.EXHAUSTED, f"exceeded limit of {limit} with {count} {what}")
