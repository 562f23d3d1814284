"""The parent's side of the child process: starts it, hands it tasks, buries it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer

import structlog

from qvmon.model.clock import Clock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.stores.analysis import metrics
from qvmon.stores.analysis.config import AnalysisConfig
from qvmon.stores.analysis.messages import (
    Failed,
    MergeBlocks,
    Reply,
    Task,
    read_reply,
    write_message,
)
from qvmon.tsdb.block.samples import DamagedBlockError

log = structlog.get_logger("qvmon.analysis")


class AnalysisProcess:
    """A child process that is there when there is something to do; one task at a time.

    Its methods block: call them from a thread. A child that dies takes its task along and nothing
    else; the next task gets another child. ``stop`` may be called from any thread, also during a
    task.

    Args:
        config: What the child may take.
        clock: Measures tasks.
        registry: Shows what the child does.
    """

    def __init__(self, config: AnalysisConfig, clock: Clock, registry: Registry) -> None:
        self._config = config
        self._clock = clock
        self._starts = registry.value(metrics.STARTS)
        self._deaths = registry.value(metrics.DEATHS)
        self._tasks = registry.family(metrics.TASKS)
        self._seconds = registry.value(metrics.SECONDS)
        running = registry.value(metrics.RUNNING)
        registry.before_collect(lambda: running.set(self.pid is not None))
        self._busy = Lock()
        self._change = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._idle: Timer | None = None
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def merge(self, directory: Path, numbers: Sequence[int], into: int) -> None:
        """Have block ``into`` written from blocks ``numbers`` of a data directory.

        Raises:
            QvmonError: ``DamagedBlockError`` for a block that cannot be read, EXHAUSTED when the
                child may not have enough memory, UNAVAILABLE when it died or is not to be had.
        """
        self._carry_out(MergeBlocks(str(directory.resolve()), tuple(numbers), into))

    def stop(self) -> None:
        """End the child, and any task with it; there will be no other."""
        with self._change:
            self._stopped = True
            child = self._child
        if child is not None:
            child.kill()
        with self._busy:
            self._end_idling()
            self._bury()

    def _carry_out(self, task: Task) -> None:
        with self._busy:
            self._end_idling()
            begun = self._clock.monotonic()
            reply = self._reply(task)
            self._seconds.add(self._clock.monotonic() - begun)
            if not self._stopped:
                self._idle = Timer(self._config.idle_seconds, self._end_if_idle)
                self._idle.daemon = True
                self._idle.start()
        if isinstance(reply, Failed):
            self._tasks.value(reply.kind).add()
            if reply.block is not None:
                raise DamagedBlockError(reply.block, reply.message)
            raise QvmonError(ErrorKind(reply.kind), f"in the analysis process: {reply.message}")
        self._tasks.value("ok").add()

    def _reply(self, task: Task) -> Reply:
        child = self._running()
        assert child.stdin is not None  # noqa: S101 - both are pipes
        assert child.stdout is not None  # noqa: S101
        try:
            write_message(child.stdin, task)
            reply = read_reply(child.stdout)
        except (OSError, ValueError):
            reply = None
        if reply is not None:
            return reply
        self._bury()
        self._deaths.add()
        log.warning("the analysis process died", task=type(task).__name__, status=child.returncode)
        message = f"it ended with status {child.returncode} during a task"
        return Failed(ErrorKind.UNAVAILABLE.value, message)

    def _running(self) -> subprocess.Popen[bytes]:
        with self._change:
            if self._stopped:
                raise QvmonError(ErrorKind.UNAVAILABLE, "the analysis process has been stopped")
            if self._child is None or self._child.poll() is not None:
                self._child = self._started()
            return self._child

    def _started(self) -> subprocess.Popen[bytes]:
        config = self._config
        limits = (config.memory_bytes, config.niceness, os.getpid())
        self._starts.add()
        return subprocess.Popen(  # noqa: S603 - our own program and numbers
            [sys.executable, "-m", "qvmon.stores.analysis", *map(str, limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def _end_if_idle(self) -> None:
        if self._busy.acquire(blocking=False):
            try:
                self._bury()
            finally:
                self._busy.release()

    def _end_idling(self) -> None:
        timer, self._idle = self._idle, None
        if timer is not None:
            timer.cancel()

    def _bury(self) -> None:
        """End the child, if there is one; only for who is busy with it."""
        with self._change:
            child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
