"""Small protobuf messages, field by field; large ones have kernels of their own."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from qvmon.model.errors import invalid

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and content of each field: an integer of varints, bytes of everything else.

    Raises:
        QvmonError: INVALID, where the message ends early or has an unknown wire type.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire_type = tag & 7
        if wire_type == VARINT:
            number, at = _varint(message, at)
            yield tag >> 3, number
            continue
        length = _FIXED.get(wire_type, 0)
        if wire_type == BYTES:
            length, at = _varint(message, at)
        elif not length:
            raise invalid(f"wire type {wire_type} at byte {at} is none that is read", offset=at)
        if at + length > len(message):
            raise invalid(f"the message ends inside the field at byte {at}", offset=at)
        yield tag >> 3, message[at : at + length]
        at += length


def text(content: int | bytes) -> str:
    """Return a string field.

    Raises:
        QvmonError: INVALID, for a number or what is not UTF-8.
    """
    try:
        return _bytes(content).decode()
    except UnicodeDecodeError:
        raise invalid("a text is not UTF-8") from None


def inner(content: int | bytes) -> bytes:
    """Return a field that is a message.

    Raises:
        QvmonError: INVALID, for a number.
    """
    return _bytes(content)


def signed(content: int | bytes) -> int:
    """Return an int64 field.

    Raises:
        QvmonError: INVALID, for anything but a varint.
    """
    if not isinstance(content, int):
        raise invalid("expected a number")
    return content - (1 << 64) if content >= 1 << 63 else content


def double(content: int | bytes) -> float:
    """Return a double field.

    Raises:
        QvmonError: INVALID, for anything but eight bytes.
    """
    if isinstance(content, int) or len(content) != 8:
        raise invalid("expected eight bytes of a number")
    value: float = struct.unpack("<d", content)[0]
    return value


def _bytes(content: int | bytes) -> bytes:
    if isinstance(content, int):
        raise invalid("expected bytes, not a number")
    return content


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number & (1 << 64) - 1, at
    raise invalid(f"a number that ends at byte {at} has no end", offset=at)
