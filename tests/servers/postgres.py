"""A PostgreSQL server for the session, and a database of its own for each test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.servers import free_port, program, running, wait_until

_BIN = "/usr/lib/postgresql/*/bin"
_names = count()


def _as_server_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root: use its own user there."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server, without a database name."""
    initdb = program("initdb", f"{_BIN}/initdb")
    server = program("postgres", f"{_BIN}/postgres")
    home = Path("/tmp") / f"qvmon-postgres-{os.getpid()}"  # short: a socket path has 107 bytes
    home.mkdir(mode=0o755)
    try:
        if os.geteuid() == 0:
            shutil.chown(home, "postgres", "postgres")
        data = home / "data"
        subprocess.run(
            _as_server_user(
                [initdb, "-D", str(data), "-U", "qvmon", "-A", "trust", "-E", "UTF8", "--no-sync"]
            ),
            check=True,
            capture_output=True,
            cwd="/",
        )
        port = free_port()
        log = tmp_path_factory.mktemp("postgres") / "log"
        command = [server, "-D", str(data), "-p", str(port), "-k", str(home), "-h", "127.0.0.1"]
        with running(_as_server_user(command), log=log, cwd=Path("/"), stop=signal.SIGINT):
            address = f"postgresql://qvmon@127.0.0.1:{port}"
            wait_until(lambda: _accepts(address), "PostgreSQL ready", log=log)
            yield address
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _accepts(address: str) -> bool:
    try:
        psycopg.connect(f"{address}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The SQLAlchemy address of an empty database."""
    name = f"test_{next(_names)}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgres_server.replace('postgresql', 'postgresql+psycopg')}/{name}"
