"""Carries facts to one sink: follows the ledger, keeps order by key, retries, writes receipts."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import DeliveryRedriven, FactDraft
from qvmon.model.ledger import Consumed, Ledger, Page
from qvmon.model.metrics import Registry
from qvmon.services.distribution import metrics, receipts
from qvmon.services.distribution.delivery import (
    Action,
    Attempt,
    Decision,
    Outcome,
    Progress,
    decide,
    is_too_old,
)
from qvmon.services.distribution.gate import Gate
from qvmon.services.distribution.job import Intake, Job
from qvmon.services.distribution.journal import Journal
from qvmon.services.distribution.outlet import Outlet
from qvmon.services.distribution.ports import Jitter

log = structlog.get_logger("qvmon.distribution")


@dataclass(slots=True)
class _Batch:
    """A page under way: the cursor moves past it once nothing of it is left."""

    consumed: Consumed
    left: int


class _Turn:
    """One job under way.

    Attributes:
        job: What to deliver.
        batch: The page it came with.
        is_marked: Whether the ledger knows that a first attempt was about to be made.
        is_over: Set when the message is delivered or dead.
    """

    def __init__(self, job: Job, batch: _Batch) -> None:
        self.job = job
        self.batch = batch
        self.is_marked = job.is_marked
        self.is_over = asyncio.Event()


class Courier:
    """The queue of one outlet.

    The queue is the ledger itself: pages are read as long as fewer than ``max_pending`` messages
    are unfinished, and the cursor moves past a page once all of it is delivered or dead. Messages
    with one key are sent one after the other, others side by side.

    Args:
        outlet: The sink and what goes there.
        ledger: Facts, cursor and ``deliveries``.
        clock: Tells when attempts are due.
        jitter: Spreads retries.
        registry: Takes the metrics.
    """

    def __init__(
        self, outlet: Outlet, ledger: Ledger, clock: Clock, jitter: Jitter, registry: Registry
    ) -> None:
        self._outlet = outlet
        self._policy = outlet.policy
        self._ledger = ledger
        self._clock = clock
        self._jitter = jitter
        self._intake = Intake(outlet, ledger)
        self._attempts = registry.family(metrics.ATTEMPTS)
        self._attempt_seconds = registry.distribution(metrics.ATTEMPT_SECONDS, outlet.name)
        self._delivery_seconds = registry.distribution(metrics.DELIVERY_SECONDS, outlet.name)
        self._repeated = registry.value(metrics.REPEATED, outlet.name)
        self._failures = registry.family(metrics.FAILURES)
        self._pending = registry.value(metrics.PENDING, outlet.name)
        self._circuit_open = registry.value(metrics.CIRCUIT_OPEN, outlet.name)
        self._is_stopping = False
        self._begin()

    def _begin(self) -> None:
        """Start from what the ledger knows."""
        self._journal = Journal(self._ledger)
        self._gate = Gate(self._outlet.name, self._policy, self._clock)
        self._room = asyncio.Semaphore(self._policy.max_pending)
        self._batches: deque[_Batch] = deque()
        self._last_of_key: dict[str, asyncio.Event] = {}
        self._interruptible: set[asyncio.Future[None]] = set()
        self._pending.set(0)

    async def run(self, retry_seconds: float) -> None:
        """Deliver until the ledger closes, beginning again whatever happens."""
        while not self._is_stopping:
            try:
                await self._follow()
            except* QvmonError as errors:
                error = _first(errors)
                self._failures.value(self._outlet.name, error.kind.value).add()
                log.warning("delivery waits", sink=self._outlet.name, error=error.message)
            except* Exception:
                self._failures.value(self._outlet.name, ErrorKind.INTERNAL.value).add()
                log.exception("delivery failed", sink=self._outlet.name)
            else:
                return
            await self._rest(retry_seconds)
            self._begin()

    def stop(self) -> None:
        """Begin nothing more; ``run`` ends once the attempts under way have their receipts."""
        self._is_stopping = True
        for task in self._interruptible:
            task.cancel()

    async def _rest(self, seconds: float) -> None:
        if not self._is_stopping:
            rest = asyncio.ensure_future(self._clock.sleep(seconds))
            self._interruptible.add(rest)
            await asyncio.wait([rest])

    async def _follow(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._interruptible.add(tasks.create_task(self._read(tasks)))

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        types = self._outlet.rendering.types | {DeliveryRedriven.TYPE}
        async for page in self._ledger.follow(self._outlet.consumer, types):
            await self._take(page, tasks)

    async def _take(self, page: Page, tasks: asyncio.TaskGroup) -> None:
        jobs = await self._intake.jobs(page.facts)
        batch = _Batch(page.consumed, len(jobs))
        self._batches.append(batch)
        for job in jobs:
            await self._room.acquire()
            self._pending.add()
            before, turn = self._last_of_key.get(job.content.key), _Turn(job, batch)
            self._last_of_key[job.content.key] = turn.is_over
            task = tasks.create_task(self._carry(turn, before))
            self._interruptible.add(task)
            task.add_done_callback(self._interruptible.discard)
        if not jobs:
            await self._journal.record([], self._finished_pages())

    async def _carry(self, turn: _Turn, before: asyncio.Event | None) -> None:
        """Try until a message is delivered or dead, after the message before it with its key."""
        if before is not None:
            await before.wait()
        job = turn.job
        progress: Progress | None = job.progress(self._now())
        while progress is not None and not self._is_stopping:
            await self._gate.pause((progress.due_us - self._now()) / 1e6)
            progress = await self._try(turn, progress)
        if self._last_of_key.get(job.content.key) is turn.is_over:
            del self._last_of_key[job.content.key]
        self._pending.add(-1)
        self._room.release()

    async def _try(self, turn: _Turn, progress: Progress) -> Progress | None:
        """Make one attempt; return the progress when another is due, None at the end."""
        job = turn.job
        async with self._gate.in_flight:
            is_timely = await self._gate.pass_through(partial(self._is_timely, progress))
            with self._undisturbed():
                if not turn.is_marked:
                    await self._journal.record([receipts.marker(job, self._outlet, self._now())])
                    turn.is_marked = True
                if not is_timely:
                    end = receipts.expired(job, self._outlet, progress, self._now())
                    return await self._finish(turn, end)
                attempt = await self._attempt(job, progress)
                decision = decide(progress, attempt, self._policy, self._jitter.random())
                self._measure(job, decision, attempt)
                receipt = receipts.receipt(job, self._outlet, decision, attempt)
                if decision.action is not Action.RETRY:
                    return await self._finish(turn, receipt)
                if decision.is_reported or self._is_stopping:
                    await self._journal.record([receipt])
        return decision.progress

    async def _finish(self, turn: _Turn, end: FactDraft) -> Progress | None:
        """Record a message's end; the next one with its key begins meanwhile.

        The journal keeps order, so that this end is durable before the next attempt is made.
        """
        turn.batch.left -= 1
        turn.is_over.set()
        await self._journal.record([end], self._finished_pages())
        return None

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Keep ``stop`` from interrupting: an attempt without a receipt would be repeated."""
        task = asyncio.current_task()
        assert task  # noqa: S101 - only tasks come here
        self._interruptible.discard(task)
        try:
            yield
        finally:
            self._interruptible.add(task)

    def _finished_pages(self) -> Consumed | None:
        """Return how far the cursor may move, or None for no further."""
        consumed = None
        while self._batches and self._batches[0].left == 0:
            consumed = self._batches.popleft().consumed
        return consumed

    async def _attempt(self, job: Job, progress: Progress) -> Attempt:
        started = self._now()
        try:
            receipt = await self._outlet.sink.send(job.message(progress))
        except QvmonError as error:
            outcome = Outcome.of_error(error)
        except Exception as error:
            log.exception("sink failed unexpectedly", sink=self._outlet.name)
            outcome = Outcome(f"defect: {error!r}", ErrorKind.INTERNAL, maybe_arrived=True)
        else:
            outcome = Outcome(receipt.detail)
        self._gate.learn(outcome)
        self._circuit_open.set(float(self._gate.is_open))
        return Attempt(outcome, started, self._now())

    def _measure(self, job: Job, decision: Decision, attempt: Attempt) -> None:
        self._attempts.value(self._outlet.name, decision.action.value).add()
        self._attempt_seconds.observe((attempt.finished_us - attempt.started_us) / 1e6)
        if decision.action is Action.SUCCEED:
            self._delivery_seconds.observe(max(0, attempt.finished_us - job.fact.recorded_at) / 1e6)
            self._repeated.add(decision.progress.maybe_arrived)

    def _is_timely(self, progress: Progress) -> bool:
        return not is_too_old(progress, self._now(), self._policy)

    def _now(self) -> int:
        return now_us(self._clock)


def _first(errors: BaseExceptionGroup[QvmonError]) -> QvmonError:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
