"""The incidents service on a ledger in memory: consumption, verbs, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from qvmon.model.access import ANONYMOUS, Principal, Role, person
from qvmon.model.clock import now_us
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import AlertFiring, AlertResolved, AlertTransition, FactDraft
from qvmon.model.ledger import Row
from qvmon.model.metrics import Registry
from qvmon.services.incidents import PROJECTIONS, IncidentsConfig, IncidentsService
from qvmon.testing.clock import JumpingClock, settle
from qvmon.testing.ledger import MemoryLedger

ADA = person("ada", frozenset({Role.INCIDENT_COMMANDER}))
BOB = person("bob", frozenset({Role.RESPONDER}))
EVE = person("eve", frozenset({Role.VIEWER}))


class House:
    """A clock, a ledger and the service under test."""

    def __init__(self) -> None:
        self.clock = JumpingClock()
        self.ledger = MemoryLedger(self.clock, PROJECTIONS)
        self.service = self.new_service()

    def new_service(self) -> IncidentsService:
        return IncidentsService(IncidentsConfig(), self.ledger, self.clock, Registry())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[IncidentsService]:
        self.service = self.new_service()
        await self.service.start()
        await settle()
        yield self.service
        await self.service.stop()

    async def alert(self, kind: type[AlertTransition], alert: str = "A", **labels: str) -> str:
        body = kind(
            alert_id=alert,
            rule=alert,
            group="g",
            file="f",
            labels={"service": "router", "workflow": "trade-execution"} | labels,
            annotations={},
            value="1",
            expr="up",
            active_at_ms=0,
            event_ms=0,
        )
        draft = FactDraft(body, f"alert/{alert}", "rule:g/r", now_us(self.clock))
        [fact] = await self.ledger.append([draft])
        await settle()
        return fact.id

    async def incidents(self) -> list[Row]:
        return await self.ledger.rows("incidents")


@pytest.fixture
def house() -> House:
    return House()


async def test_a_firing_alert_becomes_an_open_incident(house: House) -> None:
    async with house.running():
        await house.alert(AlertFiring, severity="critical")
    [row] = await house.incidents()
    assert (row["number"], row["status"], row["severity"]) == (1, "open", "critical")
    assert (row["service"], row["workflow"]) == ("router", "trade-execution")
    assert row["open_alert_ids"] == ["A"]


async def test_every_alert_is_handled_once_across_restarts(house: House) -> None:
    async with house.running():
        await house.alert(AlertFiring, "A")
    await house.alert(AlertFiring, "B")
    async with house.running():
        await house.alert(AlertFiring, "C")
    async with house.running():
        pass
    [row] = await house.incidents()
    assert row["alert_ids"] == ["A", "B", "C"]
    types = [fact.type for fact in house.ledger.facts if fact.type.startswith("incident")]
    assert types == ["incident.opened", "incident.alert_attached", "incident.alert_attached"]


async def test_facts_and_cursor_are_lost_together_when_the_ledger_goes_away(house: House) -> None:
    async with house.running():
        house.ledger.away = QvmonError(ErrorKind.UNAVAILABLE, "database is away")
        with pytest.raises(QvmonError):
            await house.alert(AlertFiring)
        house.ledger.away = None
        await house.alert(AlertFiring)
        await house.clock.advance(5)
    assert len(await house.incidents()) == 1


async def test_an_acknowledged_incident_resolves_with_its_alerts(house: House) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring)
        [row] = await house.incidents()
        row = await service.acknowledge(BOB, row["incident_id"], "looking")
        assert row["status"] == "acknowledged"
        assert row["acknowledged_by"] == "person:bob"
        await house.alert(AlertResolved)
    [row] = await house.incidents()
    assert row["status"] == "resolved"
    assert row["open_alert_ids"] == []


async def test_a_verb_is_a_fact_of_its_actor_caused_by_the_alert(house: House) -> None:
    async with house.running() as service:
        cause = await house.alert(AlertFiring)
        [row] = await house.incidents()
        await house.clock.advance(60)
        await service.comment(BOB, row["incident_id"], " restarting the router ")
    fact = house.ledger.facts[-1]
    assert (fact.type, fact.actor) == ("incident.commented", "person:bob")
    assert fact.subject == f"incident/{row['incident_id']}"
    assert fact.causes == (cause,)
    assert fact.body.text == "restarting the router"
    assert fact.occurred_at == now_us(house.clock)


async def test_an_incident_a_person_resolved_is_reopened_by_the_next_alert(house: House) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring, "A")
        [row] = await house.incidents()
        row = await service.resolve(ADA, row["incident_id"], "known")
        assert (row["status"], row["open_alert_ids"]) == ("resolved", ["A"])
        await house.clock.advance(5 * 3600)
        await house.alert(AlertFiring, "B")
    [row] = await house.incidents()
    assert (row["status"], row["open_alert_ids"]) == ("open", ["A", "B"])


async def test_a_persons_severity_stands_until_an_alert_is_worse_than_all_before(
    house: House,
) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring, "A", severity="warning")
        [row] = await house.incidents()
        await service.set_severity(ADA, row["incident_id"], "info", "a drill")
        await house.alert(AlertFiring, "B", severity="warning")
        [row] = await house.incidents()
        assert row["severity"] == "info"
        await house.alert(AlertFiring, "C", severity="critical")
    [row] = await house.incidents()
    assert row["severity"] == "critical"


Verb = Callable[[IncidentsService, Principal, str], Awaitable[Row]]
VERBS: dict[str, Verb] = {
    "acknowledge": lambda s, p, i: s.acknowledge(p, i),
    "assign": lambda s, p, i: s.assign(p, i, "bob"),
    "comment": lambda s, p, i: s.comment(p, i, "hm"),
    "set_severity": lambda s, p, i: s.set_severity(p, i, "info"),
    "resolve": lambda s, p, i: s.resolve(p, i),
    "reopen": lambda s, p, i: s.reopen(p, i),
}


async def refusal(awaitable: Awaitable[object]) -> ErrorKind:
    with pytest.raises(QvmonError) as caught:
        await awaitable
    return caught.value.kind


@pytest.mark.parametrize("verb", VERBS)
async def test_nobody_acts_without_the_permission(house: House, verb: str) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring)
        [row] = await house.incidents()
        act = VERBS[verb]
        assert await refusal(act(service, EVE, row["incident_id"])) is ErrorKind.FORBIDDEN
        assert (
            await refusal(act(service, ANONYMOUS, row["incident_id"])) is ErrorKind.UNAUTHENTICATED
        )
        commands = verb in {"set_severity", "resolve", "reopen"}
        if commands:
            assert await refusal(act(service, BOB, row["incident_id"])) is ErrorKind.FORBIDDEN


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_on_an_unknown_incident_finds_nothing(house: House, verb: str) -> None:
    assert await refusal(VERBS[verb](house.service, ADA, "nope")) is ErrorKind.NOT_FOUND


@pytest.mark.parametrize("verb", ["acknowledge", "assign", "resolve"])
async def test_a_resolved_incident_refuses_what_only_an_open_one_allows(
    house: House, verb: str
) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring)
        await house.alert(AlertResolved)
        [row] = await house.incidents()
        assert await refusal(VERBS[verb](service, ADA, row["incident_id"])) is ErrorKind.CONFLICT


async def test_an_open_incident_cannot_be_reopened_nor_acknowledged_twice(house: House) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring)
        [row] = await house.incidents()
        incident = row["incident_id"]
        assert await refusal(service.reopen(ADA, incident)) is ErrorKind.CONFLICT
        await service.acknowledge(ADA, incident)
        assert await refusal(service.acknowledge(BOB, incident)) is ErrorKind.CONFLICT


async def test_only_the_latest_incident_of_a_service_can_be_reopened(house: House) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring)
        await house.alert(AlertResolved)
        await house.clock.advance(3600)
        await house.alert(AlertFiring)
        first, second = sorted(await house.incidents(), key=lambda row: row["number"])
        await house.alert(AlertResolved)
        assert await refusal(service.reopen(ADA, first["incident_id"])) is ErrorKind.CONFLICT
        row = await service.reopen(ADA, second["incident_id"], "not over")
    assert row["status"] == "open"


async def test_a_bad_argument_is_refused_with_its_name(house: House) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring)
        [row] = await house.incidents()
        incident = row["incident_id"]
        assert await refusal(service.comment(ADA, incident, "  ")) is ErrorKind.INVALID
        assert await refusal(service.comment(ADA, incident, "x" * 10_001)) is ErrorKind.INVALID
        assert await refusal(service.set_severity(ADA, incident, "bad")) is ErrorKind.INVALID
        assert await refusal(service.set_severity(ADA, incident, "warning")) is ErrorKind.CONFLICT


async def test_concurrent_verbs_see_each_others_outcome(house: House) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring)
        [row] = await house.incidents()
        outcomes = await asyncio.gather(
            *(service.acknowledge(who, row["incident_id"]) for who in (ADA, BOB)),
            return_exceptions=True,
        )
    assert sorted(type(each).__name__ for each in outcomes) == ["QvmonError", "dict"]


async def test_replaying_the_facts_rebuilds_the_same_tables(house: House) -> None:
    async with house.running() as service:
        await house.alert(AlertFiring, "A", severity="info")
        await house.alert(AlertFiring, "B", severity="critical")
        [row] = await house.incidents()
        await service.assign(ADA, row["incident_id"], "bob")
        await service.acknowledge(BOB, row["incident_id"])
        await house.alert(AlertResolved, "A")
        await house.alert(AlertResolved, "B")
        await house.alert(AlertFiring, "B")
    before = [await house.ledger.rows(p.name) for p in PROJECTIONS]
    house.ledger.rebuild()
    assert [await house.ledger.rows(p.name) for p in PROJECTIONS] == before
    alerts = before[1]
    assert {row["alert_id"]: row["firing"] for row in alerts} == {"A": False, "B": True}


async def test_a_defect_is_counted_and_what_was_under_way_is_handled_again(house: House) -> None:
    rows, house.ledger.rows = house.ledger.rows, None  # a defect: calling None is a TypeError
    async with house.running():
        await house.alert(AlertFiring)
        house.ledger.rows = rows
        await house.clock.advance(5)
    assert len(await house.incidents()) == 1
