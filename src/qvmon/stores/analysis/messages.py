"""What parent and child say to each other: frames of a length and MessagePack."""

from __future__ import annotations

import struct
from typing import IO, Any

import msgspec

from qvmon.stores.query.apart import Answer, Question

_LENGTH = struct.Struct("<I")


class MergeBlocks(msgspec.Struct, frozen=True, tag="merge"):
    """Write block ``into`` from blocks ``numbers`` of a data directory, less ``deletions``."""

    directory: str
    numbers: tuple[int, ...]
    into: int
    deletions: bytes
    """As ``docs/formats/tombstones.md`` has them."""


class Evaluate(msgspec.Struct, frozen=True, tag="evaluate"):
    """Answer a question from a view of a telemetry store; the result goes to files in it."""

    view: str
    question: Question


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The task is done; a question has an answer."""

    answer: Answer | None = None


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The task failed: an error as it was raised, and the number of a damaged block."""

    kind: str
    message: str
    context: dict[str, Any] = {}
    block: int | None = None


Task = MergeBlocks | Evaluate
Reply = Done | Failed


def write_message(stream: IO[bytes], message: Task | Reply) -> None:
    """Write one frame and see it off."""
    body = msgspec.msgpack.encode(message)
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def read_task(stream: IO[bytes]) -> Task | None:
    """Return the next task; None when the parent is gone."""
    body = _frame(stream)
    if body is None:
        return None
    task: Task = msgspec.msgpack.decode(body, type=Task)
    return task


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
