"""Small protobuf messages, written field by field."""

from __future__ import annotations

_VARINT, _BYTES = 0, 2


def varint(number: int) -> bytes:
    """Return an int64 as a varint."""
    rest, out = number & (1 << 64) - 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def number_field(field: int, number: int) -> bytes:
    """Return a field that is an integer, nothing for its default of 0."""
    return varint(field << 3 | _VARINT) + varint(number) if number else b""


def bytes_field(field: int, content: bytes) -> bytes:
    """Return a field that is a message, a string or bytes."""
    return varint(field << 3 | _BYTES) + varint(len(content)) + content
