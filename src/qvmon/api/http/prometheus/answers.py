"""Successful answers in the Prometheus API's frame, compressed off the event loop when large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import cramjam
import msgspec
from fastapi import Request
from fastapi.responses import Response

_COMPRESS_FROM_BYTES = 4096
_GZIP_LEVEL = 1


async def success(
    request: Request,
    render: Callable[[], bytes],
    warnings: Sequence[str] = (),
    infos: Sequence[str] = (),
) -> Response:
    """Return the answer whose ``data`` is what ``render`` gives; it runs in a thread.

    Args:
        request: Says whether gzip is accepted.
        render: Gives JSON.
        warnings: What is probably wrong with what was asked.
        infos: What may surprise.
    """
    gzip = "gzip" in request.headers.get("accept-encoding", "")
    body, compressed = await asyncio.to_thread(_body, render, warnings, infos, gzip)
    headers = {"Vary": "Accept-Encoding"}
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type="application/json")


async def success_of(request: Request, plain: Any, warnings: Sequence[str] = ()) -> Response:
    """Return the answer whose ``data`` is a plain value."""
    return await success(request, lambda: msgspec.json.encode(plain), warnings)


def _body(
    render: Callable[[], bytes], warnings: Sequence[str], infos: Sequence[str], gzip: bool
) -> tuple[bytes, bool]:
    body = b'{"status":"success","data":' + render()
    for name, notes in ((b"warnings", warnings), (b"infos", infos)):
        if notes:
            body += b',"' + name + b'":' + msgspec.json.encode(notes)
    body += b"}"
    if gzip and len(body) >= _COMPRESS_FROM_BYTES:
        return bytes(cramjam.gzip.compress(body, level=_GZIP_LEVEL)), True
    return body, False
