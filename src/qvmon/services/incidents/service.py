"""Opens, follows and ends incidents: reads facts, asks the step, appends what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

import structlog

from qvmon.model.access import Permission, Principal
from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import ErrorKind, QvmonError, not_found
from qvmon.model.facts import (
    AlertFiring,
    AlertResolved,
    AlertTransition,
    Fact,
    FactBody,
    FactDraft,
    IncidentOpened,
)
from qvmon.model.incident import Incident
from qvmon.model.ledger import Descending, Ledger, Page, Row
from qvmon.model.metrics import Registry
from qvmon.services.incidents import verbs
from qvmon.services.incidents.config import IncidentsConfig
from qvmon.services.incidents.metrics import DETECTION, FAILURES, TRANSITIONS
from qvmon.services.incidents.projections import (
    INCIDENT_ALERTS,
    INCIDENT_GROUPS,
    INCIDENTS,
    incident_of,
)
from qvmon.services.incidents.step import Book, Group, step

CONSUMER = "incidents"
TYPES = frozenset({AlertFiring.TYPE, AlertResolved.TYPE})
_MAX_CAUSES = 20

log = structlog.get_logger("qvmon.incidents")


class IncidentsService:
    """Incidents as the ledger tells them, and the verbs by which people change them.

    It keeps no state of its own: each page and each verb reads the rows it needs, decides, and
    appends facts (and the cursor) in one transaction, one at a time.

    Args:
        config: How incidents are opened and re-opened.
        ledger: Keeps facts and the projections of this room.
        clock: Tells when people act.
        registry: Takes the metrics.
    """

    def __init__(
        self, config: IncidentsConfig, ledger: Ledger, clock: Clock, registry: Registry
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._clock = clock
        self._transitions = registry.family(TRANSITIONS)
        self._detection = registry.distribution(DETECTION)
        self._failures = registry.family(FAILURES)
        self._deciding = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to follow alerts in the background."""
        self._running = asyncio.create_task(self.run(), name="incidents")

    async def stop(self) -> None:
        """Stop following alerts; what was not appended is handled again after a restart."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
            self._running = None

    async def run(self) -> None:
        """Follow alerts until the ledger closes, beginning again whatever happens."""
        while True:
            try:
                async for page in self._ledger.follow(CONSUMER, TYPES):
                    await self._handle(page)
            except QvmonError as error:
                self._failures.value(error.kind.value).add()
                log.warning("incidents wait", kind=error.kind, error=error.message)
            except Exception:
                self._failures.value(ErrorKind.INTERNAL.value).add()
                log.exception("incidents failed")
            else:
                return
            await self._clock.sleep(self._config.retry_seconds)

    async def acknowledge(self, principal: Principal, incident_id: str, note: str = "") -> Row:
        """Return the incident after ``principal`` took it on."""
        return await self._act(
            principal,
            Permission.RESPOND_INCIDENTS,
            incident_id,
            lambda incident: verbs.acknowledge(incident, note),
        )

    async def assign(self, principal: Principal, incident_id: str, assignee: str) -> Row:
        """Return the incident after ``assignee`` (empty for nobody) was made responsible."""
        return await self._act(
            principal,
            Permission.RESPOND_INCIDENTS,
            incident_id,
            lambda incident: verbs.assign(incident, assignee),
        )

    async def comment(self, principal: Principal, incident_id: str, text: str) -> Row:
        """Return the incident after ``principal`` said something about it."""
        return await self._act(
            principal,
            Permission.RESPOND_INCIDENTS,
            incident_id,
            lambda incident: verbs.comment(incident, text),
        )

    async def set_severity(
        self, principal: Principal, incident_id: str, severity: str, reason: str = ""
    ) -> Row:
        """Return the incident after its severity was set."""
        return await self._act(
            principal,
            Permission.COMMAND_INCIDENTS,
            incident_id,
            lambda incident: verbs.set_severity(incident, severity, reason),
        )

    async def resolve(self, principal: Principal, incident_id: str, note: str = "") -> Row:
        """Return the incident after ``principal`` declared it over."""
        return await self._act(
            principal,
            Permission.COMMAND_INCIDENTS,
            incident_id,
            lambda incident: verbs.resolve(incident, note),
        )

    async def reopen(self, principal: Principal, incident_id: str, reason: str = "") -> Row:
        """Return the incident after ``principal`` declared it not over."""
        principal.require(Permission.COMMAND_INCIDENTS)
        async with self._deciding:
            incident = incident_of(await self._row(incident_id))
            group = Group(incident.service, incident.workflow)
            latest = (await self._latest({group}))[group]
            return await self._record(principal, incident, verbs.reopen(incident, latest, reason))

    async def _act(
        self,
        principal: Principal,
        permission: Permission,
        incident_id: str,
        decide: Callable[[Incident], FactBody],
    ) -> Row:
        """Check, decide and record one verb; nothing else decides meanwhile.

        Raises:
            QvmonError: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID, or CONFLICT when the verb
                does not fit the incident's state.
        """
        principal.require(permission)
        async with self._deciding:
            incident = incident_of(await self._row(incident_id))
            return await self._record(principal, incident, decide(incident))

    async def _record(self, principal: Principal, incident: Incident, body: FactBody) -> Row:
        draft = FactDraft(
            body=body,
            subject=incident.subject,
            actor=principal.actor,
            occurred_at=now_us(self._clock),
            causes=await self._causes(incident),
        )
        self._count(await self._ledger.append([draft]))
        return await self._row(incident.incident_id)

    async def _causes(self, incident: Incident) -> tuple[str, ...]:
        """Return the alert facts behind ``incident``: of its firing alerts, else of all."""
        rows = await self._ledger.rows(INCIDENT_ALERTS.name, {"incident_id": incident.incident_id})
        firing = [row for row in rows if row["firing"]] or rows
        newest = sorted(firing, key=lambda row: row["attached_at_us"])[-_MAX_CAUSES:]
        return tuple(row["transition"] for row in newest if row["transition"])

    async def _handle(self, page: Page) -> None:
        async with self._deciding:
            book = await self._book(page.facts)
            _, drafts = step(book, page.facts, int(self._config.reopen_within_seconds * 1e6))
            self._count(await self._ledger.append(drafts, consumed=page.consumed))
        self._measure_detection(page.facts, drafts)

    async def _book(self, facts: Iterable[Fact]) -> Book:
        """Return what the step must know for ``facts``."""
        groups = {
            Group.of(fact.body.labels) for fact in facts if isinstance(fact.body, AlertTransition)
        }
        newest = await self._ledger.rows(INCIDENTS.name, order=Descending("number"), limit=1)
        return Book(await self._latest(groups), newest[0]["number"] + 1 if newest else 1)

    async def _latest(self, groups: Collection[Group]) -> dict[Group, Incident]:
        """Return the latest incident of each of ``groups`` that ever had one."""
        within = {
            "service": sorted({group.service for group in groups}),
            "workflow": sorted({group.workflow for group in groups}),
        }
        found = await self._ledger.rows(INCIDENT_GROUPS.name, within)
        ids = [row["incident_id"] for row in found if _group(row) in groups]
        rows = await self._ledger.rows(INCIDENTS.name, {"incident_id": ids}) if ids else []
        return {_group(row): incident_of(row) for row in rows}

    async def _row(self, incident_id: str) -> Row:
        rows = await self._ledger.rows(INCIDENTS.name, {"incident_id": incident_id})
        if not rows:
            raise not_found(f"no incident {incident_id!r}", incident_id=incident_id)
        return rows[0]

    def _count(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._transitions.value(fact.type, fact.actor.partition(":")[0]).add()

    def _measure_detection(self, facts: Iterable[Fact], drafts: Iterable[FactDraft]) -> None:
        alerts = {fact.id: fact.body for fact in facts}
        now = now_us(self._clock)
        for draft in drafts:
            alert = alerts.get(str(draft.causes[0]))
            if isinstance(draft.body, IncidentOpened) and isinstance(alert, AlertTransition):
                self._detection.observe(max(0, now - alert.active_at_ms * 1000) / 1e6)


def _group(row: Row) -> Group:
    return Group(row["service"], row["workflow"])
