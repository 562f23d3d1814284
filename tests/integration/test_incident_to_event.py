"""An alert's way to an incident and an event on a real ledger, in two processes and restarted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from qvmon.model.access import Role, person
from qvmon.model.clock import SystemClock, now_us
from qvmon.model.events import IncidentResolvedEvent
from qvmon.model.facts import AlertFiring, AlertResolved, AlertTransition, FactDraft
from qvmon.model.metrics import Registry
from qvmon.services import distribution, incidents
from qvmon.services.distribution import (
    DistributionConfig,
    DistributionService,
    IncidentEvents,
    Outlet,
)
from qvmon.services.incidents import IncidentsConfig, IncidentsService
from qvmon.stores.ledger import LedgerConfig, LedgerStore
from qvmon.testing.sink import MemorySink
from qvmon.wire import cloudevents

CLOCK = SystemClock()
ADA = person("ada", frozenset({Role.INCIDENT_COMMANDER}))
Opener = Callable[[str], AbstractAsyncContextManager[LedgerStore]]


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Open the ledger as the writer of one chain."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""

    @asynccontextmanager
    async def opened(chain: str) -> AsyncIterator[LedgerStore]:
        store = LedgerStore(
            tmp_path,
            LedgerConfig(url=SecretStr(url), poll_interval_seconds=0.2),
            chain=chain,
            holder=chain,
            projections=(*incidents.PROJECTIONS, *distribution.PROJECTIONS),
            clock=CLOCK,
            registry=Registry(),
        )
        await store.start()
        try:
            yield store
        finally:
            await store.stop()

    return opened


@asynccontextmanager
async def telling(store: LedgerStore, sink: MemorySink) -> AsyncIterator[IncidentsService]:
    """Run both services on ``store``."""
    kept = IncidentsService(IncidentsConfig(), store, CLOCK, Registry())
    outlet = Outlet("pulsar:incidents", sink, IncidentEvents("/q"))
    out = DistributionService(DistributionConfig(), [outlet], store, CLOCK, Registry())
    await kept.start()
    await out.start()
    try:
        yield kept
    finally:
        await out.stop()
        await kept.stop()


async def alert(store: LedgerStore, kind: type[AlertTransition], name: str) -> None:
    body = kind(
        alert_id=name,
        rule=name,
        group="g",
        file="f",
        labels={"service": "router", "severity": "critical"},
        annotations={},
        value="1",
        expr="up",
        active_at_ms=0,
        event_ms=0,
    )
    await store.append([FactDraft(body, f"alert/{name}", "rule:g/r", now_us(CLOCK))])


async def until(sink: MemorySink, count: int) -> list[cloudevents.CloudEvent]:
    async with asyncio.timeout(20):
        while len(sink.taken) < count:  # noqa: ASYNC110 - a sink tells nobody
            await asyncio.sleep(0.01)
    return [cloudevents.decode(each.content.body.body) for each in sink.taken]


def names(events: list[cloudevents.CloudEvent]) -> list[str]:
    return [each.type.rpartition(".")[2].removesuffix("Event") for each in events]


async def test_one_incident_is_told_once_through_restarts_and_a_persons_act(
    ledger: Opener,
) -> None:
    sink = MemorySink()
    async with ledger("main") as store:
        await alert(store, AlertFiring, "A")
        async with telling(store, sink):
            await until(sink, 1)
    async with ledger("main") as store, telling(store, sink) as service:
        await alert(store, AlertFiring, "B")
        await until(sink, 2)
        [row] = await store.rows("incidents")
        await service.acknowledge(ADA, row["incident_id"], "looking")
        await until(sink, 3)
    async with ledger("main") as store, telling(store, sink):
        for name in "AB":
            await alert(store, AlertResolved, name)
        events = await until(sink, 6)
        [row] = await store.rows("incidents")
    assert (row["number"], row["status"], row["alert_ids"]) == (1, "resolved", ["A", "B"])
    assert names(events) == ["IncidentCreated", *["IncidentUpdated"] * 4, "IncidentResolved"]
    assert not any(each.possibly_repeated for each in sink.taken)
    last: Any = msgspec.json.decode(events[-1].data, type=IncidentResolvedEvent)
    assert (last.alert_count, last.open_alert_count, last.automatic) == (2, 0, True)


@pytest.mark.parametrize("ledger", ["postgres"], indirect=True)
async def test_alerts_written_by_another_process_open_incidents_here(ledger: Opener) -> None:
    sink = MemorySink()
    async with ledger("alerting") as theirs, ledger("telling") as ours, telling(ours, sink):
        await alert(theirs, AlertFiring, "A")
        await until(sink, 1)
        await alert(theirs, AlertFiring, "B")
        await until(sink, 2)
        await alert(theirs, AlertResolved, "A")
        await alert(theirs, AlertResolved, "B")
        events = await until(sink, 5)
    assert names(events) == ["IncidentCreated", *["IncidentUpdated"] * 3, "IncidentResolved"]
