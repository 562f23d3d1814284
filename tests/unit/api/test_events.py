"""Events as they happen: complete, in order, bounded, and only what one may see."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.event_hub import EventHub
from qvmon.api.http.events import _stream
from qvmon.model.access import ANONYMOUS, Role, person
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import AlertFiring, FactDraft, IncidentCommented
from qvmon.model.metrics import Registry
from qvmon.services.configuration import Identity
from qvmon.testing.clock import settle

from .conftest import ROOT, House

CONFIG = ApiConfig(event_queue_length=3, event_heartbeat_seconds=0.02)
VIEWER = Identity(
    person("ada", frozenset({Role.VIEWER})), "ada", frozenset({Role.VIEWER}), False, "s1"
)


def hub_of(house: House) -> EventHub:
    return EventHub(house.ledger, CONFIG, house.clock, Registry())


async def happen(house: House, *texts: str) -> None:
    """Have something said about an incident, once for each text."""
    now = house.clock.now_ns() // 1000
    bodies = [IncidentCommented(incident_id="i", text=text) for text in texts]
    await house.ledger.append([FactDraft(b, "incident/i", "person:bob", now) for b in bodies])


async def pass_time(house: House) -> None:
    await house.clock.advance(CONFIG.event_poll_seconds * 2)


@asynccontextmanager
async def heard(hub: EventHub, identity: Identity = VIEWER, last_id: str = ""):
    """A running stream, as the list of (event, data) that it has said so far."""
    said: list[tuple[str, dict]] = []

    async def listen() -> None:
        async for chunk in _stream(hub, identity, last_id, CONFIG.event_heartbeat_seconds):
            fields = dict(
                line.split(": ", 1) for line in chunk.decode().splitlines() if ": " in line
            )
            if "data" in fields:
                said.append((fields["event"], json.loads(fields["data"])))

    task = asyncio.create_task(listen())
    await settle()
    yield said, task
    task.cancel()
    await asyncio.wait([task])


def texts(said: list[tuple[str, dict]]) -> list[str]:
    return [content["text"] for name, content in said if name == "fact"]


async def test_a_listener_hears_what_happens_from_now_on_in_order(house: House) -> None:
    await happen(house, "before")
    async with heard(hub_of(house)) as (said, _):
        await happen(house, "one", "two")
        await pass_time(house)
        await happen(house, "three")
        await pass_time(house)
        assert texts(said) == ["bob: one", "bob: two", "bob: three"]
        assert said[0][1]["subject"] == "incident/i"


async def test_who_comes_back_hears_what_was_missed_meanwhile(house: House) -> None:
    hub = hub_of(house)
    await happen(house, "one", "two")
    last = house.ledger.facts[-2].id
    async with heard(hub, last_id=last) as (said, _):
        await happen(house, "three")
        await pass_time(house)
        assert texts(said) == ["bob: two", "bob: three"]


async def test_who_comes_back_too_late_is_told(house: House) -> None:
    async with heard(hub_of(house), last_id="memory:999") as (said, _):
        assert said == [("missed", {"count": 1})]


async def test_a_slow_listener_is_told_how_much_it_missed(house: House) -> None:
    hub = hub_of(house)
    async with hub.listen(VIEWER) as slow, heard(hub) as (quick, _):
        for number in range(5):
            await happen(house, str(number))
            await pass_time(house)
        assert texts(quick) == [f"bob: {number}" for number in range(5)]
        assert slow.take_missed() == 2
        kept = [await slow.next(0.01) for _ in range(3)]
        assert [fact.body.text for fact in kept] == ["0", "1", "2"]
        assert await slow.next(0.01) is None


async def test_clients_who_come_at_once_hear_everything_once(house: House) -> None:
    hub = hub_of(house)
    read = house.ledger.read

    async def slow_read(**named):
        found = await read(**named)
        for _ in range(3):
            await settle()
        return found

    house.ledger.read = slow_read
    async with AsyncExitStack() as stack:
        listeners = [hub.listen(VIEWER) for _ in range(2)]
        one, other = await asyncio.gather(*map(stack.enter_async_context, listeners))
        await happen(house, "news")
        await pass_time(house)
        for _ in range(5):
            await settle()
        for listener in (one, other):
            assert (await listener.next(0.01)).body.text == "news"
            assert await listener.next(0.01) is None


async def test_nobody_hears_what_they_may_not_see(house: House) -> None:
    hub = hub_of(house)
    root = Identity(ROOT, "root", frozenset({Role.ADMINISTRATOR}))
    nobody = Identity(ANONYMOUS, "", frozenset())
    async with (
        heard(hub) as (viewer, _),
        heard(hub, root) as (all_of_it, _),
        heard(hub, nobody) as (nothing, _),
    ):
        await house.access.create_user(ROOT, "eve", "correct horse battery", ["viewer"])
        await house.alert(AlertFiring)
        await pass_time(house)
        assert [each["type"] for _, each in viewer] == ["alert.firing", "incident.opened"]
        assert [each["type"] for _, each in all_of_it] == [
            "user.created",
            "alert.firing",
            "incident.opened",
        ]
        assert nothing == []


async def test_a_stream_ends_with_the_session_that_opened_it(house: House) -> None:
    identity = await house.person("bob", "viewer")
    async with heard(hub_of(house), identity) as (_, task), heard(hub_of(house)) as (_, other):
        await house.access.log_out(identity)
        await pass_time(house)
        assert task.done()
        assert not other.done()


async def test_a_stream_ends_when_its_users_roles_change(house: House) -> None:
    identity = await house.person("bob", "viewer")
    async with heard(hub_of(house), identity) as (_, task):
        await house.access.change_user(ROOT, "bob", role_names=["ingest"])
        await pass_time(house)
        assert task.done()


async def test_streams_end_when_the_server_stops(house: House) -> None:
    hub = hub_of(house)
    async with heard(hub) as (_, task):
        hub.close()
        await settle()
        assert task.done()
    async with heard(hub) as (_, task):
        assert task.done()


async def test_listening_goes_on_when_the_ledger_comes_back(house: House) -> None:
    async with heard(hub_of(house)) as (said, _):
        house.ledger.away = QvmonError(ErrorKind.UNAVAILABLE, "restarting")
        await pass_time(house)
        house.ledger.away = None
        await happen(house, "one")
        await pass_time(house)
        assert texts(said) == ["bob: one"]


async def test_an_idle_stream_says_that_it_lives(house: House) -> None:
    stream = _stream(hub_of(house), VIEWER, "", CONFIG.event_heartbeat_seconds)
    assert (await anext(stream)).startswith(b"retry: ")
    assert await anext(stream) == b": still here\n\n"
    await stream.aclose()


@pytest.mark.parametrize("listeners", [1, 3])
async def test_the_ledger_is_read_only_while_somebody_listens(house: House, listeners: int) -> None:
    hub = hub_of(house)
    reads = 0
    read = house.ledger.read

    async def counted(**named):
        nonlocal reads
        reads += 1
        return await read(**named)

    house.ledger.read = counted
    streams = [hub.listen(VIEWER) for _ in range(listeners)]
    for stream in streams:
        await stream.__aenter__()
    await house.clock.advance(CONFIG.event_poll_seconds * 4)
    while_listening = reads
    for stream in streams:
        await stream.__aexit__(None, None, None)
    await house.clock.advance(CONFIG.event_poll_seconds * 40)
    assert while_listening <= 6
    assert reads <= while_listening + 1
