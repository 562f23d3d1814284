"""A group at work: its rules stage by stage, at its instants, for as long as it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from qvmon.model.clock import now_ms, now_us
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import AlertTransition, Fact, FactDraft
from qvmon.model.ledger import Ledger
from qvmon.services.alerting.alerting_rule import AlertingEvaluation
from qvmon.services.alerting.beat import Beat
from qvmon.services.alerting.means import Evaluation, Means, Tick
from qvmon.services.alerting.recording import RecordingEvaluation
from qvmon.services.alerting.schedule import Schedule
from qvmon.services.alerting.stages import stages
from qvmon.services.alerting.status import Health, RuleGroupStatus, RuleStatus
from qvmon.wire.rule_file import RecordingRule, RuleGroup

log = structlog.get_logger("qvmon.alerting")

MAX_APPENDED = 500
"""Facts appended in one transaction."""

MAX_UNRECORDED = 100_000
"""Facts a group keeps while the ledger is away before it stops evaluating."""


@dataclass(slots=True)
class _Course:
    """How a rule has been doing."""

    rule: AlertingEvaluation | RecordingEvaluation
    query: str
    health: Health = "unknown"
    error: str = ""
    last_ms: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class GroupEvaluation:
    """The rules of one group, and what of their decisions is not recorded yet.

    Attributes:
        group: The group as written.
        schedule: Its instants.
        query_offset_ms: How far in the past it queries.
        rules: Its rules at work.
        means: What they work with.
        ledger: Takes the facts.
        is_ready: Whether every source has reported since the program began.
        beat: Wakes it.
    """

    group: RuleGroup
    schedule: Schedule
    query_offset_ms: int
    rules: Sequence[AlertingEvaluation | RecordingEvaluation]
    means: Means
    ledger: Ledger
    is_ready: Callable[[], bool]
    beat: Beat
    _courses: list[_Course] = field(init=False)
    _stages: list[list[_Course]] = field(init=False)
    _unrecorded: list[FactDraft] = field(init=False, default_factory=list)
    _last_ms: int = field(init=False, default=0)
    _seconds: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._courses = [_Course(rule, str(rule.rule.plan.root)) for rule in self.rules]
        places = stages([each.rule for each in self.rules])
        self._stages = [[self._courses[at] for at in stage] for stage in places]

    async def run(self) -> None:
        """Evaluate at every instant of the schedule, for ever."""
        clock, schedule = self.means.clock, self.schedule
        resumed_ms = now_ms(clock)
        done_ms = schedule.latest(resumed_ms)
        tick_ms = done_ms + schedule.interval_ms
        while True:
            await self.beat.wait(tick_ms, schedule.interval_ms)
            if now_ms(clock) >= tick_ms:
                await self.evaluate(tick_ms, resumed_ms)
                done_ms = tick_ms
            tick_ms, missed = schedule.after(done_ms, now_ms(clock))
            self.means.meters.missed_ticks.value(*self._place).add(missed)

    async def evaluate(self, tick_ms: int, resumed_ms: int = 0) -> None:
        """Evaluate every rule for one instant and record what they decided.

        Rules that do not read what others record are evaluated at the same moment.
        A rule that fails says so in its status and changes nothing. While the ledger is away,
        decisions are kept and recorded later, in order.
        """
        clock, meters = self.means.clock, self.means.meters
        began = clock.monotonic()
        if len(self._unrecorded) < MAX_UNRECORDED:
            tick = Tick(
                time_ms=tick_ms,
                query_ms=tick_ms - self.query_offset_ms,
                late_ms=max(0, now_ms(clock) - tick_ms),
                ready=self.is_ready(),
                resumed_ms=resumed_ms,
            )
            for stage in self._stages:
                decided = await asyncio.gather(*(self._guarded(each, tick) for each in stage))
                for drafts in decided:
                    self._unrecorded += drafts
        await self._record()
        self._last_ms, self._seconds = tick_ms, clock.monotonic() - began
        meters.group_last_evaluation.value(*self._place).set(tick_ms / 1000)
        meters.group_seconds.value(*self._place).set(self._seconds)

    async def _guarded(self, course: _Course, tick: Tick) -> list[FactDraft]:
        clock, meters = self.means.clock, self.means.meters
        drafts: list[FactDraft] = []
        began, error = clock.monotonic(), None
        meters.evaluations.value(*self._place).add()
        rule: Evaluation = course.rule
        try:
            drafts = await rule.evaluate(tick)
            await rule.record(tick)
        except QvmonError as failure:
            error = failure
        except Exception as defect:  # noqa: BLE001 - one rule; counted and logged below
            error = QvmonError(ErrorKind.INTERNAL, f"{type(defect).__name__}: {defect}")
            error.__cause__ = defect
        self._complain(course, error)
        course.health, course.error = ("ok", "") if error is None else ("err", error.message)
        course.last_ms, course.seconds = tick.time_ms, clock.monotonic() - began
        meters.evaluation_seconds.observe(course.seconds)
        if error is not None:
            meters.failures.value(*self._place, error.kind.value).add()
        return drafts

    def _complain(self, course: _Course, error: QvmonError | None) -> None:
        """Log what is wrong with a rule, once for as long as it is the same; defects with where."""
        if error is None or error.message == course.error:
            return
        is_defect = error.kind is ErrorKind.INTERNAL
        log.warning(
            "rule failed",
            group=self.group.name,
            rule=course.rule.rule.name,
            error=error.message,
            exc_info=error.__cause__ if is_defect else None,
        )

    async def _record(self) -> None:
        """Append what was decided, in parts, so that other groups' facts come in between."""
        while self._unrecorded:
            drafts = self._unrecorded[:MAX_APPENDED]
            try:
                facts = await self.ledger.append(drafts)
            except QvmonError as error:
                self.means.meters.ledger_failures.value("evaluation").add()
                waiting = len(self._unrecorded)
                log.warning("alerts wait for the ledger", facts=waiting, error=error.message)
                return
            del self._unrecorded[: len(drafts)]
            self._measure(facts)

    def _measure(self, facts: Sequence[Fact]) -> None:
        now = now_us(self.means.clock)
        for fact in facts:
            if isinstance(fact.body, AlertTransition):
                self.means.meters.decided_to_recorded.observe((now - fact.body.decided_us) / 1e6)

    @property
    def _place(self) -> tuple[str, str]:
        return self.group.file, self.group.name

    # --- what can be seen ------------------------------------------------------------------------

    def alerting(self) -> list[AlertingEvaluation]:
        """Return the group's alerting rules at work."""
        return [rule for rule in self.rules if isinstance(rule, AlertingEvaluation)]

    def status(self) -> RuleGroupStatus:
        """Return the group as people see it."""
        return RuleGroupStatus(
            name=self.group.name,
            file=self.group.file,
            interval_seconds=self.schedule.interval_ms / 1000,
            limit=self.group.limit,
            last_evaluation_ms=self._last_ms,
            evaluation_seconds=self._seconds,
            rules=tuple(map(_rule_status, self._courses)),
        )


def _rule_status(course: _Course) -> RuleStatus:
    evaluation = course.rule
    if isinstance(evaluation, RecordingEvaluation):
        return _recording_status(course, evaluation.rule)
    rule = evaluation.rule
    return RuleStatus(
        name=rule.name,
        type="alerting",
        query=course.query,
        labels={name: each.text for name, each in rule.labels.items()},
        annotations={name: each.text for name, each in rule.annotations.items()},
        health=course.health,
        last_error=course.error,
        last_evaluation_ms=course.last_ms,
        evaluation_seconds=course.seconds,
        duration_seconds=rule.for_ms / 1000,
        keep_firing_for_seconds=rule.keep_firing_for_ms / 1000,
        state=evaluation.state() if course.last_ms else "unknown",
        alerts=evaluation.active(),
    )


def _recording_status(course: _Course, rule: RecordingRule) -> RuleStatus:
    return RuleStatus(
        name=rule.name,
        type="recording",
        query=course.query,
        labels=rule.labels,
        annotations={},
        health=course.health,
        last_error=course.error,
        last_evaluation_ms=course.last_ms,
        evaluation_seconds=course.seconds,
    )
