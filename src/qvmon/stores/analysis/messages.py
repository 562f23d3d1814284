"""What parent and child say to each other: frames of a length and MessagePack."""

from __future__ import annotations

import struct
from typing import IO

import msgspec

_LENGTH = struct.Struct("<I")


class MergeBlocks(msgspec.Struct, frozen=True, tag="merge"):
    """Write block ``into`` from blocks ``numbers`` of a data directory."""

    directory: str
    numbers: tuple[int, ...]
    into: int


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The task is done."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The task failed: an error's kind and message, and the number of a damaged block."""

    kind: str
    message: str
    block: int | None = None


Task = MergeBlocks
Reply = Done | Failed


def write_message(stream: IO[bytes], message: Task | Reply) -> None:
    """Write one frame and see it off."""
    body = msgspec.msgpack.encode(message)
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def read_task(stream: IO[bytes]) -> Task | None:
    """Return the next task; None when the parent is gone."""
    body = _frame(stream)
    return None if body is None else msgspec.msgpack.decode(body, type=Task)


def read_reply(stream: IO[bytes]) -> Reply | None:
    """Return the next reply; None when the child is gone."""
    body = _frame(stream)
    if body is None:
        return None
    reply: Reply = msgspec.msgpack.decode(body, type=Reply)
    return reply


def _frame(stream: IO[bytes]) -> bytes | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None
