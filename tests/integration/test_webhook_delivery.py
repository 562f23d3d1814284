"""Notifications out to a real HTTP server, as Alertmanager would send them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from qvmon.adapters.outbound import HttpOutbound
from qvmon.adapters.webhook import WebhookConfig, WebhookSink
from qvmon.model.clock import SystemClock, now_us
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
from qvmon.testing.ledger import MemoryLedger
from tests.servers.webhook import Answer, WebhookServer

QUICK = DeliveryPolicy(
    initial_backoff_seconds=0.05, max_backoff_seconds=0.2, circuit_open_seconds=0.05
)


class House:
    """The service with one webhook, on the machine's clock."""

    def __init__(self, server: WebhookServer, **config: object) -> None:
        self.clock = SystemClock()
        self.ledger = MemoryLedger(self.clock, PROJECTIONS)
        self.client = HttpOutbound()
        self.sink = WebhookSink(
            WebhookConfig.model_validate({"url": server.url, **config}), self.client
        )
        self.server = server

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        rendering = WebhookNotifications("oncall", "http://qvmon.example")
        outlet = Outlet("webhook:oncall", self.sink, rendering, QUICK)
        service = DistributionService(
            DistributionConfig(), [outlet], self.ledger, self.clock, Registry()
        )
        await service.start()
        try:
            yield
        finally:
            await service.stop()
            await self.client.close()

    async def notify(self, name: str) -> None:
        alert = NotifiedAlert(
            alert_id="a",
            status="firing",
            labels={"alertname": "HighLatency", "service": "router"},
            annotations={"summary": "slow"},
            starts_at_ms=1_700_000_000_120,
        )
        body = NotificationQueued(
            notification_id=name,
            receiver="oncall",
            group_key='{}:{service="router"}',
            group_labels={"service": "router"},
            status="firing",
            alerts=(alert,),
            obligations=(),
            reason="first",
        )
        draft = FactDraft(body, f"notification/{name}", "service:alerting", now_us(self.clock))
        await self.ledger.append([draft])

    async def settled(self, status: str, count: int = 1) -> list[Row]:
        """Return the deliveries once so many of them have that status."""
        async with asyncio.timeout(20):
            while True:
                rows = await self.ledger.rows("deliveries", {"status": status})
                if len(rows) >= count:
                    return rows
                await asyncio.sleep(0.01)


async def test_the_body_is_alertmanagers_and_the_receipt_names_the_answer(
    webhook_server: WebhookServer,
) -> None:
    house = House(webhook_server, bearer_token="s3cret", headers={"X-Team": "trading"})
    async with house.running():
        await house.notify("n1")
        [row] = await house.settled("succeeded")
    [request] = webhook_server.received
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["x-team"] == "trading"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-qvmon-delivery"] == row["delivery_id"]
    assert request.document["version"] == "4"
    assert request.document["alerts"][0]["startsAt"] == "2023-11-14T22:13:20.12Z"
    assert row["detail"] == "HTTP 200"
    assert row["started_at_us"] <= row["finished_at_us"]


async def test_a_server_error_is_tried_again_under_the_same_id(
    webhook_server: WebhookServer,
) -> None:
    webhook_server.will_answer(Answer(500), Answer(503))
    house = House(webhook_server)
    async with house.running():
        await house.notify("n1")
        [row] = await house.settled("succeeded")
    assert [each.status for each in webhook_server.received] == [500, 503, 200]
    assert len({each.headers["x-qvmon-delivery"] for each in webhook_server.received}) == 1
    assert row["attempts"] == 3


async def test_a_connection_dropped_after_the_request_makes_the_repeat_a_possible_one(
    webhook_server: WebhookServer,
) -> None:
    webhook_server.will_answer(Answer(drops=True))
    house = House(webhook_server)
    async with house.running():
        await house.notify("n1")
        [row] = await house.settled("succeeded")
    first, second = webhook_server.received
    assert "x-qvmon-possibly-repeated" not in first.headers
    assert second.headers["x-qvmon-possibly-repeated"] == "true"
    assert row["possibly_repeated"]


async def test_a_slow_server_is_a_timeout_and_tried_again(webhook_server: WebhookServer) -> None:
    webhook_server.will_answer(Answer(delay_seconds=1))
    house = House(webhook_server, timeout_seconds=0.2)
    async with house.running():
        await house.notify("n1")
        [row] = await house.settled("succeeded")
    assert row["possibly_repeated"]


async def test_a_refusal_is_dead_with_the_servers_words(webhook_server: WebhookServer) -> None:
    webhook_server.will_answer(Answer(400, body=b"unknown\nteam"))
    house = House(webhook_server)
    async with house.running():
        await house.notify("n1")
        await house.notify("n2")
        [row] = await house.settled("dead")
        await house.settled("succeeded")
    assert row["detail"] == "refused: HTTP 400: unknown team"
    assert len(webhook_server.received) == 2


async def test_a_server_that_asks_for_patience_gets_it(webhook_server: WebhookServer) -> None:
    webhook_server.will_answer(Answer(429, headers={"Retry-After": "1"}))
    house = House(webhook_server)
    async with house.running():
        await house.notify("n1")
        [row] = await house.settled("succeeded")
    [failed] = [fact for fact in house.ledger.facts if fact.type == "delivery.failed"]
    assert failed.body.retry_at_us - failed.body.finished_us == 1_000_000
    assert row["started_at_us"] >= failed.body.retry_at_us


async def test_what_was_told_while_the_server_was_away_arrives_in_order(
    webhook_server: WebhookServer,
) -> None:
    webhook_server.stop()
    house = House(webhook_server)
    async with house.running():
        for name in ("n1", "n2", "n3"):
            await house.notify(name)
        await house.settled("failed")
        webhook_server.start()
        rows = await house.settled("succeeded", 3)
    order = {row["delivery_id"]: row["source_id"] for row in rows}
    arrived = [order[each.headers["x-qvmon-delivery"]] for each in webhook_server.accepted]
    assert arrived == ["n1", "n2", "n3"]
    assert not any(row["possibly_repeated"] for row in rows)
