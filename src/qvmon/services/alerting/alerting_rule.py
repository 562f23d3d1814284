"""An alerting rule at work: its active elements, and what becomes of them tick by tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qvmon.model.clock import now_us
from qvmon.model.facts import FactDraft
from qvmon.model.labels import Labels
from qvmon.model.ledger import Row
from qvmon.services.alerting.alert_facts import Told, alert_draft, restored
from qvmon.services.alerting.alert_series import AlertSeries
from qvmon.services.alerting.coverage import measured
from qvmon.services.alerting.doubt import Doubt
from qvmon.services.alerting.identity import RuleKey, alert_id
from qvmon.services.alerting.kernels import NEVER
from qvmon.services.alerting.means import Means, Tick
from qvmon.services.alerting.recorder import Recorder
from qvmon.services.alerting.rule import block_of, over_limit
from qvmon.services.alerting.state import NO_ELEMENTS, Outcome, Phase, Timing, Transition, step
from qvmon.services.alerting.status import ActiveAlert, State
from qvmon.services.alerting.texts import AlertTexts, pause
from qvmon.wire.rule_file import AlertingRule

TEMPLATE_FAILURE = "<error expanding template: "


class AlertingEvaluation:
    """The elements of one alerting rule.

    Args:
        rule: The rule.
        key: Its place.
        timing: What it says about time and number.
        window_ms: How far it looks back, through what other rules record too.
        means: What it works with.
    """

    def __init__(
        self, rule: AlertingRule, key: RuleKey, timing: Timing, window_ms: int, means: Means
    ) -> None:
        self.rule = rule
        self.key = key
        self._timing = timing
        self._means = means
        self._elements = NO_ELEMENTS
        self._shown: tuple[ActiveAlert, ...] | None = None
        self._series = AlertSeries()
        self._recorder = Recorder(means.sink, means.meters)
        self._texts = AlertTexts(rule, means.asker, means.external_labels, means.external_url)
        self._doubt = Doubt(
            measured(rule.plan), timing.unknown_hold_ms, window_ms, means.asker, self._texts
        )

    def restore(self, rows: Sequence[Row]) -> set[str]:
        """Take over the elements that ``rows`` remember; return the ids of those that are its."""
        self._elements, found = restored(self.key, rows)
        self._shown = None
        self._texts.restore({labels: row["annotations"] for labels, row in found.items()})
        self._recorder.resume(self._series.samples(self._elements)[0])
        return {str(row["alert_id"]) for row in found.values()}

    async def evaluate(self, tick: Tick) -> list[FactDraft]:
        """Advance the elements by one tick and return what changed.

        Raises:
            QvmonError: The query failed or yields what no alert can be made of; nothing changed.
        """
        rows = await self._means.asker.rows(self.rule.expr, tick.query_ms)
        labels = await self._texts.labels(rows, tick.query_ms)
        if not labels and not self._elements:
            return []
        unknown = await self._doubt.about(self._elements, labels, tick)
        block = block_of(tick.time_ms, labels, rows.values, unknown)
        outcome = step(self._timing, self._elements, block)
        if outcome.refused.any():
            self._texts.retain((*self._elements.labels, *labels))
            raise over_limit(self._timing.limit, len(labels), "alerts")
        drafts = await self._drafts(outcome, tick, now_us(self._means.clock))
        self._elements, self._shown = outcome.elements, None
        self._texts.retain(outcome.elements.labels)
        return drafts

    async def record(self, tick: Tick) -> None:
        """Write ``ALERTS`` and ``ALERTS_FOR_STATE`` of the elements as they are now.

        Raises:
            QvmonError: The store is away, or refused a sample.
        """
        keys, values = self._series.samples(self._elements)
        await self._recorder.write(keys, values, tick.query_ms)

    async def _drafts(self, outcome: Outcome, tick: Tick, decided_us: int) -> list[FactDraft]:
        drafts = []
        for number, each in enumerate(outcome.transitions):
            await pause(number)
            labels = outcome.labels[each.row]
            annotations = await self._texts.annotations(labels, each.value)
            drafts.append(self._draft(each, labels, annotations, tick, decided_us))
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
            annotations=self._texts.current(labels, float(elements.values[row])),
            state="firing" if firing else "pending",
            active_at_ms=int(elements.active_at[row]),
            value=float(elements.values[row]),
            keep_firing_since_ms=None if keep_since == NEVER else keep_since,
            held=bool(elements.unknown_since[row] != NEVER),
        )
