"""Compressed bodies, opened no further than a limit: a bomb costs its limit and no more."""

from __future__ import annotations

import cramjam
import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.series import Bytes

_STREAMS = {"gzip": cramjam.gzip, "x-gzip": cramjam.gzip, "zstd": cramjam.zstd}
_BUFFER_FULL = "failed to write whole buffer"


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return ``body`` as it was before compression.

    Args:
        body: The compressed bytes.
        encoding: ``gzip``, ``zstd``, ``snappy`` (block format), ``identity`` or empty.
        max_bytes: The most bytes the answer may have.

    Raises:
        QvmonError: EXHAUSTED when the answer would be larger, INVALID when the bytes are damaged,
            UNSUPPORTED for another encoding.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        if len(body) > max_bytes:
            raise _too_large(name or "identity", max_bytes)
        return body
    if name == "snappy":
        return open_snappy(body, max_bytes).tobytes()
    if name in _STREAMS:
        return _open_stream(body, name, max_bytes)
    raise QvmonError(ErrorKind.UNSUPPORTED, f"content encoding {name[:40]!r} is not read")


def open_snappy(body: bytes, max_bytes: int, room: Bytes | None = None) -> Bytes:
    """Return uint8[n]: what ``body`` was before it was compressed in snappy's block format.

    Args:
        body: The compressed bytes.
        max_bytes: The most bytes the answer may have.
        room: Where they go if they fit there; the answer is a part of it then.

    Raises:
        QvmonError: EXHAUSTED when the answer would be larger, INVALID when the bytes are damaged.
    """
    if not body:
        raise invalid("damaged snappy body: it is empty", encoding="snappy")
    try:
        size = cramjam.snappy.decompress_raw_len(body)  # the format states its size up front
        if size > max_bytes:
            raise _too_large("snappy", max_bytes)
        if room is None or size > len(room):
            room = np.empty(size, np.uint8)
        opened: Bytes = room[: cramjam.snappy.decompress_raw_into(body, room.data)]
    except cramjam.DecompressionError as error:
        raise invalid(f"damaged snappy body: {error}", encoding="snappy") from None
    return opened


def compress_snappy(body: bytes) -> bytes:
    """Return ``body`` in snappy's block format, as remote-write sends it."""
    return bytes(cramjam.snappy.compress_raw(body))


def _open_stream(body: bytes, name: str, max_bytes: int) -> bytes:
    room = np.empty(max_bytes, np.uint8)  # pages nobody writes to are never there
    try:
        length = _STREAMS[name].decompress_into(body, room)
    except cramjam.DecompressionError as error:
        if str(error) == _BUFFER_FULL:
            raise _too_large(name, max_bytes) from None
        raise invalid(f"damaged {name} body: {error}", encoding=name) from None
    return room[:length].tobytes()


def _too_large(encoding: str, max_bytes: int) -> QvmonError:
    return QvmonError(
        ErrorKind.EXHAUSTED,
        f"{encoding} body holds more than the allowed {max_bytes} bytes",
        encoding=encoding,
        max_bytes=max_bytes,
    )
