"""An alerting rule at work: its active elements, and what becomes of them tick by tick."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from qvmon.model.clock import now_us
from qvmon.model.facts import FactDraft
from qvmon.model.labels import Labels
from qvmon.model.ledger import Row
from qvmon.model.series import Float64s
from qvmon.services.alerting.alert_facts import Told, alert_draft, restored
from qvmon.services.alerting.alert_series import AlertSeries
from qvmon.services.alerting.coverage import measured
from qvmon.services.alerting.identity import RuleKey, alert_id
from qvmon.services.alerting.kernels import NEVER
from qvmon.services.alerting.means import Means, Tick
from qvmon.services.alerting.recorder import Recorder
from qvmon.services.alerting.row_labels import RowLabels
from qvmon.services.alerting.rule import (
    alert_labels,
    annotated,
    block_of,
    over_limit,
    require_distinct,
)
from qvmon.services.alerting.state import NO_ELEMENTS, Outcome, Phase, Timing, Transition, step
from qvmon.services.alerting.status import ActiveAlert, State
from qvmon.templates import QueryNeeded, Surroundings
from qvmon.wire.rule_file import AlertingRule

TEMPLATE_FAILURE = "<error expanding template: "

_PAUSE_EVERY = 50


@dataclass(frozen=True, slots=True)
class _Sight:
    """How an element was last seen: the row it came from, and the annotations last told."""

    source: Labels | None
    annotations: Mapping[str, str]


_UNSEEN = _Sight(None, {})


class AlertingEvaluation:
    """The elements of one alerting rule.

    Args:
        rule: The rule.
        key: Its place.
        timing: What it says about time and number.
        window_ms: How far it looks back. For so long after the start, a restored element that
            is gone, and whose condition cannot be checked, is unknown: a rate may lack samples.
        means: What it works with.
    """

    def __init__(
        self, rule: AlertingRule, key: RuleKey, timing: Timing, window_ms: int, means: Means
    ) -> None:
        self.rule = rule
        self.key = key
        self._timing = timing
        self._window_ms = window_ms
        self._measured = measured(rule.plan)
        self._means = means
        self._elements = NO_ELEMENTS
        self._sights: dict[Labels, _Sight] = {}
        self._shown: tuple[ActiveAlert, ...] | None = None
        self._series = AlertSeries()
        self._recorder = Recorder(means.sink, means.meters)
        self._around = Surroundings(means.external_labels, means.external_url)
        self._row_labels = RowLabels()
        self._by_source: dict[Labels, Labels] = {}
        self._varies = any(not each.is_constant for each in rule.labels.values())
        self._last: tuple[tuple[Labels, ...], tuple[Labels, ...]] = ((), ())
        self._alerts_of_sources: tuple[Labels, ...] = ()
        self._sources: dict[Labels, Labels] = {}

    def restore(self, rows: Sequence[Row]) -> set[str]:
        """Take over the elements that ``rows`` remember; return the ids of those that are its."""
        self._elements, found = restored(self.key, rows)
        self._shown = None
        self._sights = {each: _Sight(None, row["annotations"]) for each, row in found.items()}
        self._recorder.resume(self._series.samples(self._elements)[0])
        return {str(row["alert_id"]) for row in found.values()}

    async def evaluate(self, tick: Tick) -> list[FactDraft]:
        """Advance the elements by one tick and return what changed.

        Raises:
            QvmonError: The query failed or yields what no alert can be made of; nothing changed.
        """
        rows = await self._means.asker.rows(self.rule.expr, tick.query_ms)
        self._around = Surroundings(
            self._means.external_labels, self._means.external_url, tick.query_ms
        )
        sources = self._row_labels.of(rows.frame)
        labels = await self._labels(sources, rows.values)
        if not labels and not self._elements:
            return []
        unknown = await self._unknown(labels, tick)
        block = block_of(tick.time_ms, labels, rows.values, unknown)
        outcome = step(self._timing, self._elements, block)
        if outcome.refused.any():
            raise over_limit(self._timing.limit, len(labels), "alerts")
        decided_us = now_us(self._means.clock)
        by_alert = self._source_by_alert(labels, sources)
        changed = await self._annotations(outcome, by_alert)
        if changed or self._elements.labels != outcome.elements.labels:
            self._sights = {
                each: self._sight(each, by_alert, changed) for each in outcome.elements.labels
            }
        self._elements, self._shown = outcome.elements, None
        return await self._drafts(outcome, changed, tick, decided_us)

    async def record(self, tick: Tick) -> None:
        """Write ``ALERTS`` and ``ALERTS_FOR_STATE`` of the elements as they are now.

        Raises:
            QvmonError: The store is away, or refused a sample.
        """
        keys, values = self._series.samples(self._elements)
        await self._recorder.write(keys, values, tick.query_ms)

    # --- one tick --------------------------------------------------------------------------------

    async def _labels(self, sources: tuple[Labels, ...], values: Float64s) -> tuple[Labels, ...]:
        """Return the labels of the alerts; the very same ones as long as nothing can change."""
        if sources is self._last[0] and not self._varies:
            return self._last[1]
        known = {} if self._varies else self._by_source
        around, labels = self._around, list[Labels]()
        for number, (source, value) in enumerate(zip(sources, values.tolist(), strict=True)):
            await _pause(number)
            if source in known:
                labels.append(known[source])
                continue
            render = partial(alert_labels, self.rule, source, value)
            made, around = await self._means.asker.rendered(render, around)
            labels.append(made)
        require_distinct(self.rule, labels)
        self._by_source = dict(zip(sources, labels, strict=True))
        self._last = sources, tuple(labels)
        return self._last[1]

    async def _unknown(self, labels: tuple[Labels, ...], tick: Tick) -> list[Labels]:
        """Return the elements that are gone, but not known to be gone."""
        elements = self._elements
        if elements.labels == labels:
            return []
        present = frozenset(labels)
        gone = [row for row, each in enumerate(elements.labels) if each not in present]
        if not gone or not self._timing.unknown_hold_ms:
            return []
        if not tick.ready:
            return [elements.labels[row] for row in gone]
        better = await self._still_measured(tick)
        gone = [row for row in gone if elements.labels[row] not in better]
        unsettled = tick.time_ms < tick.resumed_ms + self._window_ms
        restored = {row for row in gone if elements.active_at[row] < tick.resumed_ms and unsettled}
        unknown = [elements.labels[row] for row in gone if row in restored]
        rest = [elements.labels[row] for row in gone if row not in restored]
        return unknown + (await self._means.asker.dark(rest, tick.query_ms) if rest else [])

    async def _still_measured(self, tick: Tick) -> frozenset[Labels]:
        """Return the alerts whose condition could be checked, and so does not hold."""
        if not self._measured:
            return frozenset()
        rows = await self._means.asker.rows(self._measured, tick.query_ms)
        around, alerts = self._around, set[Labels]()
        sources = rows.frame.all_labels()
        for number, (source, value) in enumerate(zip(sources, rows.values.tolist(), strict=True)):
            await _pause(number)
            render = partial(alert_labels, self.rule, source, value)
            made, around = await self._means.asker.rendered(render, around)
            alerts.add(made)
        return frozenset(alerts)

    async def _annotations(
        self, outcome: Outcome, sources: Mapping[Labels, Labels]
    ) -> dict[Labels, Mapping[str, str]]:
        """Return the annotations of the elements that changed."""
        texts: dict[Labels, Mapping[str, str]] = {}
        for number, each in enumerate(outcome.transitions):
            await _pause(number)
            labels = outcome.labels[each.row]
            sight = self._sights.get(labels, _UNSEEN)
            source = sources.get(labels, sight.source)
            texts[labels] = sight.annotations
            if source is not None:
                texts[labels], _ = await self._means.asker.rendered(
                    partial(annotated, self.rule, source, each.value), self._around
                )
        return texts

    def _sight(
        self,
        labels: Labels,
        sources: Mapping[Labels, Labels],
        changed: Mapping[Labels, Mapping[str, str]],
    ) -> _Sight:
        before = self._sights.get(labels, _UNSEEN)
        return _Sight(sources.get(labels, before.source), changed.get(labels, before.annotations))

    def _source_by_alert(
        self, labels: tuple[Labels, ...], sources: tuple[Labels, ...]
    ) -> Mapping[Labels, Labels]:
        if labels is not self._alerts_of_sources or self._varies:
            self._alerts_of_sources = labels
            self._sources = dict(zip(labels, sources, strict=True))
        return self._sources

    async def _drafts(
        self,
        outcome: Outcome,
        texts: Mapping[Labels, Mapping[str, str]],
        tick: Tick,
        decided_us: int,
    ) -> list[FactDraft]:
        drafts = []
        for number, each in enumerate(outcome.transitions):
            await _pause(number)
            labels = outcome.labels[each.row]
            drafts.append(self._draft(each, labels, texts[labels], tick, decided_us))
        return drafts

    def _draft(
        self,
        transition: Transition,
        labels: Labels,
        annotations: Mapping[str, str],
        tick: Tick,
        decided_us: int,
    ) -> FactDraft:
        meters = self._means.meters
        broken = sum(TEMPLATE_FAILURE in t for t in (*annotations.values(), *labels.values()))
        meters.template_failures.add(broken)
        meters.transitions.value(transition.change.value).add()
        meters.event_to_decided.observe(decided_us / 1e6 - tick.time_ms / 1e3)
        told = Told(
            change=transition.change,
            labels=labels,
            annotations=annotations,
            value=transition.value,
            active_at_ms=transition.active_at_ms,
            event_ms=tick.time_ms,
            decided_us=decided_us,
            late_ms=tick.late_ms,
        )
        return alert_draft(self.key, self.rule.expr, self._means.external_labels, told)

    # --- what can be seen ------------------------------------------------------------------------

    def state(self) -> State:
        """Return the most serious state of any element."""
        phase = Phase(int(self._elements.phase.max(initial=Phase.INACTIVE)))
        names: dict[Phase, State] = {Phase.PENDING: "pending", Phase.FIRING: "firing"}
        return names.get(phase, "inactive")

    def active(self) -> tuple[ActiveAlert, ...]:
        """Return the elements that are pending or firing, with annotations as of the last tick."""
        if self._shown is None:
            self._shown = tuple(self._active(row) for row in range(len(self._elements)))
        return self._shown

    def counts(self) -> tuple[int, int, int]:
        """Return how many elements are pending, firing, and held without samples."""
        elements = self._elements
        if not elements:
            return 0, 0, 0
        return (
            int((elements.phase == Phase.PENDING).sum()),
            int((elements.phase == Phase.FIRING).sum()),
            int((elements.unknown_since != NEVER).sum()),
        )

    def _active(self, row: int) -> ActiveAlert:
        elements = self._elements
        labels, keep_since = elements.labels[row], int(elements.keep_since[row])
        firing = elements.phase[row] == Phase.FIRING
        return ActiveAlert(
            alert_id=alert_id(self.key, labels),
            labels=labels,
            annotations=self._current(labels, float(elements.values[row])),
            state="firing" if firing else "pending",
            active_at_ms=int(elements.active_at[row]),
            value=float(elements.values[row]),
            keep_firing_since_ms=None if keep_since == NEVER else keep_since,
            held=bool(elements.unknown_since[row] != NEVER),
        )

    def _current(self, labels: Labels, value: float) -> Mapping[str, str]:
        sight = self._sights[labels]
        if sight.source is None:
            return sight.annotations
        try:
            return annotated(self.rule, sight.source, value, self._around)
        except QueryNeeded:
            return sight.annotations


async def _pause(number: int) -> None:
    """Let others run now and then within a long loop over alerts."""
    if number % _PAUSE_EVERY == _PAUSE_EVERY - 1:
        await asyncio.sleep(0)
