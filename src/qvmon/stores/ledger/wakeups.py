"""Waking consumers: at once inside the process, by notification across processes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import sqlalchemy as sa

from qvmon.stores.ledger.writer import NOTIFY_CHANNEL


class Wakeups:
    """Tells every waiting consumer of one event loop that there may be new facts."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Event] = set()

    @contextmanager
    def waiter(self) -> Iterator[asyncio.Event]:
        """Register an event that is set at each wake-up."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)

    def wake(self) -> None:
        """Wake every waiter; callable from any thread."""
        with suppress(RuntimeError):  # the loop has closed, and with it everybody's waiting
            self._loop.call_soon_threadsafe(self._set_all)

    def _set_all(self) -> None:
        for event in self._waiting:
            event.set()


class PostgresListener:
    """A thread that turns PostgreSQL notifications of other processes into wake-ups.

    Args:
        url: The database's address.
        wakeups: Whom to wake.
        retry_seconds: How long to wait before connecting again.
    """

    def __init__(self, url: sa.URL, wakeups: Wakeups, retry_seconds: float) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._wakeups = wakeups
        self._retry_seconds = retry_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except psycopg.OperationalError:
                self._stopped.wait(self._retry_seconds)

    def _listen(self) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
            self._wakeups.wake()  # something may have been appended while nobody listened
            while not self._stopped.is_set():
                for _ in connection.notifies(timeout=0.5, stop_after=1):
                    self._wakeups.wake()
