"""The parent's side of child processes: starts them, hands them tasks, buries them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock, Timer

import structlog

from qvmon.model.clock import Clock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.stores.analysis import metrics
from qvmon.stores.analysis.child import Child
from qvmon.stores.analysis.config import AnalysisConfig
from qvmon.stores.analysis.messages import Done, Failed, MergeBlocks, Reply, Task
from qvmon.tsdb.block.samples import DamagedBlockError
from qvmon.tsdb.deletion.tombstones import Tombstone, content

log = structlog.get_logger("qvmon.analysis")


def _wait() -> None:
    """Let a task go on."""


class AnalysisProcess:
    """Child processes for one sort of work, there when there is some; each has a task at a time.

    Its methods block: call them from a thread. A child that dies takes its task along and nothing
    else; the next task gets another child, also after one that had too little memory. ``stop`` may
    be called from any thread, also during tasks.

    Args:
        work: What they do, in a word, for metrics and the log.
        config: What each child may take.
        clock: Measures tasks.
        registry: Shows what the children do.
        most: How many there may be; further tasks wait.
    """

    def __init__(
        self, work: str, config: AnalysisConfig, clock: Clock, registry: Registry, *, most: int = 1
    ) -> None:
        self._work = work
        self._config = config
        self._clock = clock
        self._most = most
        self._starts = registry.value(metrics.STARTS, work)
        self._deaths = registry.value(metrics.DEATHS, work)
        self._tasks = registry.family(metrics.TASKS)
        self._seconds = registry.value(metrics.SECONDS, work)
        running = registry.value(metrics.RUNNING, work)
        registry.before_collect(lambda: running.set(len(self.pids)))
        self._places = BoundedSemaphore(most)
        self._starter = ThreadPoolExecutor(1, f"qvmon-analysis-{work}")
        self._change = Lock()
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._timer: Timer | None = None
        self._stopped = False

    @property
    def pids(self) -> list[int]:
        """The process ids of the children that are there."""
        with self._change:
            return [child.pid for child in (*self._idle, *self._busy) if child.is_alive]

    def merge(
        self,
        directory: Path,
        numbers: Sequence[int],
        into: int,
        deletions: Sequence[Tombstone],
    ) -> None:
        """Have block ``into`` written from blocks ``numbers`` of a data directory.

        Samples that ``deletions`` are about are left out.

        Raises:
            QvmonError: As ``carry_out``.
        """
        left_out = content(deletions)
        self.carry_out(MergeBlocks(str(directory.resolve()), tuple(numbers), into, left_out))

    def carry_out(self, task: Task, check: Callable[[], None] = _wait) -> Done:
        """Have a task done.

        Args:
            task: What to do.
            check: Called every few milliseconds; what it raises ends the task, and the child.

        Raises:
            QvmonError: ``DamagedBlockError`` for a block that cannot be read, EXHAUSTED when the
                child may not have enough memory, UNAVAILABLE when it died or is not to be had, or
                what the task itself or ``check`` complains of.
        """
        with self._places:
            begun = self._clock.monotonic()
            try:
                check()
                with self._child() as child:
                    reply = child.do(task, check) or self._died(child, task)
                    if _is_exhausted(reply):  # its memory may be in pieces by now
                        child.end()
            except QvmonError as error:
                self._count(error.kind)
                raise
            finally:
                self._seconds.add(self._clock.monotonic() - begun)
        if isinstance(reply, Failed):
            self._count(ErrorKind(reply.kind))
            raise _error(reply)
        self._tasks.value(self._work, "ok").add()
        return reply

    def stop(self) -> None:
        """End the children, and any task with them; there will be no other."""
        with self._change:
            self._stopped = True
            for child in self._busy:
                child.kill()
        for _ in range(self._most):
            self._places.acquire()
        self._end_idle()
        self._starter.shutdown()
        self._places.release(self._most)

    def _count(self, kind: ErrorKind) -> None:
        self._tasks.value(self._work, kind.value).add()

    def _died(self, child: Child, task: Task) -> Reply:
        child.end()
        status = child.status
        self._deaths.add()
        log.warning("an analysis process died", task=type(task).__name__, status=status)
        message = f"the analysis process ended with status {status} during the task: try again"
        return Failed(ErrorKind.UNAVAILABLE.value, message)

    @contextmanager
    def _child(self) -> Iterator[Child]:
        """Give a child that is kept for later tasks only when this one ends well."""
        child = self._taken()
        try:
            yield child
        except BaseException:
            child.end()
            raise
        finally:
            self._put_back(child)

    def _taken(self) -> Child:
        with self._change:
            if self._stopped:
                raise QvmonError(ErrorKind.UNAVAILABLE, "analysis processes have been stopped")
            while self._idle:
                child = self._idle.pop()
                if child.is_alive:
                    break
                child.end()
            else:
                child = self._started()
            self._busy.add(child)
            return child

    def _started(self) -> Child:
        """Return a new child; it dies with the thread that starts it, which has to last."""
        self._starts.add()
        try:
            return self._starter.submit(Child, self._config).result()
        except OSError as error:
            message = f"an analysis process could not be started: {error}"
            raise QvmonError(ErrorKind.UNAVAILABLE, message) from error

    def _put_back(self, child: Child) -> None:
        with self._change:
            self._busy.discard(child)
            if child.is_alive:
                self._idle.append(child)
            self._cancel_timer()
            if self._idle and not self._stopped:
                self._timer = Timer(self._config.idle_seconds, self._end_idle)
                self._timer.daemon = True
                self._timer.start()

    def _end_idle(self) -> None:
        with self._change:
            self._cancel_timer()
            for child in self._idle:
                child.end()
            self._idle.clear()

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _is_exhausted(reply: Reply) -> bool:
    return isinstance(reply, Failed) and reply.kind == ErrorKind.EXHAUSTED.value


def _error(reply: Failed) -> QvmonError:
    if reply.block is not None:
        return DamagedBlockError(reply.block, reply.message)
    return QvmonError(ErrorKind(reply.kind), reply.message, **reply.context)
