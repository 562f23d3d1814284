"""Serves prepared expositions under any path, another body at every turn.

Run as ``python -m benchmarks.exposition_server SERIES``; prints its port. ``/count`` tells how many
bodies it has sent.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count

from benchmarks.workload import exposition

_TURNS = 8


async def serve(series: int) -> None:
    """Answer until killed."""
    bodies = [_response(exposition(series, turn)) for turn in range(_TURNS)]
    turns: dict[bytes, Iterator[int]] = {}
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        with suppress(ConnectionError):
            while request := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                path = request.split()[1]
                if path == b"/count":
                    writer.write(_response(str(sent).encode()))
                else:
                    writer.write(bodies[next(turns.setdefault(path, count())) % _TURNS])
                    sent += 1
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _response(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Targets:
    """A running server.

    Attributes:
        port: Where it answers.
        process: It.
    """

    port: int
    process: subprocess.Popen[str]

    def sent(self) -> int:
        """Return how many bodies it has sent.

        Raises:
            RuntimeError: It has ended.
        """
        if self.process.poll() is not None:
            raise RuntimeError(f"the exposition server ended: {self.process.returncode}")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/count", timeout=10) as answer:
            return int(answer.read())


@contextmanager
def exposed(series: int) -> Iterator[Targets]:
    """Serve expositions of ``series`` series from a process of its own while the block lasts."""
    command = [sys.executable, "-m", "benchmarks.exposition_server", str(series)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    try:
        yield Targets(int(server.stdout.readline()), server)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
