"""Serves prepared expositions: ``/0`` … ``/<targets - 1>``, another body at every scrape.

Run as ``python -m benchmarks.exposition_server TARGETS SERIES``; prints its port.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from itertools import count

from benchmarks.workload import exposition

_TURNS = 8


async def serve(targets: int, series: int) -> None:
    """Answer until killed."""
    bodies = [
        [_response(exposition(t, series, turn)) for turn in range(_TURNS)] for t in range(targets)
    ]
    turns = [count() for _ in range(targets)]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while request := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                target = int(request.split()[1].strip(b"/"))
                writer.write(bodies[target][next(turns[target]) % _TURNS])
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _response(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
