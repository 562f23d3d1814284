"""What every sink promises: one suite for the fake and for all that are real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from qvmon.adapters.outbound import HttpOutbound
from qvmon.adapters.pulsar import PulsarBus, PulsarConfig, PulsarSink
from qvmon.adapters.smtp import SmtpConfig, SmtpSink
from qvmon.adapters.webhook import WebhookConfig, WebhookSink
from qvmon.model.clock import SystemClock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.distribution import Content, Message, Part, Sink
from qvmon.testing.sink import MemorySink
from tests.servers import free_port
from tests.servers.pulsar import PulsarBroker
from tests.servers.smtp import SmtpServer
from tests.servers.webhook import Answer, WebhookServer

TRANSIENT = {ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.EXHAUSTED}
TEXT = "p99 is 1.2 s — “slow”"


@dataclass
class Arrival:
    """One message as its receiver saw it."""

    delivery_id: str
    body: str
    possibly_repeated: bool


@dataclass
class Bench:
    """A sink under test and its counterpart.

    Attributes:
        sink: In working order.
        absent: The same kind of sink whose counterpart is not there.
        refused: Gives a message that the counterpart will refuse for good.
        arrivals: What came out at the other end, in order.
    """

    sink: Sink
    absent: Sink
    refused: Callable[[], Message]
    arrivals: Callable[[int], list[Arrival]]


def message(name: str, *, repeated: bool = False, text: str = TEXT) -> Message:
    parts = (Part("text/plain", text.encode()),)
    content = Content(f"source {name}", "key", f"title {name}\r\nBcc: x@y.example", parts)
    return Message(f"delivery-{name}", content, 1_700_000_000_000_000, possibly_repeated=repeated)


@asynccontextmanager
async def memory(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    sink = MemorySink()
    refusal = QvmonError(ErrorKind.INVALID, "no")

    def arrivals(count: int) -> list[Arrival]:
        return [
            Arrival(each.delivery_id, each.content.body.body.decode(), each.possibly_repeated)
            for each in sink.taken
        ]

    def refused() -> Message:
        sink.will_answer(refusal)
        return message("bad")

    absent = MemorySink()
    absent.away = QvmonError(ErrorKind.UNAVAILABLE, "away")
    yield Bench(sink, absent, refused, arrivals)


@asynccontextmanager
async def webhook(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    server: WebhookServer = request.getfixturevalue("webhook_server")
    client = HttpOutbound()

    def arrivals(count: int) -> list[Arrival]:
        return [
            Arrival(
                each.headers["x-qvmon-delivery"],
                each.body.decode(),
                each.headers.get("x-qvmon-possibly-repeated") == "true",
            )
            for each in server.wait_for(count)
        ]

    def refused() -> Message:
        server.will_answer(Answer(400))
        return message("bad")

    yield Bench(
        WebhookSink(WebhookConfig(url=server.url), client),
        WebhookSink(WebhookConfig(url=f"http://127.0.0.1:{free_port()}/"), client),
        refused,
        arrivals,
    )
    await client.close()


@asynccontextmanager
async def smtp(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    server: SmtpServer = request.getfixturevalue("smtp_server")
    config = SmtpConfig(
        host="127.0.0.1",
        port=server.port,
        security="none",
        sender="qvmon@example.com",
        recipients=("ada@example.com",),
    )

    def arrivals(count: int) -> list[Arrival]:
        return [
            Arrival(
                each.message["X-Qvmon-Delivery"],
                each.part("text/plain").strip(),
                each.message["X-Qvmon-Possibly-Repeated"] == "true",
            )
            for each in server.wait_for(count)
        ]

    def refused() -> Message:
        server.will_reply("554 no")
        return message("bad")

    yield Bench(
        SmtpSink(config, SystemClock()),
        SmtpSink(config.model_copy(update={"port": free_port()}), SystemClock()),
        refused,
        arrivals,
    )


@asynccontextmanager
async def pulsar(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    broker: PulsarBroker = request.getfixturevalue("pulsar_broker")
    topic = f"persistent://quantivista/monitoring/{request.node.name.partition('[')[0]}"
    bus = PulsarBus(PulsarConfig(service_url=broker.service_url))
    nowhere = PulsarBus(
        PulsarConfig(service_url=f"pulsar://127.0.0.1:{free_port()}", operation_timeout_seconds=1)
    )

    def arrivals(count: int) -> list[Arrival]:
        return [
            Arrival(
                each.properties()["qvmon-delivery"],
                each.data().decode(),
                each.properties().get("qvmon-possibly-repeated") == "true",
            )
            for each in broker.read(topic, count)
        ]

    def refused() -> Message:
        return message("bad", text="x" * 6_000_000)  # a broker takes 5 MiB

    yield Bench(PulsarSink(bus, topic), PulsarSink(nowhere, topic), refused, arrivals)
    await bus.stop()
    await nowhere.stop()


SINKS = [
    pytest.param(memory, id="memory"),
    pytest.param(webhook, id="webhook"),
    pytest.param(smtp, id="smtp"),
    pytest.param(pulsar, id="pulsar", marks=pytest.mark.server("pulsar")),
]


@pytest.fixture(params=SINKS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with request.param(request) as built:
        yield built


async def seen(bench: Bench, count: int) -> list[Arrival]:
    return await asyncio.to_thread(bench.arrivals, count)


async def test_a_receipt_means_that_the_message_arrived_whole(bench: Bench) -> None:
    receipt = await bench.sink.send(message("a"))
    assert receipt.detail
    [arrival] = await seen(bench, 1)
    assert arrival == Arrival("delivery-a", TEXT, possibly_repeated=False)


async def test_messages_sent_one_after_the_other_arrive_in_order(bench: Bench) -> None:
    names = [f"m{i}" for i in range(5)]
    for name in names:
        await bench.sink.send(message(name))
    assert [each.delivery_id for each in await seen(bench, 5)] == [f"delivery-{n}" for n in names]


async def test_a_repeat_carries_the_same_id_and_says_that_it_may_be_one(bench: Bench) -> None:
    await bench.sink.send(message("a"))
    await bench.sink.send(message("a", repeated=True))
    assert [(e.delivery_id, e.possibly_repeated) for e in await seen(bench, 2)] == [
        ("delivery-a", False),
        ("delivery-a", True),
    ]


async def test_messages_sent_at_once_all_arrive(bench: Bench) -> None:
    await asyncio.gather(*(bench.sink.send(message(f"m{i}")) for i in range(8)))
    assert {each.delivery_id for each in await seen(bench, 8)} == {
        f"delivery-m{i}" for i in range(8)
    }


async def test_a_counterpart_that_is_not_there_is_worth_another_attempt(bench: Bench) -> None:
    with pytest.raises(QvmonError) as caught:
        await bench.absent.send(message("a"))
    assert caught.value.kind in TRANSIENT
    assert not caught.value.context.get("maybe_arrived")


async def test_a_refusal_is_not_worth_another_attempt_and_harms_no_other_message(
    bench: Bench,
) -> None:
    bad = bench.refused()
    with pytest.raises(QvmonError) as caught:
        await bench.sink.send(bad)
    assert caught.value.kind not in TRANSIENT
    await bench.sink.send(message("good"))
    assert [each.delivery_id for each in await seen(bench, 1)] == ["delivery-good"]
