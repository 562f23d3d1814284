"""Connecting only to addresses that the policy lets through."""

from __future__ import annotations

import asyncio
import socket
import ssl
from ipaddress import ip_address

from qvmon.adapters.outbound.config import EgressPolicy
from qvmon.adapters.outbound.connection import Connection
from qvmon.model.errors import ErrorKind, QvmonError


class NotConnectedError(Exception):
    """No connection came about; the cause says why."""


class GuardedNetwork:
    """Resolves a host, asks the policy about each address, and connects to those that pass."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy

    async def connect(
        self, host: str, port: int, context: ssl.SSLContext | None, server_name: str = ""
    ) -> Connection:
        """Return a connection to the first address of ``host`` that answers.

        Args:
            host: A name or an address.
            port: Where it listens.
            context: How to speak TLS; none for plain text.
            server_name: The name that its certificate must bear, where that is not ``host``.

        Raises:
            QvmonError: FORBIDDEN when the policy lets none of the addresses through.
            NotConnectedError: None of the others answered.
        """
        failure: Exception | None = None
        loop = asyncio.get_running_loop()
        name = (server_name or host) if context else None
        for address in await self._allowed(host, port):
            try:
                _, connection = await loop.create_connection(
                    Connection, address, port, ssl=context, server_hostname=name
                )
            except (OSError, ssl.SSLError, UnicodeError) as error:
                failure = error
            else:
                return connection
        raise NotConnectedError(str(failure) or "no address") from failure

    async def _allowed(self, host: str, port: int) -> list[str]:
        addresses = await _resolved(host, port)
        objections = [self._policy.objection(host, address) for address in addresses]
        allowed = [a for a, objection in zip(addresses, objections, strict=True) if not objection]
        if not allowed:
            raise QvmonError(ErrorKind.FORBIDDEN, objections[0], host=host)
        return allowed


async def _resolved(host: str, port: int) -> list[str]:
    if _is_address(host):
        return [host]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NotConnectedError("no such host") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
