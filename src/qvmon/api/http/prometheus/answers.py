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
    request: Request, render: Callable[[], bytes], warnings: Sequence[str] = ()
) -> Response:
    """Return the answer whose ``data`` is what ``render`` gives; it runs in a thread.

    Args:
        request: Says whether gzip is accepted.
        render: Gives JSON.
        warnings: What the caller should know beside it.
    """
    gzip = "gzip" in request.headers.get("accept-encoding", "")
    body, compressed = await asyncio.to_thread(_body, render, warnings, gzip)
    headers = {"Vary": "Accept-Encoding"}
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type="application/json")


async def success_of(request: Request, plain: Any, warnings: Sequence[str] = ()) -> Response:
    """Return the answer whose ``data`` is a plain value."""
    return await success(request, lambda: msgspec.json.encode(plain), warnings)


def _body(render: Callable[[], bytes], warnings: Sequence[str], gzip: bool) -> tuple[bytes, bool]:
    tail = b',"warnings":' + msgspec.json.encode(warnings) if warnings else b""
    body = b'{"status":"success","data":' + render() + tail + b"}"
    if gzip and len(body) >= _COMPRESS_FROM_BYTES:
        return bytes(cramjam.gzip.compress(body, level=_GZIP_LEVEL)), True
    return body, False
