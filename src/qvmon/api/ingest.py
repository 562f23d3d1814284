"""What the door that takes samples needs; it opens before the rest that the API needs is there."""

from __future__ import annotations

from typing import Protocol

from qvmon.model.access import Principal
from qvmon.model.ports import AppendResult
from qvmon.services.collection import SenderStatus
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

    async def receive(
        self, principal: Principal, request: WriteRequest, sender: str, /
    ) -> AppendResult:
        """Return once every accepted sample of ``sender`` would survive a crash.

        Raises:
            QvmonError: EXHAUSTED with ``retry_after_seconds`` when the sender sends more than it
                may: nothing was stored.
        """
        ...

    def senders(self) -> list[SenderStatus]:
        """Return what became of what each sender sent since the process began."""
        ...
