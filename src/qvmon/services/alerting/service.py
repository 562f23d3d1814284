"""Evaluates rules, keeps their alerts, and sees to it that people are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import QvmonError
from qvmon.model.ledger import Ledger, Row
from qvmon.model.metrics import Registry
from qvmon.model.ports import SampleSink
from qvmon.services.alerting.accounts import Accounts
from qvmon.services.alerting.alert_facts import ALERTS, orphan_draft
from qvmon.services.alerting.alerting_rule import AlertingEvaluation
from qvmon.services.alerting.asking import Asker
from qvmon.services.alerting.beat import Beat
from qvmon.services.alerting.config import AlertingConfig
from qvmon.services.alerting.coverage import windows
from qvmon.services.alerting.identity import RuleKey
from qvmon.services.alerting.means import Means
from qvmon.services.alerting.meters import Meters
from qvmon.services.alerting.ports import Queries, Readiness
from qvmon.services.alerting.recording import RecordingEvaluation
from qvmon.services.alerting.rule_group import GroupEvaluation
from qvmon.services.alerting.schedule import Schedule
from qvmon.services.alerting.settlement import Settler
from qvmon.services.alerting.state import Timing
from qvmon.services.alerting.status import RuleGroupStatus
from qvmon.services.alerting.telling import Teller
from qvmon.wire.rule_file import RecordingRule, RuleGroup

ACTIVE_STATES = ("pending", "firing")
BALANCE_SECONDS = 60.0

log = structlog.get_logger("qvmon.alerting")


class AlertingService:
    """The one place where a value becomes an alert.

    Args:
        config: How rules are evaluated and alerts told.
        groups: The rule groups of all files.
        query: Where rules ask.
        sink: Takes recorded series, ``ALERTS`` and ``ALERTS_FOR_STATE``.
        ledger: Keeps facts and the projections of this room.
        clock: Tells when groups are due.
        registry: Takes the metrics.
        ready: Set once every source has reported; None when there is nothing to wait for.
    """

    def __init__(
        self,
        config: AlertingConfig,
        groups: Sequence[RuleGroup],
        query: Queries,
        sink: SampleSink,
        ledger: Ledger,
        *,
        clock: Clock,
        registry: Registry,
        ready: Readiness | None = None,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._clock = clock
        self._ready = ready
        self._meters = Meters(registry)
        asker = Asker(query, config.query_timeout_seconds)
        self._means = Means(
            asker, sink, clock, self._meters, config.external_labels, config.external_url
        )
        self._beat = Beat(clock)
        reach = windows(groups)
        self._groups = [self._group(group, reach[index]) for index, group in enumerate(groups)]
        self._accounts = Accounts(ledger, self._meters)
        self._teller = Teller(config, ledger, clock, self._meters, self._accounts)
        self._settler = Settler(ledger, clock, self._accounts)
        self._tasks: list[asyncio.Task[None]] = []
        registry.before_collect(self._count)

    async def start(self) -> None:
        """Take over the alerts that the ledger remembers, then evaluate in the background.

        Raises:
            QvmonError: The ledger is away.
        """
        await self._restore()
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "route": self._teller.route,
            "tell": self._teller.tell,
            "settle": self._settler.run,
            "balance": self._balance,
        }
        self._tasks = [
            asyncio.create_task(self._evaluate(), name="alerting.evaluation"),
            *(
                asyncio.create_task(self._kept(n, p), name=f"alerting.{n}")
                for n, p in parts.items()
            ),
        ]

    async def stop(self) -> None:
        """Stop; what was not recorded is decided again after the next start."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        self._beat.stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    def rule_groups(self) -> list[RuleGroupStatus]:
        """Return every group with its rules and their active alerts."""
        return [group.status() for group in self._groups]

    # --- beginning -------------------------------------------------------------------------------

    def _group(self, group: RuleGroup, reach: Sequence[int]) -> GroupEvaluation:
        config = self._config
        interval_ms = group.interval_ms or round(config.evaluation_interval_seconds * 1000)
        offset_ms = group.query_offset_ms
        if offset_ms is None:
            offset_ms = round(config.query_offset_seconds * 1000)
        return GroupEvaluation(
            group=group,
            schedule=Schedule.of(group.file, group.name, interval_ms),
            query_offset_ms=offset_ms,
            rules=self._rules(group, reach),
            means=self._means,
            ledger=self._ledger,
            is_ready=lambda: self._ready is None or self._ready.is_set(),
            beat=self._beat,
        )

    def _rules(
        self, group: RuleGroup, reach: Sequence[int]
    ) -> list[AlertingEvaluation | RecordingEvaluation]:
        rules: list[AlertingEvaluation | RecordingEvaluation] = []
        seen: dict[str, int] = {}
        for rule, window_ms in zip(group.rules, reach, strict=True):
            if isinstance(rule, RecordingRule):
                rules.append(RecordingEvaluation(rule, group.limit, self._means))
                continue
            ordinal = seen[rule.name] = seen.get(rule.name, -1) + 1
            key = RuleKey(group.file, group.name, rule.name, ordinal)
            hold_ms = round(self._config.unknown_hold_seconds * 1000)
            timing = Timing(rule.for_ms, rule.keep_firing_for_ms, hold_ms, group.limit)
            rules.append(AlertingEvaluation(rule, key, timing, window_ms, self._means))
        return rules

    async def _restore(self) -> None:
        rows = await self._ledger.rows(ALERTS.name, {"state": ACTIVE_STATES})
        by_rule: dict[str, list[Row]] = {}
        for row in rows:
            by_rule.setdefault(row["rule"], []).append(row)
        adopted = {
            alert
            for group in self._groups
            for rule in group.alerting()
            for alert in rule.restore(by_rule.get(rule.key.name, ()))
        }
        now = now_us(self._clock)
        orphans = [orphan_draft(row, now) for row in rows if row["alert_id"] not in adopted]
        if orphans:
            await self._ledger.append(orphans)

    async def _evaluate(self) -> None:
        await self._hold()
        await asyncio.gather(*(self._kept("evaluation", group.run) for group in self._groups))

    async def _hold(self) -> None:
        """Return once every source has reported, or the hold is over."""
        if self._ready is None:
            return
        waits = {
            asyncio.ensure_future(self._ready.wait()),
            asyncio.ensure_future(self._clock.sleep(self._config.start_hold_seconds)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    # --- telling ---------------------------------------------------------------------------------

    async def _kept(self, part: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a loop until the ledger closes, whatever happens to it."""
        while True:
            try:
                return await work()
            except QvmonError as error:
                log.warning(
                    "alerting waits for the ledger", part=part, kind=error.kind, error=error.message
                )
            except Exception:
                log.exception("a part of alerting failed", part=part)
            self._meters.ledger_failures.value(part).add()
            self._teller.forget()
            self._accounts.forget()
            await self._clock.sleep(self._config.retry_seconds)

    async def _balance(self) -> None:
        while True:
            await self._clock.sleep(BALANCE_SECONDS)
            unaccounted = await self._accounts.balance(await self._teller.waiting())
            if unaccounted:
                log.error("obligations are unaccounted for", count=unaccounted)

    # --- seeing ----------------------------------------------------------------------------------

    def _count(self) -> None:
        counts = [rule.counts() for group in self._groups for rule in group.alerting()]
        pending, firing, held = (
            (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
        )
        self._meters.active.value("pending").set(pending)
        self._meters.active.value("firing").set(firing)
        self._meters.held.set(held)
