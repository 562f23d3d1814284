"""The distribution service on a ledger in memory and a sink in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from qvmon.model.access import Role, person
from qvmon.model.clock import now_us
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import FactDraft, NotificationQueued, NotifiedAlert
from qvmon.model.ledger import Row
from qvmon.model.metrics import Registry
from qvmon.services.distribution import (
    PROJECTIONS,
    DeliveryPolicy,
    DistributionConfig,
    DistributionService,
    Outlet,
    WebhookNotifications,
)
from qvmon.testing.clock import JumpingClock, settle
from qvmon.testing.ledger import MemoryLedger
from qvmon.testing.sink import MemorySink

OPERATOR = person("ada", frozenset({Role.OPERATOR}))
VIEWER = person("eve", frozenset({Role.VIEWER}))
AWAY = QvmonError(ErrorKind.UNAVAILABLE, "connection refused")
SLOW = QvmonError(ErrorKind.TIMEOUT, "no answer")
NO = QvmonError(ErrorKind.INVALID, "HTTP 400")


class NoJitter:
    """Always the longest pause."""

    def random(self) -> float:
        return 1.0


class House:
    """A clock, a ledger, a sink called ``webhook:oncall`` and the service under test."""

    def __init__(self) -> None:
        self.clock = JumpingClock()
        self.ledger = MemoryLedger(self.clock, PROJECTIONS)
        self.sink = MemorySink()
        self.policy = DeliveryPolicy()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[DistributionService]:
        outlet = Outlet(
            "webhook:oncall", self.sink, WebhookNotifications("oncall", "http://q"), self.policy
        )
        service = DistributionService(
            DistributionConfig(), [outlet], self.ledger, self.clock, Registry(), jitter=NoJitter()
        )
        await service.start()
        await settle()
        yield service
        await service.stop()

    async def notify(self, name: str, group: str = "{}", receiver: str = "oncall") -> None:
        alert = NotifiedAlert(
            alert_id="a",
            status="firing",
            labels={"alertname": "A"},
            annotations={},
            starts_at_ms=1,
        )
        body = NotificationQueued(
            notification_id=name,
            receiver=receiver,
            group_key=group,
            group_labels={},
            status="firing",
            alerts=(alert,),
            obligations=(),
            reason="first",
        )
        draft = FactDraft(body, f"notification/{name}", "service:alerting", now_us(self.clock))
        await self.ledger.append([draft])
        await settle()

    async def row(self) -> Row:
        [row] = await self.ledger.rows("deliveries")
        return row

    @property
    def types(self) -> list[str]:
        return [
            fact.type.removeprefix("delivery.")
            for fact in self.ledger.facts
            if fact.type.startswith("delivery.")
        ]


@pytest.fixture
def house() -> House:
    return House()


def told(house: House) -> list[str]:
    return [message.content.source_id for message in house.sink.taken]


async def test_a_notification_reaches_its_receivers_sink_and_leaves_a_receipt(
    house: House,
) -> None:
    async with house.running():
        await house.notify("n1")
        await house.notify("n2", receiver="somebody else")
    assert told(house) == ["n1"]
    assert house.types == ["started", "succeeded"]
    row = await house.row()
    assert (row["status"], row["attempts"], row["source_id"]) == ("succeeded", 1, "n1")
    assert not row["possibly_repeated"]
    assert row["detail"] == "taken 1"


async def test_a_delivered_message_is_not_sent_again_after_a_restart(house: House) -> None:
    async with house.running():
        await house.notify("n1")
    async with house.running():
        await house.notify("n2")
    assert told(house) == ["n1", "n2"]


async def test_messages_queued_while_stopped_are_delivered_in_order(house: House) -> None:
    for name in ("n1", "n2", "n3"):
        await house.notify(name)
    async with house.running():
        pass
    assert told(house) == ["n1", "n2", "n3"]


async def test_a_sink_that_is_away_is_tried_again_with_growing_pauses(house: House) -> None:
    house.sink.will_answer(AWAY, AWAY, AWAY)
    async with house.running():
        await house.notify("n1")
        assert len(house.sink.attempts) == 1
        await house.clock.advance(1)
        assert len(house.sink.attempts) == 2
        await house.clock.advance(1.9)
        assert len(house.sink.attempts) == 2
        await house.clock.advance(0.1)
        assert len(house.sink.attempts) == 3
        await house.clock.advance(4)
    assert told(house) == ["n1"]
    assert house.types == ["started", "failed", "failed", "succeeded"]
    assert [message.attempt for message in house.sink.attempts] == [1, 2, 3, 4]
    assert len({message.delivery_id for message in house.sink.attempts}) == 1


async def test_a_long_absence_leaves_few_facts_and_loses_nothing_in_order(house: House) -> None:
    house.sink.away = AWAY
    async with house.running():
        for i in range(20):
            await house.notify(f"n{i}")
        await house.clock.advance(3600)
        assert len(house.types) < 20
        house.sink.away = None
        for _ in range(120):
            await house.clock.advance(1)
    assert told(house) == [f"n{i}" for i in range(20)]


async def test_a_refusal_is_a_dead_letter_and_the_next_message_goes_out(house: House) -> None:
    house.sink.will_answer(NO)
    async with house.running():
        await house.notify("n1")
        await house.notify("n2")
        await house.clock.advance(600)
    assert told(house) == ["n2"]
    assert house.types == ["started", "dead", "started", "succeeded"]


async def test_a_message_that_gets_too_old_is_a_dead_letter(house: House) -> None:
    house.policy = DeliveryPolicy(max_age_seconds=300)
    house.sink.away = AWAY
    async with house.running():
        await house.notify("n1")
        await house.clock.advance(400)
    row = await house.row()
    assert row["status"] == "dead"
    assert row["detail"] == "too_old: connection refused"


async def test_a_message_that_never_got_its_turn_is_a_dead_letter_too(house: House) -> None:
    house.policy = DeliveryPolicy(max_age_seconds=300)
    await house.notify("n1")
    await house.clock.advance(400)
    async with house.running():
        pass
    row = await house.row()
    assert (row["status"], row["attempts"]) == ("dead", 0)
    assert house.sink.attempts == []


async def test_one_bad_group_does_not_hold_up_the_others(house: House) -> None:
    house.sink.will_answer(AWAY)
    async with house.running():
        await house.notify("bad", group="a")
        await house.notify("good", group="b")
        await house.notify("after bad", group="a")
        assert told(house) == ["good"]
        await house.clock.advance(10)
    assert told(house) == ["good", "bad", "after bad"]


async def test_a_repeat_after_a_timeout_is_marked_as_possibly_repeated(house: House) -> None:
    house.sink.will_answer(SLOW)
    async with house.running():
        await house.notify("n1")
        await house.clock.advance(10)
    assert [each.possibly_repeated for each in house.sink.attempts] == [False, True]
    assert (await house.row())["possibly_repeated"]


async def test_a_repeat_after_a_refused_connection_is_not(house: House) -> None:
    house.sink.will_answer(AWAY)
    async with house.running():
        await house.notify("n1")
        await house.clock.advance(10)
    assert [each.possibly_repeated for each in house.sink.attempts] == [False, False]


async def test_a_send_whose_receipt_was_lost_is_repeated_and_marked(house: House) -> None:
    class Dying(MemorySink):
        async def send(self, message):
            receipt = await super().send(message)
            house.ledger.away = QvmonError(ErrorKind.UNAVAILABLE, "killed before the receipt")
            return receipt

    house.sink, survivor = Dying(), house.sink
    async with house.running():
        await house.notify("n1")
    house.ledger.away = None
    assert house.types == ["started"]
    house.sink = survivor
    async with house.running():
        pass
    assert [each.possibly_repeated for each in house.sink.taken] == [True]
    assert (await house.row())["possibly_repeated"]


async def test_a_restart_while_waiting_for_the_next_attempt_repeats_nothing(house: House) -> None:
    house.sink.will_answer(AWAY)
    async with house.running():
        await house.notify("n1")
    async with house.running():
        await house.clock.advance(0.5)
        assert len(house.sink.attempts) == 1
        await house.clock.advance(0.5)
    assert [each.attempt for each in house.sink.attempts] == [1, 2]
    assert not (await house.row())["possibly_repeated"]


async def test_a_dead_letter_is_delivered_when_redriven(house: House) -> None:
    house.sink.will_answer(NO)
    async with house.running() as service:
        await house.notify("n1")
        dead = await house.row()
        await house.clock.advance(100_000)
        row = await service.redrive(OPERATOR, dead["delivery_id"])
        assert row["status"] == "redriven"
        await settle()
    assert told(house) == ["n1"]
    assert (await house.row())["status"] == "succeeded"
    fact = next(f for f in house.ledger.facts if f.type == "delivery.redriven")
    assert fact.actor == "person:ada"


async def test_only_who_may_operate_redrives_and_only_what_is_dead(house: House) -> None:
    async with house.running() as service:
        await house.notify("n1")
        row = await house.row()
        kinds = []
        for who, what in [
            (VIEWER, row["delivery_id"]),
            (OPERATOR, row["delivery_id"]),
            (OPERATOR, "unknown"),
        ]:
            with pytest.raises(QvmonError) as caught:
                await service.redrive(who, what)
            kinds.append(caught.value.kind)
    assert kinds == [ErrorKind.FORBIDDEN, ErrorKind.CONFLICT, ErrorKind.NOT_FOUND]


async def test_the_ledgers_absence_delays_and_loses_nothing(house: House) -> None:
    await house.notify("n1")
    house.ledger.away = QvmonError(ErrorKind.UNAVAILABLE, "database is away")
    async with house.running():
        await house.clock.advance(30)
        house.ledger.away = None
        await house.clock.advance(2)
    assert told(house) == ["n1"]


async def test_a_defect_in_a_sink_costs_one_message_only(house: House) -> None:
    class Broken(MemorySink):
        async def send(self, message):
            if message.content.source_id == "n1":
                raise ZeroDivisionError("oops")
            return await super().send(message)

    house.sink = Broken()
    async with house.running():
        await house.notify("n1")
        await house.notify("n2")
    assert told(house) == ["n2"]
    assert "dead" in house.types


async def test_replaying_the_facts_rebuilds_the_same_table(house: House) -> None:
    house.sink.will_answer(AWAY, NO)
    async with house.running() as service:
        await house.notify("n1")
        await house.clock.advance(10)
        await service.redrive(OPERATOR, (await house.row())["delivery_id"])
        await settle()
    before = await house.row()
    house.ledger.rebuild()
    assert await house.row() == before
    assert before["status"] == "succeeded"


async def test_two_sinks_with_one_name_are_refused(house: House) -> None:
    outlet = Outlet("webhook:a", house.sink, WebhookNotifications("a", ""))
    with pytest.raises(QvmonError, match="two sinks"):
        DistributionService(
            DistributionConfig(), [outlet, outlet], house.ledger, house.clock, Registry()
        )


async def test_a_defect_beside_the_sink_is_overcome_too(house: House) -> None:
    rows, house.ledger.rows = house.ledger.rows, None  # a defect: calling None is a TypeError
    await house.notify("n1")
    async with house.running():
        house.ledger.rows = rows
        await house.clock.advance(5)
    assert told(house) == ["n1"]


async def test_events_queue_up_to_the_bound_and_the_rest_stays_in_the_ledger(
    house: House,
) -> None:
    house.policy = DeliveryPolicy(max_pending=2, max_in_flight=2, circuit_failures=1000)
    house.sink.away = AWAY
    async with house.running():
        for i in range(6):
            await house.notify(f"n{i}", group=str(i))
        attempted = {each.content.source_id for each in house.sink.attempts}
        assert attempted == {"n0", "n1"}
        house.sink.away = None
        await house.clock.advance(10)
    assert sorted(told(house)) == [f"n{i}" for i in range(6)]


async def test_a_sink_that_is_away_is_probed_by_one_message_only(house: House) -> None:
    house.sink.away = AWAY
    async with house.running():
        for i in range(8):
            await house.notify(f"n{i}", group=str(i))
        await house.clock.advance(4)
        before = len(house.sink.attempts)
        await house.clock.advance(5)
        assert len(house.sink.attempts) == before + 1
        house.sink.away = None
        await house.clock.advance(120)
    assert len(told(house)) == 8


async def test_an_orderly_stop_waits_for_the_receipt_of_an_attempt_under_way(
    house: House,
) -> None:
    class Slow(MemorySink):
        async def send(self, message):
            await asyncio.sleep(0.05)
            return await super().send(message)

    house.sink = Slow()
    async with house.running():
        await house.notify("n1")
        await house.notify("n2")
    assert told(house) == ["n1"]
    assert house.types == ["started", "succeeded"]
    async with house.running():
        await asyncio.sleep(0.2)
    assert told(house) == ["n1", "n2"]
    assert not any(each.possibly_repeated for each in house.sink.taken)


async def test_a_stop_does_not_wait_for_a_ledger_that_is_away(house: House) -> None:
    house.ledger.away = QvmonError(ErrorKind.UNAVAILABLE, "database is away")
    async with asyncio.timeout(1):
        async with house.running():
            pass


async def test_once_a_sink_is_back_everything_that_waited_goes_out_at_once(
    house: House,
) -> None:
    house.sink.away = AWAY
    async with house.running():
        for i in range(20):
            await house.notify(f"n{i}", group=str(i))
        await house.clock.advance(3600)
        house.sink.away = None
        while not house.sink.taken:
            await house.clock.advance(1)
        await settle()
    assert len(told(house)) == 20
