"""Remote-write and remote-read 1.0 as the specifications have them, written without qvmon."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import cramjam

from tests.differential.series import Series


def write_request(series: Iterable[Series]) -> bytes:
    """Return the compressed body that carries all samples of ``series``."""
    message = b"".join(_field(1, _time_series(each)) for each in series)
    return bytes(cramjam.snappy.compress_raw(message))


HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


MATCHER_TYPES = ("=", "!=", "=~", "!~")


def read_request(start_ms: int, end_ms: int, *matchers: tuple[str, str, str]) -> bytes:
    """Return the compressed body that asks for samples; a matcher is name, operator and value."""
    query = b"\x08" + _varint(start_ms) + b"\x10" + _varint(end_ms)
    for name, operator, value in matchers:
        kind = b"\x08" + _varint(MATCHER_TYPES.index(operator))
        query += _field(3, kind + _text(2, name) + _text(3, value))
    return bytes(cramjam.snappy.compress_raw(_field(1, query)))


def read_response(body: bytes) -> list[Series]:
    """Return the series of an answer to ``read_request``."""
    message = bytes(cramjam.snappy.decompress_raw(body))
    found = []
    for _, result in _fields(message):
        for _, series in _fields(result):
            labels, samples = {}, []
            for number, payload in _fields(series):
                values = dict(_fields(payload))
                if number == 1:
                    labels[values[1].decode()] = values[2].decode()
                else:
                    value = struct.unpack("<d", values.get(1, bytes(8)))[0]
                    samples.append((int.from_bytes(values.get(2, b""), "little"), value))
            found.append(Series(labels, samples))
    return found


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of a message; a number comes as its bytes, the least one first."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        if key & 7 == 0:
            number, at = _read_varint(message, at)
            yield key >> 3, number.to_bytes(8, "little")
            continue
        length, at = (8, at) if key & 7 == 1 else _read_varint(message, at)
        yield key >> 3, message[at : at + length]
        at += length


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


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
