"""What the door that takes samples needs; it opens before the rest that the API needs is there."""

from __future__ import annotations

from typing import Protocol

from qvmon.model.access import Principal
from qvmon.model.ports import AppendResult
from qvmon.wire.remote_write import WriteRequest


class Ingest(Protocol):
    """Takes remote-write requests; the collection service."""

    async def decode(self, body: bytes, content_encoding: str, max_bytes: int, /) -> WriteRequest:
        """Return what a request says.

        Raises:
            QvmonError: INVALID for what is no request, EXHAUSTED when it is more than
                ``max_bytes``, UNSUPPORTED for another encoding.
        """
        ...

    async def receive(self, principal: Principal, request: WriteRequest, /) -> AppendResult:
        """Return once every accepted sample would survive a crash."""
        ...
