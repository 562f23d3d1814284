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

from qvmon.adapters.host import HostMetrics, LocalFiles, watch_process
from qvmon.adapters.outbound import HttpOutbound
from qvmon.adapters.peer import PeerSource
from qvmon.adapters.pulsar import PulsarBus, PulsarSink
from qvmon.adapters.smtp import SmtpSink
from qvmon.adapters.webhook import WebhookSink
from qvmon.api.door import Door
from qvmon.api.http.application import create_app, create_first_app
from qvmon.api.ports import ApiPorts, BuildFacts
from qvmon.api.server import ApiServer
from qvmon.app.flags import prometheus_flags
from qvmon.app.lifecycle import Lifecycle
from qvmon.app.ownership import DataDirectory
from qvmon.app.rules import Watch
from qvmon.app.settings import EventSettings, ReceiverSettings, Settings
from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.ledger import Projection
from qvmon.model.metrics import Registry
from qvmon.model.ports import OutboundClient, SeriesSource
from qvmon.services import alerting, configuration, distribution, incidents
from qvmon.services.alerting import AlertingConfig, AlertingService
from qvmon.services.collection import (
    CollectionConfig,
    CollectionService,
    LocalMetrics,
    OwnMetrics,
)
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
from qvmon.stores import ledger as ledgers
from qvmon.stores.analysis import AnalysisProcess, AnalysisQueries
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
class Intake:
    """What takes samples in this process."""

    telemetry: TelemetryStore | None
    exemplars: ExemplarRing | None
    collection: CollectionService | None


@dataclass(frozen=True, slots=True)
class Stores:
    """What this process keeps, or reads elsewhere."""

    ledger: ledgers.LedgerStore | None
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
        settings: What was asked for.
        watch: What to scrape and evaluate.
        lifecycle: Starts the parts, and stops them in reverse.
        clock: Time.
    """

    def __init__(
        self, settings: Settings, watch: Watch, lifecycle: Lifecycle, clock: Clock
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._lifecycle = lifecycle
        self._clock = clock
        self._registry = Registry()
        watch_process(self._registry)
        self._ready = False

    async def open(self) -> str:
        """Start every part, what takes samples first; return where the process answers."""
        directory = DataDirectory(self._settings.data_dir)
        await self._lifecycle.start("data directory", directory.take, directory.leave)
        outbound = HttpOutbound(self._settings.outbound)
        await self._lifecycle.start("outbound", nothing, outbound.close)
        intake = await self._open_intake(outbound)
        door = Door(self._first_application(intake))
        server = ApiServer(door, self._settings.api)
        await self._lifecycle.start("door", server.start, server.stop)
        stores = await self._open_stores(intake, outbound)
        services = await self._open_services(stores, intake.collection, outbound)
        whole = await to_thread(self._application, stores, services)
        door.open(whole)
        await self._lifecycle.start("api", nothing, server.stop)
        self._ready = True
        return server.url

    # --- what takes samples -----------------------------------------------------------------

    async def _open_intake(self, outbound: OutboundClient) -> Intake:
        modules = self._settings.modules
        telemetry = exemplars = collection = None
        if "telemetry" in modules:
            telemetry = await self._open_telemetry()
            exemplars = ExemplarRing(self._settings.telemetry.max_exemplars, self._registry)
        if "collection" in modules:
            collection = await self._open_collection(opened(telemetry), opened(exemplars), outbound)
        return Intake(telemetry, exemplars, collection)

    async def _open_telemetry(self) -> TelemetryStore:
        config = self._settings.analysis
        merging = AnalysisProcess("merging", config, self._clock, self._registry)
        telemetry = TelemetryStore(
            self._settings.data_dir / "telemetry",
            self._settings.telemetry,
            self._clock,
            self._registry,
            merger=merging.merge if config.enabled else None,
        )
        await self._lifecycle.start("telemetry", telemetry.start, telemetry.stop)
        await self._lifecycle.start("merging", nothing, partial(to_thread, merging.stop))
        return telemetry

    async def _open_collection(
        self, telemetry: TelemetryStore, exemplars: ExemplarRing, outbound: OutboundClient
    ) -> CollectionService:
        wanted = self._settings.local
        local: list[LocalMetrics] = [OwnMetrics(self._registry)] if wanted.qvmon else []
        if wanted.host:
            local.append(HostMetrics(self._clock))
        collection = CollectionService(
            collection_config(self._settings, self._watch),
            telemetry,
            outbound,
            self._clock,
            self._registry,
            unknown=telemetry,
            exemplars=exemplars,
            files=LocalFiles(),
            local=local,
        )
        await self._lifecycle.start("collection", collection.start, collection.stop)
        return collection

    def _first_application(self, intake: Intake) -> FastAPI:
        return create_first_app(
            intake.collection, lambda: False, self._settings.api, self._clock, self._registry
        )

    # --- stores -----------------------------------------------------------------------------

    async def _open_stores(self, intake: Intake, outbound: OutboundClient) -> Stores:
        modules = self._settings.modules
        ledger = await self._open_ledger() if "ledger" in modules else None
        peer = self._peer(outbound)
        queries = None
        if "query" in modules:
            queries = await self._open_queries(peer or intake.telemetry)
        return Stores(ledger, intake.telemetry, peer, intake.exemplars, queries)

    async def _open_ledger(self) -> ledgers.LedgerStore:
        directory = self._settings.data_dir.resolve()
        store = await to_thread(
            lambda: ledgers.LedgerStore
        )  # imported beside the taking of samples
        ledger = store(
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

    def _peer(self, outbound: OutboundClient) -> PeerSource | None:
        peer = self._settings.peer
        return PeerSource(peer, peer.token.get_secret_value(), outbound) if peer else None

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

    async def _open_services(
        self, stores: Stores, collection: CollectionService | None, outbound: OutboundClient
    ) -> Services:
        modules = self._settings.modules
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
            telling = await self._open_distribution(opened(stores.ledger), outbound)
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

    async def _open_distribution(
        self, ledger: ledgers.LedgerStore, outbound: OutboundClient
    ) -> DistributionService:
        outlets = [
            outlet
            for receiver in self._settings.receivers
            for outlet in self._receiver_outlets(receiver, outbound)
        ]
        if self._settings.events is not None:
            outlets += await self._event_outlets(self._settings.events)
        distribution = DistributionService(
            self._settings.distribution, outlets, ledger, self._clock, self._registry
        )
        await self._lifecycle.start("distribution", distribution.start, distribution.stop)
        return distribution

    def _receiver_outlets(
        self, receiver: ReceiverSettings, outbound: OutboundClient
    ) -> Iterator[Outlet]:
        external = self._settings.public_url
        for number, webhook in enumerate(receiver.webhooks):
            name = _numbered(f"webhook:{receiver.name}", number)
            rendering = WebhookNotifications(receiver.name, external)
            yield Outlet(name, WebhookSink(webhook, outbound), rendering, receiver.policy)
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


def collection_config(settings: Settings, watch: Watch) -> CollectionConfig:
    """Return what to scrape: the jobs of the settings and those of ``prometheus.yml``."""
    jobs = (*settings.collection.jobs, *watch.prometheus.scrape_configs)
    update: dict[str, object] = {"jobs": jobs}
    if "instance" not in settings.collection.model_fields_set:
        update["instance"] = node()
    return settings.collection.model_copy(update=update)


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


async def nothing() -> None:
    """Start what needs no starting."""
