"""Successful answers in the Prometheus API's frame, compressed off the event loop when large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import Response

from qvmon.api.http.prometheus.encodings import COMPRESS_FROM_BYTES, accepted_encoding, compressed
from qvmon.api.http.prometheus.rendering import Json

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
        body = _framed(render(), warnings, infos)
        if not encoding or len(body) < COMPRESS_FROM_BYTES:
            return _response(body, "")
        return _response(*await asyncio.to_thread(compressed, body, encoding))

    def work() -> tuple[bytes, str]:
        return compressed(_framed(render(), warnings, infos), encoding)

    return _response(*await asyncio.to_thread(work))


async def success_of(request: Request, plain: Any, warnings: Sequence[str] = _NO_NOTES) -> Response:
    """Return the answer whose ``data`` is a plain value."""
    return await success(request, lambda: (msgspec.json.encode(plain),), warnings)


def _response(body: bytes, encoding: str) -> Response:
    headers = {"Vary": "Accept-Encoding"}
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(body, headers=headers, media_type="application/json")


def _framed(content: Json, warnings: Sequence[str], infos: Sequence[str]) -> bytes:
    parts = [b'{"status":"success","data":', *content]
    for name, notes, noun in ((b"warnings", warnings, "warning"), (b"infos", infos, "info")):
        if notes:
            parts += (b',"', name, b'":', msgspec.json.encode(_shortened(notes, noun)))
    parts.append(b"}")
    return b"".join(parts)


def _shortened(notes: Sequence[str], noun: str) -> list[str]:
    shown, omitted = list(notes[:_MOST_NOTES]), len(notes) - _MOST_NOTES
    return [*shown, f"{omitted} more {noun} annotations omitted"] if omitted > 0 else shown
