"""One workflow as a process: serves /metrics, works, and suffers the faults it is told of.

A supervised process reads its faults from standard input, one JSON list a line, and ends when that
input ends: so it cannot outlive its supervisor, however that one dies.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from random import Random

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from structlog.typing import FilteringBoundLogger

from qvsim.faults import FAULTS, Conditions
from qvsim.logs import logger
from qvsim.workflows import SIMULATIONS, SPECIFICATIONS


def run_workflow(workflow: str, host: str, port: int, seed: int, supervised: bool) -> None:
    """Run ``workflow`` until a signal, or until the supervisor is gone.

    Raises:
        OSError: The address is taken.
    """
    asyncio.run(_run(workflow, host, port, seed, supervised))


async def _run(workflow: str, host: str, port: int, seed: int, supervised: bool) -> None:
    log = logger(workflow=workflow, service=SPECIFICATIONS[workflow].service)
    conditions = Conditions()
    registry = _registry()
    random = Random(f"{seed}/{workflow}")  # noqa: S311 - a simulation, not a secret
    simulation = SIMULATIONS[workflow](registry, random, conditions, log)
    server, _ = start_http_server(port, host, registry)
    log.info("serving metrics", address=f"http://{host}:{server.server_port}/metrics")
    ending = _ending()
    waits = [asyncio.create_task(ending.wait()), asyncio.create_task(simulation.run())]
    if supervised:
        waits.append(asyncio.create_task(_listen(conditions, log)))
    done, unfinished = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in unfinished:
        task.cancel()
    server.shutdown()
    log.info("stopped")
    for task in done:
        task.result()


def _registry() -> CollectorRegistry:
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def _ending() -> asyncio.Event:
    """Return an event that a signal to stop sets."""
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, event.set)
    return event


async def _listen(conditions: Conditions, log: FilteringBoundLogger) -> None:
    """Suffer the faults that come in by standard input, until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        faults = FAULTS.validate_json(line)
        conditions.change(faults)
        log.info("faults changed", faults=[fault.model_dump() for fault in faults])
