"""What a webhook's answers mean, and what it is sent."""

from __future__ import annotations

import base64

import pytest

from qvmon.adapters.webhook import WebhookConfig, WebhookSink
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.ports import OutboundRequest, OutboundResponse
from qvmon.services.distribution import Content, Message, Part

MESSAGE = Message(
    "d1",
    Content("n1", "k", "t", (Part("text/plain", b"poor"), Part("application/json", b"{}"))),
    0,
    attempt=3,
    traceparent="00-a-b-01",
)


class Client:
    """Answers one status and keeps the request."""

    def __init__(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.response = OutboundResponse(status, headers, body)
        self.requests: list[OutboundRequest] = []

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        self.requests.append(request)
        return self.response


async def refusal(client: Client) -> QvmonError:
    sink = WebhookSink(WebhookConfig(url="http://x/"), client)
    with pytest.raises(QvmonError) as caught:
        await sink.send(MESSAGE)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ErrorKind.INVALID),
        (400, ErrorKind.INVALID),
        (401, ErrorKind.UNAUTHENTICATED),
        (403, ErrorKind.FORBIDDEN),
        (404, ErrorKind.NOT_FOUND),
        (408, ErrorKind.TIMEOUT),
        (410, ErrorKind.NOT_FOUND),
        (422, ErrorKind.INVALID),
        (429, ErrorKind.EXHAUSTED),
        (500, ErrorKind.UNAVAILABLE),
        (503, ErrorKind.UNAVAILABLE),
    ],
)
async def test_every_status_but_2xx_is_an_error_of_the_right_kind(
    status: int, kind: ErrorKind
) -> None:
    assert (await refusal(Client(status))).kind is kind


@pytest.mark.parametrize("status", [200, 202, 204, 299])
async def test_any_2xx_is_a_receipt(status: int) -> None:
    sink = WebhookSink(WebhookConfig(url="http://x/"), Client(status))
    assert (await sink.send(MESSAGE)).detail == f"HTTP {status}"


async def test_a_long_answer_is_quoted_in_part_and_on_one_line() -> None:
    error = await refusal(Client(400, b"line\n" * 10_000))
    assert "\n" not in error.message
    assert len(error.message) < 250


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("-1", 0.0)],
)
async def test_retry_after_is_heeded_in_seconds(value: str, seconds: float) -> None:
    error = await refusal(Client(503, **{"Retry-After": value}))
    assert error.context["retry_after_seconds"] == seconds


async def test_the_richest_part_is_posted_under_the_delivery_id() -> None:
    client = Client(200)
    config = WebhookConfig(url="http://x/", username="u", password="p", headers={"X-A": "1"})
    await WebhookSink(config, client).send(MESSAGE)
    [request] = client.requests
    assert (request.method, request.url, request.body) == ("POST", "http://x/", b"{}")
    assert request.headers == {
        "X-A": "1",
        "Content-Type": "application/json",
        "X-Qvmon-Delivery": "d1",
        "X-Qvmon-Attempt": "3",
        "traceparent": "00-a-b-01",
        "Authorization": "Basic " + base64.b64encode(b"u:p").decode(),
    }


def test_a_secret_is_not_shown() -> None:
    config = WebhookConfig(url="http://x/", bearer_token="hunter2")
    assert "hunter2" not in repr(config)
