"""The HTTP server: uvicorn inside the program's own event loop, under its start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from qvmon.api.config import ApiConfig
from qvmon.api.door import Door
from qvmon.model.errors import ErrorKind, QvmonError

_BACKLOG = 2048
_TICK_SECONDS = 1.0


class ApiServer:
    """Serves an application until it is stopped.

    Args:
        app: What ``create_app`` made, or a door to it.
        config: Address, TLS and limits.
    """

    def __init__(self, app: FastAPI | Door, config: ApiConfig) -> None:
        self._app = app
        self._config = config
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._address = ("", 0)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on, once started."""
        return self._address

    @property
    def url(self) -> str:
        """Where browsers find it, once started."""
        host, port = self._address
        scheme = "http" if self._config.tls is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    async def start(self) -> None:
        """Return once the server listens.

        Raises:
            QvmonError: UNAVAILABLE when the address cannot be had; INVALID for unusable TLS files.
        """
        listening = _listen(self._config.host, self._config.port)
        self._address = listening.getsockname()[:2]
        try:
            self._server = _Server(self._settings())
        except (OSError, ValueError) as error:
            listening.close()
            raise QvmonError(ErrorKind.INVALID, f"TLS files cannot be used: {error}") from None
        self._serving = asyncio.create_task(
            self._server.serve(sockets=[listening]), name="api server"
        )
        await self._server.listening.wait()

    async def stop(self) -> None:
        """Take no new request, and return once those under way have been answered or cut off."""
        if self._server is None or self._serving is None:
            return
        self._app.state.close_streams()
        self._server.end()
        await self._serving
        self._server = self._serving = None

    def _settings(self) -> uvicorn.Config:
        tls = self._config.tls
        settings = uvicorn.Config(
            self._app,
            loop="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            limit_concurrency=self._config.concurrent_requests,
            server_header=False,
            date_header=True,
            backlog=_BACKLOG,
            h11_max_incomplete_event_size=self._config.header_bytes,
            timeout_keep_alive=self._config.keep_alive_seconds,
            timeout_graceful_shutdown=self._config.shutdown_seconds,
            ssl_certfile=None if tls is None else str(tls.certificate_file),
            ssl_keyfile=None if tls is None else str(tls.key_file),
        )
        settings.load()
        return settings


class _Server(uvicorn.Server):
    """Uvicorn's server, leaving signals to the program and waking once a second, not ten times."""

    def __init__(self, settings: uvicorn.Config) -> None:
        super().__init__(settings)
        self.listening = asyncio.Event()
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Let ``serve`` come to its end."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # whose only work is the date in answers
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _TICK_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise QvmonError(
            ErrorKind.UNAVAILABLE, f"cannot listen on {host}:{port}: {error.strerror or error}"
        ) from None
    listening.setblocking(False)
    return listening
