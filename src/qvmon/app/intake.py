"""What takes samples: opened first, and as it needs little, before the rest is even imported."""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import dataclass
from functools import partial
from platform import node

from qvmon.adapters.host import HostMetrics, LocalFiles
from qvmon.adapters.outbound import HttpOutbound
from qvmon.api.door import Door
from qvmon.api.http.first import create_first_app
from qvmon.api.server import ApiServer
from qvmon.app.lifecycle import Lifecycle, nothing
from qvmon.app.ownership import DataDirectory
from qvmon.app.rules import Watch
from qvmon.app.settings import Settings
from qvmon.model.clock import Clock
from qvmon.model.metrics import Registry
from qvmon.services.collection import (
    CollectionConfig,
    CollectionService,
    LocalMetrics,
    OwnMetrics,
)
from qvmon.stores.analysis import AnalysisProcess
from qvmon.stores.telemetry import ExemplarRing, TelemetryStore


@dataclass(frozen=True, slots=True)
class Premises:
    """What every part of a process stands on.

    Attributes:
        settings: What was asked for.
        watch: What to scrape and evaluate.
        lifecycle: Starts the parts, and stops them in reverse.
        clock: Time.
        registry: The process' own metrics.
    """

    settings: Settings
    watch: Watch
    lifecycle: Lifecycle
    clock: Clock
    registry: Registry


@dataclass(frozen=True, slots=True)
class Intake:
    """What is open once samples are taken."""

    outbound: HttpOutbound
    telemetry: TelemetryStore | None
    exemplars: ExemplarRing | None
    collection: CollectionService | None
    door: Door
    server: ApiServer


async def open_intake(premises: Premises) -> Intake:
    """Take the data directory and samples: those scraped, and those received at the door."""
    settings, lifecycle = premises.settings, premises.lifecycle
    directory = DataDirectory(settings.data_dir)
    await lifecycle.start("data directory", directory.take, directory.leave)
    outbound = HttpOutbound(settings.outbound)
    await lifecycle.start("outbound", nothing, outbound.close)
    telemetry = exemplars = collection = None
    if "telemetry" in settings.modules:
        telemetry = await _open_telemetry(premises)
        exemplars = ExemplarRing(settings.telemetry.max_exemplars, premises.registry)
        if "collection" in settings.modules:
            collection = await _open_collection(premises, telemetry, exemplars, outbound)
    first = create_first_app(collection, settings.api, premises.clock, premises.registry)
    door = Door(first)
    server = ApiServer(door, settings.api)
    await lifecycle.start("door", server.start, server.stop)
    return Intake(outbound, telemetry, exemplars, collection, door, server)


async def _open_telemetry(premises: Premises) -> TelemetryStore:
    config = premises.settings.analysis
    merging = AnalysisProcess("merging", config, premises.clock, premises.registry)
    telemetry = TelemetryStore(
        premises.settings.data_dir / "telemetry",
        premises.settings.telemetry,
        premises.clock,
        premises.registry,
        merger=merging.merge if config.enabled else None,
    )
    await premises.lifecycle.start("telemetry", telemetry.start, telemetry.stop)
    await premises.lifecycle.start("merging", nothing, partial(to_thread, merging.stop))
    return telemetry


async def _open_collection(
    premises: Premises, telemetry: TelemetryStore, exemplars: ExemplarRing, outbound: HttpOutbound
) -> CollectionService:
    wanted = premises.settings.local
    local: list[LocalMetrics] = [OwnMetrics(premises.registry)] if wanted.qvmon else []
    if wanted.host:
        local.append(HostMetrics(premises.clock))
    collection = CollectionService(
        collection_config(premises.settings, premises.watch),
        telemetry,
        outbound,
        premises.clock,
        premises.registry,
        unknown=telemetry,
        exemplars=exemplars,
        files=LocalFiles(),
        local=local,
    )
    await premises.lifecycle.start("collection", collection.start, collection.stop)
    return collection


def collection_config(settings: Settings, watch: Watch) -> CollectionConfig:
    """Return what to scrape: the jobs of the settings and those of ``prometheus.yml``."""
    jobs = (*settings.collection.jobs, *watch.prometheus.scrape_configs)
    update: dict[str, object] = {"jobs": jobs}
    if "instance" not in settings.collection.model_fields_set:
        update["instance"] = node()
    return settings.collection.model_copy(update=update)
