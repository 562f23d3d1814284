"""The whole simulated platform in one command: supervisor, control door and target files."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from qvsim.control import control_application
from qvsim.logs import logger
from qvsim.supervisor import Supervisor
from qvsim.workflows.catalogue import SPECIFICATIONS


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is served."""

    host: str
    control_port: int
    ports: dict[str, int]

    @classmethod
    def assign(cls, host: str, base_port: int) -> Addresses:
        """Return ports from ``base_port`` on, or free ones when it is 0."""
        count = len(SPECIFICATIONS) + 1
        ports = list(range(base_port, base_port + count)) if base_port else _free_ports(host, count)
        return cls(host, ports[0], dict(zip(SPECIFICATIONS, ports[1:], strict=True)))

    def document(self) -> dict[str, object]:
        """Return what ``--port-file`` holds."""
        workflows = {name: f"http://{self.host}:{port}" for name, port in self.ports.items()}
        return {"control": f"http://{self.host}:{self.control_port}", "workflows": workflows}

    def targets(self) -> list[dict[str, object]]:
        """Return the target groups of a Prometheus ``file_sd_configs`` file."""
        return [
            {
                "targets": [f"{self.host}:{port}"],
                "labels": {"workflow": name, "service": SPECIFICATIONS[name].service},
            }
            for name, port in self.ports.items()
        ]


def run_platform(
    addresses: Addresses,
    seed: int,
    port_file: Path | None,
    targets_file: Path | None,
    *,
    end_with_stdin: bool = False,
) -> None:
    """Run every workflow until a signal to stop, or until standard input ends where asked.

    Raises:
        OSError: An address is taken, or a file cannot be written.
        TimeoutError: A workflow does not begin to serve.
    """
    asyncio.run(_run(addresses, seed, port_file, targets_file, end_with_stdin))


class _Server(uvicorn.Server):
    """Leaves signals to the platform, which has children to stop first."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _run(
    addresses: Addresses,
    seed: int,
    port_file: Path | None,
    targets_file: Path | None,
    end_with_stdin: bool,
) -> None:
    log = logger(service="qvsim")
    supervisor = Supervisor(addresses.host, addresses.ports, seed, log)
    listener = socket.create_server((addresses.host, addresses.control_port))
    config = uvicorn.Config(control_application(supervisor), log_config=None, lifespan="off")
    server = _Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(
            number, lambda: setattr(server, "should_exit", True)
        )
    watch = asyncio.create_task(_stop_at_end_of_input(server)) if end_with_stdin else None
    async with supervisor.running():
        if targets_file:
            _write(targets_file, addresses.targets())
        if port_file:
            _write(port_file, addresses.document())
        log.info("platform running", **addresses.document())
        await server.serve([listener])
    if watch is not None:
        watch.cancel()
    log.info("platform stopped")


async def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    """Stop with whoever holds the other end of standard input, however that ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.read(4096):
        pass
    server.should_exit = True


def _write(path: Path, document: object) -> None:
    """Put the whole document there at once: readers never see a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(document, indent=2) + "\n")
    beside.replace(path)


def _free_ports(host: str, count: int) -> list[int]:
    sockets = [socket.create_server((host, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
