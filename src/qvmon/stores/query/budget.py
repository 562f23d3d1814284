"""What one query has cost so far, what it may cost, and whether anybody still waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.stores.query.limits import Bounds

SAMPLE_BYTES = 16
"""A time and a value."""

VALUE_BYTES = 9
"""A value at a step, and whether there is one."""

MARGIN = 1.25
"""By how much an estimate must exceed a limit before a query is refused unread."""

CANCELED = "query was canceled in expression evaluation"


class MemoryPool:
    """The memory that all queries together may take; for any thread.

    Args:
        limit_bytes: Beyond it queries are refused, except those that may not be.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._lock = Lock()
        self.taken = 0

    def take(self, amount: int, *, always: bool) -> None:
        """Take memory, or give it back where ``amount`` is negative.

        Raises:
            QvmonError: EXHAUSTED, when there is not so much left and it is not to be had always.
        """
        with self._lock:
            if amount > 0 and not always and self.taken + amount > self._limit:
                raise QvmonError(
                    ErrorKind.EXHAUSTED,
                    f"queries hold {self.taken:,} bytes, this one needs {amount:,} more, and "
                    f"{self._limit:,} are allowed to all (max_total_bytes): ask again later",
                )
            self.taken += amount


class Budget:
    """The ``Allowance`` of one query.

    Args:
        bounds: What it may cost.
        pool: Where its memory comes from.
        never_refused: Whether it gets memory though others hold too much (rules do).
    """

    def __init__(self, bounds: Bounds, pool: MemoryPool, *, never_refused: bool) -> None:
        self.bounds = bounds
        self.series = 0
        self.samples = 0
        self.bytes = 0
        self._pool = pool
        self._never_refused = never_refused
        self._lock = Lock()
        self._given_up = False
        self._threads = 0
        self._then: Callable[[], None] | None = None

    @property
    def urgent(self) -> bool:
        """Whether rules wait for it."""
        return self._never_refused

    # --- cost ------------------------------------------------------------------------------------

    def reading(self, series: int, samples: int) -> None:
        """Say what is about to be read.

        Raises:
            QvmonError: EXHAUSTED, when that is too much; TIMEOUT, when nobody waits.
        """
        self.check()
        with self._lock:
            self.series += series
            self.samples += samples
        self._require("series", self.series, self.bounds.series, about=True)
        self._require("samples", self.samples, self.bounds.samples, about=True)
        self.hold(self.samples * SAMPLE_BYTES)

    def has_read(self, series: int, samples: int, values: int) -> None:
        """Say what was read, in place of what was said before, and what is to be computed.

        Args:
            series: How many series.
            samples: Their samples.
            values: The values at all steps together.
        """
        self.check()
        self.series, self.samples = series, samples
        self._require("series", series, self.bounds.series)
        self._require("samples", samples, self.bounds.samples)
        self.computing(values)
        self.hold(samples * SAMPLE_BYTES + values * VALUE_BYTES)

    def computing(self, values: int) -> None:
        """Say how many values at all steps together are to be computed, at least."""
        self._require("samples", values, self.bounds.samples, "values at every step")

    def hold(self, amount: int) -> None:
        """Hold so many bytes in place of those held before.

        Raises:
            QvmonError: EXHAUSTED, when that is more than this query, or all, may have.
        """
        self._require("bytes", amount, self.bounds.bytes)
        with self._lock:
            self._pool.take(amount - self.bytes, always=self._never_refused)
            self.bytes = amount

    def move(self, pool: MemoryPool, amount: int) -> None:
        """Hold so many bytes of another pool in place of all that is held.

        Raises:
            QvmonError: EXHAUSTED, when that is more than this query, or all, may have.
        """
        self.release()
        self._pool = pool
        self.hold(amount)

    def _require(
        self, limit: str, count: int, allowed: int, what: str = "", *, about: bool = False
    ) -> None:
        if count > allowed * (MARGIN if about else 1):
            setting = f"{self.bounds.setting}{limit}"
            raise QvmonError(
                ErrorKind.EXHAUSTED,
                "query processing would load too many samples into memory in query execution: "
                f"{count:,} {what or limit}, and at most {allowed:,} are allowed ({setting})",
                limit=setting,
                needed=count,
                allowed=allowed,
            )

    # --- the end ---------------------------------------------------------------------------------

    def check(self) -> None:
        """Return while somebody waits for the answer."""
        if self._given_up:
            raise QvmonError(ErrorKind.TIMEOUT, CANCELED)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Mark the time for which a thread works for the query."""
        with self._lock:
            self._threads += 1
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._threads -= 1
                then = self._then if not self._threads else None
            if then is not None:
                then()

    def end(self, then: Callable[[], None]) -> bool:
        """Have every thread stop soon; return whether none is at work.

        Otherwise ``then`` is called once all have stopped, in the last one's thread.
        """
        with self._lock:
            self._given_up = True
            self._then = then if self._threads else None
            return not self._threads

    def release(self) -> None:
        """Give back all memory."""
        with self._lock:
            self._pool.take(-self.bytes, always=True)
            self.bytes = 0
