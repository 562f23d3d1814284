"""Incident events on a real Pulsar, as other workflows' programs read them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from qvmon.adapters.pulsar import PulsarBus, PulsarConfig, PulsarSink
from qvmon.model.clock import SystemClock, now_us
from qvmon.model.errors import QvmonError
from qvmon.model.events import IncidentCreatedEvent, IncidentResolvedEvent, IncidentUpdatedEvent
from qvmon.model.facts import (
    FactBody,
    FactDraft,
    IncidentAcknowledged,
    IncidentOpened,
    IncidentResolved,
)
from qvmon.model.ledger import Row
from qvmon.model.metrics import Registry
from qvmon.services.distribution import (
    PROJECTIONS,
    Content,
    DeliveryPolicy,
    DistributionConfig,
    DistributionService,
    IncidentEvents,
    Message,
    Outlet,
    Part,
)
from qvmon.testing.ledger import MemoryLedger
from qvmon.wire import cloudevents
from tests.servers.pulsar import PulsarBroker

pytestmark = pytest.mark.server("pulsar")

QUICK = DeliveryPolicy(
    initial_backoff_seconds=0.1, max_backoff_seconds=1.0, circuit_open_seconds=0.1
)


class House:
    """The service with one topic, on the machine's clock."""

    def __init__(self, broker: PulsarBroker, topic: str) -> None:
        self.topic = f"persistent://quantivista/monitoring/{topic}"
        self.clock = SystemClock()
        self.ledger = MemoryLedger(self.clock, PROJECTIONS)
        self.broker = broker

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        bus = PulsarBus(
            PulsarConfig(
                service_url=self.broker.service_url,
                operation_timeout_seconds=2,
                connection_timeout_seconds=1,
            )
        )
        outlet = Outlet(
            "pulsar:incidents",
            PulsarSink(bus, self.topic),
            IncidentEvents("/quantivista/monitoring"),
            QUICK,
        )
        service = DistributionService(
            DistributionConfig(), [outlet], self.ledger, self.clock, Registry()
        )
        await service.start()
        try:
            yield
        finally:
            await service.stop()
            await bus.stop()

    async def open(self, name: str, number: int = 1) -> None:
        await self.fact(
            name,
            IncidentOpened(
                incident_id=name,
                number=number,
                title="HighLatency on router",
                severity="critical",
                service="router",
                workflow="trade-execution",
                alert_ids=("a",),
            ),
        )

    async def fact(self, incident: str, body: FactBody) -> None:
        traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        draft = FactDraft(
            body,
            f"incident/{incident}",
            "person:ada",
            now_us(self.clock),
            traceparent=traceparent,
        )
        await self.ledger.append([draft])

    async def settled(self, status: str, count: int = 1) -> list[Row]:
        """Return the deliveries once so many of them have that status."""
        async with asyncio.timeout(120):
            while True:
                rows = await self.ledger.rows("deliveries", {"status": status})
                if len(rows) >= count:
                    return rows
                await asyncio.sleep(0.02)


async def test_an_incidents_life_is_read_from_the_topic_by_a_plain_client(
    pulsar_broker: PulsarBroker,
) -> None:
    house = House(pulsar_broker, "incidents-life")
    async with house.running():
        await house.open("i1")
        await house.fact("i1", IncidentAcknowledged(incident_id="i1", note="private words"))
        await house.fact("i1", IncidentResolved(incident_id="i1", automatic=False))
        await house.settled("succeeded", 3)
    messages = await asyncio.to_thread(pulsar_broker.read, house.topic, 3)
    events = [cloudevents.decode(each.data()) for each in messages]
    assert [each.type.rpartition(".")[2] for each in events] == [
        "IncidentCreatedEvent",
        "IncidentUpdatedEvent",
        "IncidentResolvedEvent",
    ]
    assert {each.partition_key() for each in messages} == {"incident/i1"}
    assert [each.id for each in events] == [
        f.id for f in house.ledger.facts if f.type.startswith("incident.")
    ]
    assert events[0].traceparent.startswith("00-0af76519")
    created = msgspec.json.decode(events[0].data, type=IncidentCreatedEvent)
    assert (created.number, created.severity, created.status) == (1, "critical", "open")
    updated = msgspec.json.decode(events[1].data, type=IncidentUpdatedEvent)
    assert (updated.change, updated.status) == ("acknowledged", "acknowledged")
    resolved = msgspec.json.decode(events[2].data, type=IncidentResolvedEvent)
    assert (resolved.automatic, resolved.status) == (False, "resolved")
    assert not any(b"private words" in each.data() for each in messages)


async def test_a_thousand_events_arrive_whole_and_in_order_by_incident(
    pulsar_broker: PulsarBroker,
) -> None:
    house = House(pulsar_broker, "incidents-many")
    for i in range(500):
        await house.open(f"i{i}", i + 1)
    for i in range(500):
        await house.fact(f"i{i}", IncidentResolved(incident_id=f"i{i}", automatic=True))
    async with house.running():
        await house.settled("succeeded", 1000)
    messages = await asyncio.to_thread(pulsar_broker.read, house.topic, 1000)
    order: dict[str, list[str]] = {}
    for each in messages:
        event = cloudevents.decode(each.data())
        order.setdefault(event.subject, []).append(event.type.rpartition(".")[2])
    assert len(order) == 500
    assert all(each == ["IncidentCreatedEvent", "IncidentResolvedEvent"] for each in order.values())


@pytest.mark.slow
@pytest.mark.timeout(400)  # a broker takes its time to start on a busy machine
async def test_a_broker_that_comes_late_and_dies_in_between_loses_no_event(
    own_pulsar_broker: PulsarBroker,
) -> None:
    broker = own_pulsar_broker
    house = House(broker, "incidents-chaos")
    async with house.running():
        await house.open("before", 1)
        await house.settled("failed")
        await asyncio.to_thread(broker.start)
        await asyncio.to_thread(broker.create_namespace, "quantivista", "monitoring")
        await house.settled("succeeded", 1)
        broker.stop()
        await house.open("while away", 2)
        await asyncio.to_thread(broker.start)
        await house.open("after", 3)
        await house.settled("succeeded", 3)
    messages = await asyncio.to_thread(broker.read, house.topic, 3)
    subjects = {cloudevents.decode(each.data()).subject for each in messages}
    assert subjects == {"incident/before", "incident/while away", "incident/after"}


@pytest.mark.slow
@pytest.mark.timeout(400)  # a broker takes its time to start on a busy machine
async def test_a_guarded_broker_takes_events_over_tls_with_the_right_token_only(
    own_pulsar_broker: PulsarBroker,
) -> None:
    broker = own_pulsar_broker
    guard = broker.guard()
    await asyncio.to_thread(broker.start)
    await asyncio.to_thread(broker.create_namespace, "quantivista", "monitoring")
    topic = "persistent://quantivista/monitoring/guarded"

    async def outcome(**changes: object) -> str:
        settings = {
            "service_url": f"pulsar+ssl://127.0.0.1:{guard.tls_port}",
            "token": guard.token,
            "ca_file": guard.ca_file,
            "operation_timeout_seconds": 3,
        }
        bus = PulsarBus(PulsarConfig.model_validate({**settings, **changes}))
        try:
            part = Part("text/plain", b"hello")
            message = Message("d", Content("n", "k", "t", (part,)), 0)
            await PulsarSink(bus, topic).send(message)
        except QvmonError as error:
            return error.kind.value
        finally:
            await bus.stop()
        return "taken"

    assert await outcome() == "taken"
    assert await outcome(token="wrong") == "unavailable"
    assert await outcome(token="") == "unavailable"
    assert await outcome(ca_file="") == "unavailable"
