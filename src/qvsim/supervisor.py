"""Keeps one process a workflow running, and tells each what it suffers."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from pydantic import BaseModel
from structlog.typing import FilteringBoundLogger

from qvsim.faults import FAULTS, CrashFault, Fault, FaultKind, FeedGapFault
from qvsim.workflows.catalogue import SPECIFICATIONS, Specification

_RESTART_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
_READY_SECONDS = 60.0


class UnknownWorkflowError(LookupError):
    """No such workflow is simulated."""


class UnfitFaultError(ValueError):
    """The workflow cannot suffer this fault."""


class WorkflowStatus(BaseModel):
    """What the supervisor knows about one workflow."""

    workflow: str
    service: str
    address: str
    state: str
    pid: int | None
    restarts: int
    faults: list[Fault]


@dataclass
class _Seat:
    """The place of one workflow: where it serves, what it suffers, which process fills it."""

    specification: Specification
    port: int
    faults: dict[FaultKind, Fault] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def crash(self) -> CrashFault | None:
        fault = self.faults.get("crash")
        return fault if isinstance(fault, CrashFault) else None


class Supervisor:
    """Runs the workflows' processes.

    Args:
        host: Address on which workflows serve their metrics.
        ports: Port of each workflow.
        seed: What all draws of chance derive from.
        log: Where to say what happens to the processes.
    """

    def __init__(
        self, host: str, ports: dict[str, int], seed: int, log: FilteringBoundLogger
    ) -> None:
        self._host, self._seed, self._log = host, seed, log
        self._seats = {name: _Seat(SPECIFICATIONS[name], port) for name, port in ports.items()}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep every workflow running while the block lasts; it begins once all of them serve."""
        keepers = [asyncio.create_task(self._keep(seat)) for seat in self._seats.values()]
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await asyncio.gather(*(self._serving(seat) for seat in self._seats.values()))
            yield
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await asyncio.gather(*(self._stop(seat) for seat in self._seats.values()))

    def status(self) -> list[WorkflowStatus]:
        """Return how every workflow is."""
        return [
            WorkflowStatus(
                workflow=seat.specification.workflow,
                service=seat.specification.service,
                address=f"{self._host}:{seat.port}",
                state="up" if _alive(seat) else "down",
                pid=seat.process.pid if seat.process and _alive(seat) else None,
                restarts=seat.restarts,
                faults=list(seat.faults.values()),
            )
            for seat in self._seats.values()
        ]

    def set_fault(self, workflow: str, fault: Fault) -> None:
        """Let ``workflow`` suffer ``fault``, in place of an earlier one of its kind.

        Raises:
            UnknownWorkflowError: No such workflow.
            UnfitFaultError: A gap in the feed of a workflow that reads none.
        """
        seat = self._seat(workflow)
        if isinstance(fault, FeedGapFault) and not seat.specification.has_feed:
            raise UnfitFaultError(f"{workflow} reads no feed")
        seat.faults[fault.kind] = fault
        self._log.info("fault set", workflow=workflow, **fault.model_dump())
        self._tell(seat)

    def clear_faults(self, workflow: str | None = None, kind: FaultKind | None = None) -> None:
        """End the faults of one workflow or all, of one kind or all.

        Raises:
            UnknownWorkflowError: No such workflow.
        """
        seats = self._seats.values() if workflow is None else [self._seat(workflow)]
        for seat in seats:
            for each in [kind] if kind else list(seat.faults):
                seat.faults.pop(each, None)
            self._log.info("faults cleared", workflow=seat.specification.workflow, kind=kind)
            self._tell(seat)

    def _seat(self, workflow: str) -> _Seat:
        if workflow not in self._seats:
            known = ", ".join(self._seats)
            raise UnknownWorkflowError(f"no workflow {workflow!r}; there are {known}")
        return self._seats[workflow]

    def _tell(self, seat: _Seat) -> None:
        """Pass on what the workflow suffers; a crash is done to it."""
        seat.changed.set()
        process = seat.process
        if process is None or process.stdin is None or process.returncode is not None:
            return
        if seat.crash:
            process.kill()
        else:
            process.stdin.write(_message(seat.faults.values()))

    async def _keep(self, seat: _Seat) -> None:
        """Start the workflow's process, again and again, until cancelled."""
        workflow = seat.specification.workflow
        while True:
            process = seat.process = await self._start(seat)
            code = await process.wait()
            self._log.warning("workflow ended", workflow=workflow, exit_code=code)
            await self._stay_down(seat)
            seat.restarts += 1

    async def _start(self, seat: _Seat) -> asyncio.subprocess.Process:
        arguments = ["workflow", seat.specification.workflow, "--host", self._host]
        arguments += ["--port", str(seat.port), "--seed", str(self._seed), "--supervised"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qvsim", *arguments, stdin=asyncio.subprocess.PIPE
        )
        assert process.stdin  # noqa: S101 - asked for just above
        if seat.faults:
            process.stdin.write(_message(seat.faults.values()))
        return process

    async def _stay_down(self, seat: _Seat) -> None:
        """Return when the crashed workflow may run again; its crash is over then."""
        if seat.crash is None:
            await asyncio.sleep(_RESTART_SECONDS)
            return
        while (crash := seat.crash) is not None:
            seat.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(crash.restart_after_seconds):
                    await seat.changed.wait()
                    continue
            seat.faults.pop("crash", None)

    async def _serving(self, seat: _Seat) -> None:
        """Return once the workflow accepts connections."""
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(self._host, seat.port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.05)

    async def _stop(self, seat: _Seat) -> None:
        process = seat.process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _alive(seat: _Seat) -> bool:
    return seat.process is not None and seat.process.returncode is None


def _message(faults: Iterable[Fault]) -> bytes:
    return FAULTS.dump_json(list(faults)) + b"\n"
