"""Remote-write 1.0 as the specification has it, written without qvmon."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import cramjam

from tests.differential.datasets import Series


def write_request(series: Iterable[Series]) -> bytes:
    """Return the compressed body that carries all samples of ``series``."""
    message = b"".join(_field(1, _time_series(each)) for each in series)
    return bytes(cramjam.snappy.compress_raw(message))


HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def _time_series(series: Series) -> bytes:
    labels = sorted(series.labels.items())
    parts = [_field(1, _text(1, name) + _text(2, value)) for name, value in labels]
    for timestamp, value in series.samples:
        sample = b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(timestamp)
        parts.append(_field(2, sample))
    return b"".join(parts)


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
