"""The labels and annotations of one rule's alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from qvmon.model.clock import give_way
from qvmon.model.labels import Labels
from qvmon.model.series import Float64s
from qvmon.services.alerting.asking import Asker
from qvmon.services.alerting.row_labels import RowLabels
from qvmon.services.alerting.rule import Rows, alert_labels, annotated, require_distinct
from qvmon.templates import QueryNeeded, Surroundings
from qvmon.wire.rule_file import AlertingRule

PAUSE_EVERY = 50


class AlertTexts:
    """Renders a rule's templates, and spends nothing on alerts that go on as they were.

    Args:
        rule: The rule.
        asker: Answers the queries of templates.
        external_labels: What templates see of this system.
        external_url: Likewise.
    """

    def __init__(
        self,
        rule: AlertingRule,
        asker: Asker,
        external_labels: Mapping[str, str],
        external_url: str,
    ) -> None:
        self._rule = rule
        self._asker = asker
        self._outside = (external_labels, external_url)
        self._around = Surroundings(external_labels, external_url)
        self._varies = any(not each.is_constant for each in rule.labels.values())
        self._row_labels = RowLabels()
        self._last: tuple[tuple[Labels, ...], tuple[Labels, ...]] = ((), ())
        self._sources: dict[Labels, Labels] = {}
        self._told: dict[Labels, Mapping[str, str]] = {}

    def restore(self, told: Mapping[Labels, Mapping[str, str]]) -> None:
        """Remember the annotations that alerts were told with before this process began."""
        self._told = dict(told)

    async def labels(self, rows: Rows, time_ms: int) -> tuple[Labels, ...]:
        """Return the labels of the alerts that the rows of a result stand for.

        The very same tuple as before while neither the rows nor their labels can change.

        Raises:
            QvmonError: INVALID, when two alerts get the same labels.
        """
        self._around = Surroundings(*self._outside, time_ms)
        sources = self._row_labels.of(rows.frame)
        if sources is self._last[0] and not self._varies:
            return self._last[1]
        known = {} if self._varies else dict(zip(*self._last, strict=True))
        labels = await self._rendered(sources, rows.values, known)
        require_distinct(self._rule, labels)
        self._sources.update(zip(labels, sources, strict=True))
        self._last = sources, tuple(labels)
        return self._last[1]

    async def alerts_of(self, rows: Rows) -> frozenset[Labels]:
        """Return the labels that rows would have if they were alerts."""
        return frozenset(await self._rendered(rows.frame.all_labels(), rows.values, {}))

    async def annotations(self, labels: Labels, value: float) -> Mapping[str, str]:
        """Return the annotations to tell of an alert; those last told when its row is unknown."""
        source = self._sources.get(labels)
        if source is not None:
            render = partial(annotated, self._rule, source, value)
            self._told[labels], _ = await self._asker.rendered(render, self._around)
        return self._told.get(labels, {})

    def current(self, labels: Labels, value: float) -> Mapping[str, str]:
        """Return annotations as of the last tick; those last told where they need a query."""
        source = self._sources.get(labels)
        try:
            if source is not None:
                return annotated(self._rule, source, value, self._around)
        except QueryNeeded:
            pass
        return self._told.get(labels, {})

    def retain(self, labels: Sequence[Labels]) -> None:
        """Forget all alerts but these."""
        if len(self._sources) > len(labels) or len(self._told) > len(labels):
            kept = frozenset(labels)
            self._sources = {each: s for each, s in self._sources.items() if each in kept}
            self._told = {each: t for each, t in self._told.items() if each in kept}

    async def _rendered(
        self, sources: Sequence[Labels], values: Float64s, known: Mapping[Labels, Labels]
    ) -> list[Labels]:
        around, labels = self._around, list[Labels]()
        for number, (source, value) in enumerate(zip(sources, values.tolist(), strict=True)):
            await pause(number)
            if source in known:
                labels.append(known[source])
                continue
            render = partial(alert_labels, self._rule, source, value)
            made, around = await self._asker.rendered(render, around)
            labels.append(made)
        return labels


async def pause(number: int) -> None:
    """Let others run now and then within a long loop over alerts."""
    if number % PAUSE_EVERY == PAUSE_EVERY - 1:
        await give_way()
