"""Whatever is killed and whenever: nothing is lost, and every repeat says that it may be one."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.clock import now_us
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import FactDraft, NotificationQueued
from qvmon.model.metrics import Registry
from qvmon.services.distribution import (
    PROJECTIONS,
    DeliveryPolicy,
    DistributionConfig,
    DistributionService,
    Message,
    Outlet,
    Receipt,
    WebhookNotifications,
)
from qvmon.testing.clock import JumpingClock, settle
from qvmon.testing.ledger import MemoryLedger

POLICY = DeliveryPolicy(max_in_flight=2, max_pending=3, circuit_failures=2)
GONE = QvmonError(ErrorKind.UNAVAILABLE, "ledger gone")


class Sink:
    """Does what each attempt's turn says; ``lost`` takes the message and loses the receipt."""

    def __init__(self, house: House, turns: list[str]) -> None:
        self.taken: list[Message] = []
        self._house = house
        self._turns = turns

    async def send(self, message: Message) -> Receipt:
        turn = self._turns.pop(0) if self._turns else "take"
        await asyncio.sleep(0)
        if turn == "away":
            raise QvmonError(ErrorKind.UNAVAILABLE, "refused")
        self.taken.append(message)
        if turn == "timeout":
            raise QvmonError(ErrorKind.TIMEOUT, "no answer, though it was taken")
        if turn == "lost":
            self._house.ledger.away = GONE
        return Receipt("ok")


class House:
    """One sink whose service is killed and begun again."""

    def __init__(self, turns: list[str]) -> None:
        self.clock = JumpingClock()
        self.ledger = MemoryLedger(self.clock, PROJECTIONS)
        self.sink = Sink(self, turns)
        self.queued: dict[str, list[str]] = {}
        self.running: asyncio.Task[None] | None = None

    async def do(self, action: str) -> None:
        if action == "kill":
            await self.kill()
            await self.begin()
        elif action == "ledger away":
            self.ledger.away = GONE
        elif action == "wait":
            self.ledger.away = None
            await self.clock.advance(7)
        elif self.ledger.away is None:
            await self.notify(action)
        await settle()

    async def notify(self, group: str) -> None:
        names = self.queued.setdefault(group, [])
        name = f"{group}{len(names)}"
        names.append(name)
        body = NotificationQueued(
            notification_id=name,
            receiver="r",
            group_key=group,
            group_labels={},
            status="firing",
            alerts=(),
            obligations=(),
            reason="first",
        )
        await self.ledger.append([FactDraft(body, f"notification/{name}", "a", now_us(self.clock))])

    async def begin(self) -> None:
        outlet = Outlet("webhook:r", self.sink, WebhookNotifications("r", ""), POLICY)
        service = DistributionService(
            DistributionConfig(), [outlet], self.ledger, self.clock, Registry()
        )
        self.running = asyncio.create_task(service.run())
        await settle()

    async def kill(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait([self.running])


ACTIONS = st.lists(st.sampled_from(["g", "h", "g", "h", "kill", "ledger away", "wait"]))
TURNS = st.lists(st.sampled_from(["take", "away", "timeout", "lost"]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(ACTIONS, TURNS)
def test_nothing_is_lost_and_every_repeat_is_marked(actions: list[str], turns: list[str]) -> None:
    house = House(turns)

    async def story() -> None:
        await house.begin()
        for action in actions:
            await house.do(action)
        await house.kill()
        house.ledger.away = None
        await house.begin()
        for _ in range(60):
            house.ledger.away = None
            await house.clock.advance(10)
        await house.kill()

    asyncio.run(story())
    first: dict[str, list[str]] = {}
    seen: set[str] = set()
    for message in house.sink.taken:
        if message.delivery_id in seen:
            assert message.possibly_repeated
        else:
            first.setdefault(message.content.key, []).append(message.content.source_id)
        seen.add(message.delivery_id)
    assert first == house.queued
    rows = asyncio.run(house.ledger.rows("deliveries"))
    assert {row["status"] for row in rows} <= {"succeeded"}
    assert len(rows) == sum(len(names) for names in house.queued.values())
