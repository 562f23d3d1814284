"""Connections kept for the next request to the same host."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from qvmon.adapters.outbound.config import OutboundConfig
from qvmon.adapters.outbound.connection import Connection
from qvmon.adapters.outbound.network import GuardedNetwork
from qvmon.adapters.outbound.place import Place
from qvmon.adapters.outbound.secure import tls_context
from qvmon.model.ports import TlsOptions

_Key = tuple[str, int, TlsOptions | None]


@dataclass(slots=True)
class _Host:
    """The connections to one host: idle ones with the time since when, the last used last."""

    places: asyncio.Semaphore
    idle: list[tuple[float, Connection]] = field(default_factory=list)
    busy: int = 0


class ConnectionPool:
    """Hands out connections and takes them back; none is open longer unused than allowed."""

    def __init__(self, config: OutboundConfig) -> None:
        self._config = config
        self._network = GuardedNetwork(config.egress)
        self._hosts: dict[_Key, _Host] = {}
        self._contexts: dict[TlsOptions, ssl.SSLContext] = {}
        self._sweep: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def connection(
        self, place: Place, tls: TlsOptions, *, fresh: bool = False
    ) -> AsyncIterator[Connection]:
        """Lend a connection, kept or (always with ``fresh``) new; it is kept if still usable.

        Raises:
            QvmonError: FORBIDDEN when policy refuses the host.
            NotConnectedError: It cannot be reached.
        """
        key = place.host, place.port, tls if place.secure else None
        host = self._hosts.get(key)
        if host is None:
            limit = asyncio.Semaphore(self._config.max_connections_per_host)
            host = self._hosts[key] = _Host(limit)
        host.busy += 1
        try:
            async with host.places:
                connection = (None if fresh else self._kept(host)) or await self._new(key)
                yield connection
                if connection.usable:
                    self._keep(host, connection)
        finally:
            host.busy -= 1

    def close(self) -> None:
        """Close every connection that waits for use."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for host in self._hosts.values():
            for _, connection in host.idle:
                connection.close()
        self._hosts.clear()

    @staticmethod
    def _kept(host: _Host) -> Connection | None:
        while host.idle:
            _, connection = host.idle.pop()
            if connection.usable:
                return connection
        return None

    async def _new(self, key: _Key) -> Connection:
        host, port, tls = key
        context = None if tls is None else self._context(tls)
        return await self._network.connect(host, port, context, tls.server_name if tls else "")

    def _keep(self, host: _Host, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        host.idle.append((loop.time(), connection))
        if self._sweep is None:
            self._sweep = loop.call_later(self._config.idle_seconds / 2, self._close_idle)

    def _close_idle(self) -> None:
        """Close what was not used for too long, and forget hosts without connections."""
        loop = asyncio.get_running_loop()
        before = loop.time() - self._config.idle_seconds
        for key, host in list(self._hosts.items()):
            for _, connection in (each for each in host.idle if each[0] < before):
                connection.close()
            host.idle = [each for each in host.idle if each[0] >= before and each[1].usable]
            if not host.idle and not host.busy:
                del self._hosts[key]
        self._sweep = None
        if self._hosts:
            self._sweep = loop.call_later(self._config.idle_seconds / 2, self._close_idle)

    def _context(self, tls: TlsOptions) -> ssl.SSLContext:
        if tls not in self._contexts:
            self._contexts[tls] = tls_context(tls)
        return self._contexts[tls]
