"""Posts a message's body to an address."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from qvmon.adapters.webhook.config import WebhookConfig
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.ports import OutboundClient, OutboundRequest, OutboundResponse, TlsOptions
from qvmon.services.distribution import Message, Receipt

DELIVERY_HEADER = "X-Qvmon-Delivery"
ATTEMPT_HEADER = "X-Qvmon-Attempt"
REPEATED_HEADER = "X-Qvmon-Possibly-Repeated"

_MAX_ANSWER_BYTES = 1 << 20
_SHOWN_ANSWER_CHARACTERS = 200
_KINDS = {
    401: ErrorKind.UNAUTHENTICATED,
    403: ErrorKind.FORBIDDEN,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.TIMEOUT,
    410: ErrorKind.NOT_FOUND,
    429: ErrorKind.EXHAUSTED,
}


class WebhookSink:
    """A webhook as a sink.

    A 2xx is the receipt. 408, 429 and 5xx ask for another attempt, after ``Retry-After`` where it
    is given in seconds; every other answer is a refusal. Repeats have one ``X-Qvmon-Delivery``.

    Args:
        config: Where to and with what credentials.
        client: The door through which HTTP leaves.
    """

    def __init__(self, config: WebhookConfig, client: OutboundClient) -> None:
        self._config = config
        self._client = client
        self._tls = TlsOptions(
            ca_file=config.ca_file,
            cert_file=config.certificate_file,
            key_file=config.private_key_file,
        )

    async def send(self, message: Message) -> Receipt:
        """Return once the address answered 2xx."""
        request = OutboundRequest(
            method="POST",
            url=self._config.url,
            headers=dict(self._headers(message)),
            body=message.content.body.body,
            timeout_seconds=self._config.timeout_seconds,
            max_response_bytes=_MAX_ANSWER_BYTES,
            tls=self._tls,
        )
        response = await self._client.send(request)
        if 200 <= response.status < 300:
            return Receipt(f"HTTP {response.status}")
        raise _refusal(response)

    def _headers(self, message: Message) -> Iterator[tuple[str, str]]:
        yield from self._config.headers.items()
        yield "Content-Type", message.content.body.media_type
        yield DELIVERY_HEADER, message.delivery_id
        yield ATTEMPT_HEADER, str(message.attempt)
        if message.possibly_repeated:
            yield REPEATED_HEADER, "true"
        if message.traceparent:
            yield "traceparent", message.traceparent
        if token := self._config.bearer_token.get_secret_value():
            yield "Authorization", f"Bearer {token}"
        elif self._config.username:
            pair = f"{self._config.username}:{self._config.password.get_secret_value()}"
            yield "Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"


def _refusal(response: OutboundResponse) -> QvmonError:
    kind = _KINDS.get(response.status)
    if kind is None:
        kind = ErrorKind.UNAVAILABLE if response.status >= 500 else ErrorKind.INVALID
    answer = response.body[: 4 * _SHOWN_ANSWER_CHARACTERS].decode("utf-8", "replace")
    shown = " ".join(answer.split())[:_SHOWN_ANSWER_CHARACTERS]
    return QvmonError(
        kind,
        f"HTTP {response.status}" + (f": {shown}" if shown else ""),
        status=response.status,
        retry_after_seconds=_retry_after_seconds(response),
        maybe_arrived=response.status == 408 or response.status >= 500,
    )


def _retry_after_seconds(response: OutboundResponse) -> float:
    """Return the seconds of ``Retry-After``; its form as a date is not heeded."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() else 0.0
