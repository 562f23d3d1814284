"""Publishes messages on one topic."""

from __future__ import annotations

from pulsar import Result
from pulsar.asyncio import PulsarException

from qvmon.adapters.pulsar.bus import PulsarBus
from qvmon.adapters.pulsar.results import STILL_USABLE, error_of
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.distribution import Message, Receipt

DELIVERY_PROPERTY = "qvmon-delivery"


class PulsarSink:
    """A topic as a sink.

    The message's key is the partition key, so that a subscription of type Key_Shared keeps each
    subject's order; the body is published as it is. The receipt holds the broker's message id.

    Args:
        bus: The process's client.
        topic: Full name, such as ``persistent://quantivista/monitoring/incidents``.
    """

    def __init__(self, bus: PulsarBus, topic: str) -> None:
        self._bus = bus
        self._topic = topic

    async def send(self, message: Message) -> Receipt:
        """Return once the broker has stored the message."""
        producer = await self._bus.producer(self._topic)
        try:
            stored = await producer.send(
                message.content.body.body,
                properties=_properties(message),
                partition_key=message.content.key,
                event_timestamp=message.occurred_at_us // 1000,
            )
        except PulsarException as error:
            if error.error() not in STILL_USABLE:
                await self._bus.drop(self._topic, producer)
            raise self._failure(error) from None
        return Receipt(f"{stored.ledger_id()}:{stored.entry_id()}:{stored.batch_index()}")

    def _failure(self, error: PulsarException) -> QvmonError:
        if error.error() == Result.Timeout:
            return QvmonError(ErrorKind.TIMEOUT, f"{self._topic} did not acknowledge in time")
        return error_of(error, f"cannot publish on {self._topic}")


def _properties(message: Message) -> dict[str, str]:
    properties = {
        "content-type": message.content.body.media_type,
        DELIVERY_PROPERTY: message.delivery_id,
    }
    if message.traceparent:
        properties["traceparent"] = message.traceparent
    if message.possibly_repeated:
        properties["qvmon-possibly-repeated"] = "true"
    return properties
