"""A recording rule at work."""

from __future__ import annotations

from dataclasses import dataclass

from qvmon.model.facts import FactDraft
from qvmon.model.labels import Labels
from qvmon.model.series import Float64s
from qvmon.services.alerting.means import Means, Tick
from qvmon.services.alerting.recorder import Recorder
from qvmon.services.alerting.row_labels import RowLabels
from qvmon.services.alerting.rule import recorded
from qvmon.wire.rule_file import RecordingRule


@dataclass(frozen=True, slots=True, eq=False)
class _Result:
    keys: list[bytes]
    values: Float64s


class RecordingEvaluation:
    """Writes what an expression yields, tick by tick.

    Args:
        rule: The rule.
        limit: How many series it may yield, 0 for any number.
        means: What it works with.
    """

    def __init__(self, rule: RecordingRule, limit: int, means: Means) -> None:
        self.rule = rule
        self._limit = limit
        self._means = means
        self._recorder = Recorder(means.sink, means.meters)
        self._result: _Result | None = None
        self._row_labels = RowLabels()
        self._sources: tuple[Labels, ...] | None = None
        self._keys: list[bytes] = []

    async def evaluate(self, tick: Tick) -> list[FactDraft]:
        """Ask for the result; a recording rule decides nothing.

        Raises:
            QvmonError: The query failed, or its result cannot be recorded.
        """
        self._result = None
        rows = await self._means.asker.rows(self.rule.expr, tick.query_ms)
        sources = self._row_labels.of(rows.frame)
        if sources is not self._sources:
            self._sources = None
            self._keys = [each.encode() for each in recorded(self.rule, sources, self._limit)]
            self._sources = sources
        self._result = _Result(self._keys, rows.values)
        return []

    async def record(self, tick: Tick) -> None:
        """Write the result of this tick's ``evaluate``.

        Raises:
            QvmonError: The store is away, or refused a sample.
        """
        if self._result is not None:
            result, self._result = self._result, None
            await self._recorder.write(result.keys, result.values, tick.query_ms)
