"""Connecting only to addresses that the policy lets through."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import ip_address

import httpcore

from qvmon.adapters.outbound.config import EgressPolicy
from qvmon.model.errors import ErrorKind, QvmonError

SocketOptions = Iterable[
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
]


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a host, asks the policy about each address, and connects to those that pass."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to the first address of ``host`` that answers.

        Raises:
            QvmonError: FORBIDDEN when the policy lets none of the addresses through.
        """
        failure: Exception | None = None
        for address in await self._allowed(host, port):
            try:
                return await self._plain.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109, ARG002 - the signature is httpcore's
        socket_options: SocketOptions | None = None,  # noqa: ARG002 - likewise
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: nothing leaves by a socket file."""
        raise QvmonError(ErrorKind.FORBIDDEN, f"egress policy denies socket {path}")

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        await self._plain.sleep(seconds)

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
        raise httpcore.ConnectError("no such host") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
