"""The one Pulsar client of a process, and its producers."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

import pulsar
from pulsar import asyncio as pulsar_asyncio

from qvmon.adapters.pulsar.config import PulsarConfig
from qvmon.adapters.pulsar.results import error_of

_CLOSING_SECONDS = 10.0


class PulsarBus:
    """A cluster, connected to when first needed; no broker has to be there before.

    The client's own log goes nowhere: it is chatty, and what matters in it comes as results.

    Args:
        config: Which cluster, with what credentials.
    """

    def __init__(self, config: PulsarConfig) -> None:
        self._config = config
        self._client: Any = None
        self._producers: dict[str, Any] = {}
        self._opening: dict[str, asyncio.Task[Any]] = {}

    async def producer(self, topic: str) -> Any:
        """Return the open producer of ``topic``, opening it when there is none.

        Raises:
            QvmonError: UNAVAILABLE when the broker cannot be reached or refuses the credentials;
                INVALID for a topic name that cannot be.
        """
        if topic in self._producers:
            return self._producers[topic]
        if topic not in self._opening:  # whoever comes meanwhile shares the outcome
            self._opening[topic] = asyncio.create_task(self._open(topic), name=f"open {topic}")
            self._opening[topic].add_done_callback(partial(self._opened, topic))
        return await asyncio.shield(self._opening[topic])

    def _opened(self, topic: str, opening: asyncio.Task[Any]) -> None:
        self._opening.pop(topic, None)
        if not opening.cancelled() and opening.exception() is None:
            self._producers[topic] = opening.result()

    async def drop(self, topic: str, producer: Any) -> None:
        """Close a producer that can no longer be used; the next ``producer`` opens another."""
        if topic in self._producers and self._producers[topic] is producer:
            del self._producers[topic]
            await _ending(producer.close())

    async def stop(self) -> None:
        """Close every producer and the connection; unacknowledged messages fail."""
        for opening in self._opening.values():
            opening.cancel()
        if self._client is not None:
            self._producers.clear()
            await _ending(self._client.close())
            self._client = None

    async def _open(self, topic: str) -> Any:
        if self._client is None:
            self._client = _client(self._config)
        delay = self._config.batching_delay_seconds
        try:
            return await self._client.create_producer(
                topic,
                send_timeout_millis=int(self._config.send_timeout_seconds * 1000),
                batching_enabled=delay > 0,
                batching_max_publish_delay_ms=max(1, int(delay * 1000)),
                batching_type=pulsar.BatchingType.KeyBased,
            )
        except pulsar_asyncio.PulsarException as error:
            raise error_of(error, f"cannot open {topic}") from None


def _client(config: PulsarConfig) -> Any:
    token = config.token.get_secret_value()
    return pulsar_asyncio.Client(
        config.service_url,
        authentication=_authentication(config, token),
        operation_timeout_seconds=config.operation_timeout_seconds,
        connection_timeout_ms=int(config.connection_timeout_seconds * 1000),
        stats_interval_in_seconds=0,
        tls_trust_certs_file_path=config.ca_file or None,
        tls_validate_hostname=config.validates_hostname,
        tls_certificate_file_path=config.certificate_file or None,
        tls_private_key_file_path=config.private_key_file or None,
        logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull),
    )


def _authentication(config: PulsarConfig, token: str) -> Any:
    if token:
        return pulsar.AuthenticationToken(token)
    if config.certificate_file:
        return pulsar.AuthenticationTLS(config.certificate_file, config.private_key_file)
    return None


async def _ending(closing: Any) -> None:
    """Wait for something to close, but not for ever, and not minding that it is closed."""
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await closing
    except (TimeoutError, pulsar_asyncio.PulsarException):
        return
