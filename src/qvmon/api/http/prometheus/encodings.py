"""Compression of answers: the first encoding of ``Accept-Encoding`` that is spoken here.

Source: Prometheus util/httputil/compression.go, which takes the client's order too; zstd is ours.
"""

from __future__ import annotations

from collections.abc import Callable

import cramjam

COMPRESS_FROM_BYTES = 1024
_GZIP_LEVEL = 1
_ZSTD_LEVEL = 1


def _gzip(body: bytes) -> bytes:
    return bytes(cramjam.gzip.compress(body, level=_GZIP_LEVEL))


def _deflate(body: bytes) -> bytes:
    return bytes(cramjam.zlib.compress(body, level=_GZIP_LEVEL))


def _zstd(body: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(body, level=_ZSTD_LEVEL))


_COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "zstd": _zstd,
    "deflate": _deflate,
}


def accepted_encoding(accept_encoding: str) -> str:
    """Return the encoding to answer in, empty for none; one with ``q=0`` is not wanted."""
    for clause in accept_encoding.split(","):
        name, _, parameters = clause.partition(";")
        if name.strip().lower() in _COMPRESSIONS and not _is_zero(parameters):
            return name.strip().lower()
    return ""


def compressed(body: bytes, encoding: str) -> tuple[bytes, str]:
    """Return the body as it travels and its ``Content-Encoding``; small bodies stay plain."""
    if not encoding or len(body) < COMPRESS_FROM_BYTES:
        return body, ""
    return _COMPRESSIONS[encoding](body), encoding


def _is_zero(parameters: str) -> bool:
    name, _, weight = parameters.replace(" ", "").partition("=")
    return name.lower() == "q" and weight.strip("0.") == "" and weight != ""
