"""The child process: takes one task after the other from its standard input."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

from qvmon.model.clock import SystemClock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.stores.analysis.messages import (
    Done,
    Evaluate,
    Failed,
    MergeBlocks,
    Reply,
    Task,
    read_task,
    write_message,
)
from qvmon.stores.query.apart import answered
from qvmon.stores.telemetry.view import TelemetryView
from qvmon.tsdb.block.samples import DamagedBlockError
from qvmon.tsdb.deletion.tombstones import parsed
from qvmon.tsdb.upkeep.merging import merge_apart

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
_FIRST_TO_DIE = "900"
_NO_THREAD = "can't start new thread"
"""What Python says when there is no memory for a thread's stack."""


def run(memory_bytes: int, niceness: int, parent: int) -> None:
    """Serve tasks until the parent is gone.

    Args:
        memory_bytes: Memory this process may allocate.
        niceness: By how much it yields the processor.
        parent: The process that started it; without it there is nothing to do.
    """
    _limit(memory_bytes, niceness)
    tasks, replies = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed goes to the log, not between frames
    while (task := read_task(tasks)) is not None and os.getppid() == parent:
        write_message(replies, _outcome(task))


def _limit(memory_bytes: int, niceness: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_DIE)
    os.nice(niceness)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def _outcome(task: Task) -> Reply:
    try:
        return _carried_out(task)
    except DamagedBlockError as error:
        return Failed(error.kind.value, error.message, block=error.number)
    except QvmonError as error:
        return Failed(error.kind.value, error.message, _plain(error.context))
    except MemoryError as error:
        return _no_memory(error)
    except Exception as error:  # noqa: BLE001 - handed to the parent, which counts and reports
        if str(error) == _NO_THREAD:
            return _no_memory(error)
        return Failed(ErrorKind.INTERNAL.value, f"{type(error).__name__}: {error}")


def _no_memory(error: Exception) -> Failed:
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    message = (
        "the analysis process has not enough memory: "
        f"{limit:,} bytes are allowed (analysis.memory_bytes): {error}"
    )
    return Failed(ErrorKind.EXHAUSTED.value, message)


def _carried_out(task: Task) -> Done:
    match task:
        case MergeBlocks(directory=directory, numbers=numbers, into=into, deletions=deletions):
            merge_apart(Path(directory), numbers, into, parsed(deletions))
            return Done()
        case Evaluate(view=view, question=question):
            source = TelemetryView(Path(view), question.now_ms)
            return Done(answered(question, source, source.result, SystemClock()))


def _plain(context: dict[str, object]) -> dict[str, object]:
    """Return an error's context as it can be sent."""
    known = (bool, int, float, str)
    return {name: each if isinstance(each, known) else str(each) for name, each in context.items()}
