"""``qvmon demo``: qvmon on embedded stores, watching this host, itself and a simulated platform."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

import qvmon
from qvmon.app.house import FIRST_PASSWORD_FILE
from qvmon.app.serve import serve_until_stopped
from qvmon.app.settings import Overrides, read_settings
from qvmon.model.errors import ErrorKind, QvmonError

EXAMPLE = "quantivista"
SIMULATION_PORTS = 9200
_STOP_SECONDS = 10


def run_demo(data_dir: Path, listen: str) -> None:
    """Run until Ctrl-C; the simulated platform ends with it.

    Raises:
        QvmonError: UNAVAILABLE, when the platform cannot be started.
    """
    home = data_dir.resolve()
    home.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_example(), home / EXAMPLE, dirs_exist_ok=True)
    targets = home / EXAMPLE / "targets" / "qvsim.json"
    targets.parent.mkdir(exist_ok=True)
    targets.unlink(missing_ok=True)  # addresses of an earlier run
    settings = read_settings(home / EXAMPLE / "demo.yml", Overrides(data_dir=home, listen=listen))
    port = _free_ports(SIMULATION_PORTS)
    with _simulated_platform(home, targets, port):
        serve_until_stopped(settings, on_ready=lambda url: _welcome(url, home, port))


def _example() -> Path:
    """Return the example configuration: beside the package when installed, else in the checkout."""
    package = Path(qvmon.__file__).parent
    installed = package / "app" / EXAMPLE
    return installed if installed.exists() else package.parents[1] / "examples" / EXAMPLE


@contextmanager
def _simulated_platform(home: Path, targets: Path, port: int) -> Iterator[None]:
    """Run the platform while the block lasts; it ends with us even if we are killed."""
    log = home / "qvsim.log"
    command = [sys.executable, "-m", "qvsim", "run", "--end-with-stdin"]
    command += ["--base-port", str(port), "--targets-file", str(targets)]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
        )
    try:
        if _ends_within(process, 0.5):
            raise QvmonError(ErrorKind.UNAVAILABLE, f"the simulated platform ended; see {log}")
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()  # the platform ends with it
        if not _ends_within(process, _STOP_SECONDS):
            process.kill()


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _free_ports(first: int, count: int = 5) -> int:
    """Return the first port from ``first`` on where ``count`` in a row are free."""
    port = first
    while not all(_is_free(port + offset) for offset in range(count)):
        port += count
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _welcome(url: str, home: Path, port: int) -> None:
    typer.echo(f"\n  qvmon      {url}")
    password = home / FIRST_PASSWORD_FILE
    if password.exists():
        typer.echo(f"  log in as  admin\n  password   {password.read_text().strip()}  (one time)")
    qvsim = Path(sys.executable).with_name("qvsim")
    control = "" if port == SIMULATION_PORTS else f" --control http://127.0.0.1:{port}"
    typer.echo(
        "\n  Break something:  "
        f"{qvsim} fault set trade-execution latency --factor 10{control}\n"
        f"  Mend it:          {qvsim} fault clear{control}\n"
        "  Ctrl-C stops everything.\n"
    )
