"""Successful answers in the Prometheus API's frame, large ones rendered while they are sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from qvmon.api.http.prometheus.encodings import COMPRESS_FROM_BYTES, accepted_encoding, compressed
from qvmon.api.http.prometheus.rendering import Json, Piece
from qvmon.model.threads import side_by_side, workers

_MOST_NOTES = 10
"""Warnings, and infos, that an answer tells; Prometheus' ``AsStrings(query, 10, 10)``."""

_NO_NOTES: Sequence[str] = ()


async def success(
    request: Request,
    render: Callable[[], Json],
    warnings: Sequence[str] = _NO_NOTES,
    infos: Sequence[str] = _NO_NOTES,
    *,
    small: bool = False,
) -> Response:
    """Return the answer whose ``data`` is what ``render`` gives.

    Args:
        request: Says which compression is accepted.
        render: Gives JSON, in pieces.
        warnings: What is probably wrong with what was asked.
        infos: What may surprise.
        small: Rendering is quicker than the change to a thread, where it is done otherwise.
    """
    encoding = accepted_encoding(request.headers.get("accept-encoding", ""))
    if small:
        body = _whole(_framed(render(), warnings, infos))
        if not encoding or len(body) < COMPRESS_FROM_BYTES:
            return _response(body, "")
        return _response(*await asyncio.to_thread(compressed, body, encoding))

    def work() -> Response:
        pieces = _framed(render(), warnings, infos)
        if encoding or not any(map(callable, pieces)):
            return _response(*compressed(_whole(pieces), encoding))
        return StreamingResponse(_in_turn(pieces), headers=_VARY, media_type="application/json")

    return await asyncio.to_thread(work)


async def success_of(request: Request, plain: Any, warnings: Sequence[str] = _NO_NOTES) -> Response:
    """Return the answer whose ``data`` is a plain value."""
    return await success(request, lambda: (msgspec.json.encode(plain),), warnings)


_VARY = {"Vary": "Accept-Encoding"}


def _response(body: bytes, encoding: str) -> Response:
    headers = {**_VARY, "Content-Encoding": encoding} if encoding else _VARY
    return Response(body, headers=headers, media_type="application/json")


def _framed(content: Json, warnings: Sequence[str], infos: Sequence[str]) -> list[Piece]:
    parts: list[Piece] = [b'{"status":"success","data":', *content]
    for name, notes, noun in ((b"warnings", warnings, "warning"), (b"infos", infos, "info")):
        if notes:
            parts += (b',"', name, b'":', msgspec.json.encode(_shortened(notes, noun)))
    parts.append(b"}")
    return parts


def _rendered(piece: Piece) -> bytes | memoryview:
    return piece() if callable(piece) else piece


def _whole(pieces: Sequence[Piece]) -> bytes:
    pieces = list(_joined(pieces))
    return b"".join(side_by_side(_rendered, pieces))


async def _in_turn(pieces: Sequence[Piece]) -> AsyncIterator[bytes | memoryview]:
    """Yield the pieces as they are to be sent, while those that come next are rendered."""
    left = _joined(pieces)
    ahead = deque(map(_begun, islice(left, workers(len(pieces)) + 1)))
    try:
        while ahead:
            yield await ahead.popleft()
            ahead.extend(map(_begun, islice(left, 1)))
    finally:
        for each in ahead:
            each.cancel()


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the pieces, those that are there already and stand side by side as one."""
    for is_late, some in groupby(pieces, callable):
        if is_late:
            yield from some
        else:
            yield b"".join(map(_rendered, some))


def _begun(piece: Piece) -> asyncio.Future[bytes | memoryview]:
    return asyncio.ensure_future(asyncio.to_thread(_rendered, piece))


def _shortened(notes: Sequence[str], noun: str) -> list[str]:
    shown, omitted = list(notes[:_MOST_NOTES]), len(notes) - _MOST_NOTES
    return [*shown, f"{omitted} more {noun} annotations omitted"] if omitted > 0 else shown
