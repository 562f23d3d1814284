"""``qvmon serve``: one process from its first line to its last."""

from __future__ import annotations

import asyncio
import gc
import resource
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
import typer

from qvmon.app.intake import Intake, Premises, open_intake
from qvmon.app.lifecycle import Lifecycle, until_told_to_stop
from qvmon.app.logs import configure_logging
from qvmon.app.rules import Watch, read_watch
from qvmon.app.settings import Settings
from qvmon.model.clock import SystemClock
from qvmon.model.metrics import Registry

if TYPE_CHECKING:
    from qvmon.app.house import House

log = structlog.get_logger("qvmon.serve")


def _say_ready(url: str) -> None:
    typer.echo(f"qvmon is ready at {url}")


def serve_until_stopped(settings: Settings, on_ready: Callable[[str], None] = _say_ready) -> None:
    """Run a process until SIGINT or SIGTERM; raises what keeps it from starting.

    Args:
        settings: What to run.
        on_ready: Told the address once everything has started.
    """
    configure_logging(settings.log_level)
    _allow_many_connections()
    watch = read_watch(settings.prometheus_config)
    for warning in watch.warnings:
        log.warning("not supported yet, and left out", where=str(warning))
    asyncio.run(_serve(settings, watch, on_ready))


def _allow_many_connections() -> None:
    """Raise the limit of open files to what the system allows: each target keeps a connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(settings: Settings, watch: Watch, on_ready: Callable[[str], None]) -> None:
    clock = SystemClock()
    lifecycle = Lifecycle(clock)
    premises = Premises(settings, watch, lifecycle, clock, Registry())
    with until_told_to_stop() as told:
        try:
            intake = await open_intake(premises)
            log.info("takes samples", address=intake.server.url)
            house = await asyncio.to_thread(_house, premises, intake)
            await house.open()
            _collect_garbage_again()
            if not told.is_set():
                on_ready(intake.server.url)
            await told.wait()
        finally:
            await lifecycle.stop()


def _collect_garbage_again() -> None:
    """Look for garbage from now on, but never among what a start has made."""
    gc.freeze()
    gc.enable()


def _house(premises: Premises, intake: Intake) -> House:
    """Import the rest, which takes a second or so, while samples are taken."""
    from qvmon.app.house import House  # noqa: PLC0415 - see above

    return House(premises, intake)
