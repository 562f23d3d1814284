"""The composition root: builds each part from settings and the parts it needs, in order.

Values are handed over, not shared: a part sees only its arguments. ``targets`` says which parts a
process has; here is how each is made.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from platform import node
from typing import TypeVar

import structlog
from fastapi import FastAPI

from qvmon.adapters.host import watch_process
from qvmon.adapters.peer import PeerSource
from qvmon.adapters.pulsar import PulsarBus, PulsarSink
from qvmon.adapters.smtp import SmtpSink
from qvmon.adapters.webhook import WebhookSink
from qvmon.api.http.application import create_app
from qvmon.api.ports import ApiPorts, BuildFacts
from qvmon.app.flags import prometheus_flags
from qvmon.app.intake import Intake, Premises
from qvmon.app.lifecycle import nothing
from qvmon.app.memory import MemoryReturn
from qvmon.app.rules import Watch
from qvmon.app.settings import EventSettings, ReceiverSettings, Settings
from qvmon.model.clock import now_us
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.ledger import Projection
from qvmon.model.ports import SeriesSource
from qvmon.services import alerting, configuration, distribution, incidents
from qvmon.services.alerting import AlertingConfig, AlertingService
from qvmon.services.collection import CollectionService
from qvmon.services.configuration import AccessService
from qvmon.services.distribution import (
    AlertEvents,
    DistributionService,
    IncidentEvents,
    MailNotifications,
    Outlet,
    WebhookNotifications,
)
from qvmon.services.incidents import IncidentsService
from qvmon.stores.analysis import AnalysisProcess, AnalysisQueries
from qvmon.stores.ledger import LedgerStore
from qvmon.stores.query import QueryEngine
from qvmon.stores.telemetry import ExemplarRing, TelemetryStore

Part = TypeVar("Part")

log = structlog.get_logger("qvmon.house")

PROJECTIONS: tuple[Projection, ...] = tuple(
    chain.from_iterable(
        service.PROJECTIONS for service in (alerting, incidents, distribution, configuration)
    )
)
"""Every table there is. All processes fold all of them, whichever services they run."""


FIRST_PASSWORD_FILE = "initial-admin-password"  # noqa: S105 - a file's name
"""Where the first administrator finds the one-time password, in the data directory."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What this process keeps, or reads elsewhere."""

    ledger: LedgerStore | None
    telemetry: TelemetryStore | None
    peer: PeerSource | None
    exemplars: ExemplarRing | None
    queries: QueryEngine | None


@dataclass(frozen=True, slots=True)
class Services:
    """What this process does."""

    access: AccessService | None
    collection: CollectionService | None
    alerting: AlertingService | None
    incidents: IncidentsService | None
    distribution: DistributionService | None


class House:
    """One process: its parts, made from settings and started in order.

    Args:
        premises: What every part stands on.
        intake: What takes samples already.
    """

    def __init__(self, premises: Premises, intake: Intake) -> None:
        self._settings = premises.settings
        self._watch = premises.watch
        self._lifecycle = premises.lifecycle
        self._clock = premises.clock
        self._registry = premises.registry
        self._intake = intake
        self._ready = False
        watch_process(self._registry)

    async def open(self) -> None:
        """Start every other part, then answer everything at the door."""
        stores = await self._open_stores()
        services = await self._open_services(stores)
        memory = MemoryReturn(self._clock)
        await self._lifecycle.start("memory", memory.start, memory.stop)
        self._intake.door.open(await to_thread(self._application, stores, services))
        await self._lifecycle.start("api", nothing, self._intake.server.stop)
        self._ready = True

    # --- stores -----------------------------------------------------------------------------

    async def _open_stores(self) -> Stores:
        modules = self._settings.modules
        ledger = await self._open_ledger() if "ledger" in modules else None
        peer = self._peer()
        queries = None
        if "query" in modules:
            queries = await self._open_queries(peer or self._intake.telemetry)
        return Stores(ledger, self._intake.telemetry, peer, self._intake.exemplars, queries)

    async def _open_ledger(self) -> LedgerStore:
        directory = self._settings.data_dir.resolve()
        ledger = LedgerStore(
            directory,
            self._settings.ledger,
            chain=self._settings.instance,
            holder=f"{node()}:{directory}",
            projections=PROJECTIONS,
            clock=self._clock,
            registry=self._registry,
        )
        await self._lifecycle.start("ledger", ledger.start, ledger.stop)
        return ledger

    def _peer(self) -> PeerSource | None:
        peer = self._settings.peer
        if peer is None:
            return None
        return PeerSource(peer, peer.token.get_secret_value(), self._intake.outbound)

    async def _open_queries(self, source: SeriesSource | None) -> QueryEngine:
        if source is None:
            raise invalid(
                "these targets read series: run collection here too, or set peer.url to a "
                "process that does"
            )
        return QueryEngine(
            source,
            self._settings.query,
            self._clock,
            self._registry,
            active_file=self._settings.data_dir / "queries" / "active",
            changes=source.changes if isinstance(source, TelemetryStore) else None,
            apart=await self._open_analysis(source),
        )

    async def _open_analysis(self, source: SeriesSource) -> AnalysisQueries | None:
        """Return what answers analysis queries over samples of this process, where wanted."""
        config = self._settings.analysis
        if not (config.enabled and isinstance(source, TelemetryStore)):
            return None
        most = self._settings.query.concurrent_analysis
        process = AnalysisProcess("queries", config, self._clock, self._registry, most=most)
        await self._lifecycle.start("analysis", nothing, partial(to_thread, process.stop))
        return AnalysisQueries(source, process)

    # --- services ---------------------------------------------------------------------------

    async def _open_services(self, stores: Stores) -> Services:
        modules = self._settings.modules
        collection = self._intake.collection
        access = alerts = incident = telling = None
        if "access" in modules:
            access = AccessService(
                self._settings.access, opened(stores.ledger), self._clock, self._registry
            )
            await self._tell_first_password(access)
        if "alerting" in modules:
            alerts = await self._open_alerting(stores, collection)
        if "incidents" in modules:
            incident = IncidentsService(
                self._settings.incidents, opened(stores.ledger), self._clock, self._registry
            )
            await self._lifecycle.start("incidents", incident.start, incident.stop)
        if "distribution" in modules:
            telling = await self._open_distribution(opened(stores.ledger))
        return Services(access, collection, alerts, incident, telling)

    async def _tell_first_password(self, access: AccessService) -> None:
        """Write the first administrator's one-time password where only its owner can read it."""
        if self._settings.api.no_auth:
            return
        file = self._settings.data_dir / FIRST_PASSWORD_FILE
        password = await access.ensure_administrator()
        if password is not None:
            file.touch(mode=0o600)
            file.write_text(f"{password}\n")
            log.warning("first start: log in as admin and change the password", file=str(file))
        elif not await access.awaits_first_change():
            file.unlink(missing_ok=True)

    async def _open_alerting(
        self, stores: Stores, collection: CollectionService | None
    ) -> AlertingService:
        alerts = AlertingService(
            alerting_config(self._settings, self._watch),
            self._watch.groups,
            opened(stores.queries),
            opened(stores.telemetry),
            opened(stores.ledger),
            clock=self._clock,
            registry=self._registry,
            ready=collection.first_round_done if collection else None,
        )
        await self._lifecycle.start("alerting", alerts.start, alerts.stop)
        return alerts

    async def _open_distribution(self, ledger: LedgerStore) -> DistributionService:
        outlets = [
            outlet
            for receiver in self._settings.receivers
            for outlet in self._receiver_outlets(receiver)
        ]
        if self._settings.events is not None:
            outlets += await self._event_outlets(self._settings.events)
        distribution = DistributionService(
            self._settings.distribution, outlets, ledger, self._clock, self._registry
        )
        await self._lifecycle.start("distribution", distribution.start, distribution.stop)
        return distribution

    def _receiver_outlets(self, receiver: ReceiverSettings) -> Iterator[Outlet]:
        external = self._settings.public_url
        for number, webhook in enumerate(receiver.webhooks):
            name = _numbered(f"webhook:{receiver.name}", number)
            rendering = WebhookNotifications(receiver.name, external)
            yield Outlet(
                name, WebhookSink(webhook, self._intake.outbound), rendering, receiver.policy
            )
        for number, mail in enumerate(receiver.emails):
            name = _numbered(f"email:{receiver.name}", number)
            rendered = MailNotifications(receiver.name, external)
            yield Outlet(name, SmtpSink(mail, self._clock), rendered, receiver.policy)

    async def _event_outlets(self, events: EventSettings) -> list[Outlet]:
        bus = PulsarBus(events.pulsar)
        await self._lifecycle.start("pulsar", nothing, bus.stop)
        return [
            Outlet(
                "pulsar:incidents",
                PulsarSink(bus, events.incidents_topic),
                IncidentEvents(events.source),
                events.policy,
            ),
            Outlet(
                "pulsar:alerts",
                PulsarSink(bus, events.alerts_topic),
                AlertEvents(events.source),
                events.policy,
            ),
        ]

    # --- doors ------------------------------------------------------------------------------

    def _application(self, stores: Stores, services: Services) -> FastAPI:
        retention = timedelta(seconds=self._settings.telemetry.retention_seconds)
        ports = ApiPorts(
            clock=self._clock,
            registry=self._registry,
            build=BuildFacts(
                version=version("quantivista-monitoring"),
                started_at_us=now_us(self._clock),
                retention=f"{retention.days}d",
                configuration=self._watch.prometheus.shown,
                flags=prometheus_flags(self._settings),
                external_labels=dict(self._watch.prometheus.external_labels),
                lookback_seconds=self._settings.query.lookback_seconds,
                hostname=node(),
                directory=str(Path.cwd()),
            ),
            ready=lambda: self._ready and (stores.telemetry is None or stores.telemetry.replayed),
            access=services.access,
            ledger=stores.ledger,
            queries=stores.queries,
            running_queries=stores.queries.running if stores.queries else None,
            series=stores.telemetry,
            telemetry=stores.telemetry,
            exemplars=stores.exemplars,
            unknown=stores.peer or stores.telemetry,
            ingest=services.collection,
            targets=services.collection.targets if services.collection else None,
            rules=services.alerting.rule_groups if services.alerting else None,
            incidents=services.incidents,
            distribution=services.distribution,
        )
        return create_app(ports, self._settings.api)


def alerting_config(settings: Settings, watch: Watch) -> AlertingConfig:
    """Return how to evaluate: what ``prometheus.yml`` says where the settings say nothing."""
    said = settings.alerting.model_fields_set
    from_prometheus: dict[str, object] = {
        "evaluation_interval_seconds": watch.prometheus.defaults.evaluation_interval_ms / 1000,
        "external_labels": dict(watch.prometheus.external_labels),
        "external_url": settings.public_url,
    }
    update = {name: value for name, value in from_prometheus.items() if name not in said}
    return settings.alerting.model_copy(update=update)


def _numbered(name: str, number: int) -> str:
    """Return an outlet's name; a receiver's second webhook is ``webhook:name:2``."""
    return f"{name}:{number + 1}" if number else name


def opened(part: Part | None) -> Part:
    """Return a part that another needs; ``targets.MODULES`` has put it before that one."""
    if part is None:
        raise QvmonError(ErrorKind.INTERNAL, "a module was opened before one that it needs")
    return part
