"""One kept connection: a request goes out, its answer comes back, then the next one may go."""

from __future__ import annotations

import asyncio
from typing import cast

from qvmon.adapters.outbound.answer import Answer


class BrokenOffError(Exception):
    """A connection ended before an answer was whole.

    Args:
        begun: Whether any of the answer had come.
        sent: Whether any of the request may have gone.
    """

    def __init__(self, *, begun: bool, sent: bool = True) -> None:
        super().__init__("unexpected EOF" if begun else "EOF")
        self.begun, self.sent = begun, sent


class Connection(asyncio.BufferedProtocol):
    """A connection to one host; one exchange at a time."""

    def __init__(self) -> None:
        self.used = False
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._whole: asyncio.Future[Answer] | None = None
        self._open = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._scrap = bytearray(1)

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._open and self._answer is None

    async def exchange(self, head: bytes, body: bytes, answer: Answer) -> Answer:
        """Send a request and return ``answer``, whole.

        Raises:
            BrokenOffError: The connection ended first.
            MalformedError: The other side does not speak HTTP.
            QvmonError: EXHAUSTED, when the body is larger than allowed.
        """
        if self._transport is None or not self.usable:
            raise BrokenOffError(begun=False, sent=False)
        self._answer = answer
        self._whole = asyncio.get_running_loop().create_future()
        try:
            self._transport.write(head)
            if body:
                await self._write(self._transport, body)
            await self._whole
        finally:
            self._answer = self._whole = None
            if not (answer.done and answer.keep):
                self.close()
        self.used = True
        return answer

    async def _write(self, transport: asyncio.Transport, body: bytes) -> None:
        transport.write(body)
        await self._writable.wait()

    def close(self) -> None:
        """Let go of the connection at once."""
        self._open = False
        if self._transport is not None:
            self._transport.abort()

    # --- what the event loop calls ----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport, self._open = cast("asyncio.Transport", transport), True

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Return where bytes go."""
        return memoryview(self._scrap) if self._answer is None else self._answer.room()

    def buffer_updated(self, nbytes: int) -> None:
        """Take bytes."""
        if self._answer is None:  # nobody asked: whatever it is, the next answer would be wrong
            self.close()
            return
        try:
            self._answer.came(nbytes)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the answer
            self._fail(error)
            return
        if self._answer.done:
            self._finish(self._answer)

    def eof_received(self) -> bool:
        """Note that nothing more will come."""
        self._lost(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self._writable.set()
        self._lost(exc)

    def pause_writing(self) -> None:
        """Wait before sending more."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on sending."""
        self._writable.set()

    def _lost(self, error: Exception | None) -> None:
        self._open = False
        if self._answer is None:
            return
        if self._answer.ended():
            self._finish(self._answer)
            return
        broken = BrokenOffError(begun=self._answer.begun)
        broken.__cause__ = error
        self._fail(broken)

    def _finish(self, answer: Answer) -> None:
        if self._whole is not None and not self._whole.done():
            self._whole.set_result(answer)

    def _fail(self, error: Exception) -> None:
        if self._whole is not None and not self._whole.done():
            self._whole.set_exception(error)
        self.close()
