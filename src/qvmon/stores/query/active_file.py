"""The queries that run, written where a crash leaves them to be read.

The file is mapped, never synced: it survives the process, and a power cut matters to no query.
Its layout stands in ``docs/formats/active-queries.md``.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from zlib import crc32

import msgspec

MAGIC = b"qvmactq1"
SLOT_BYTES = 1024
_SLOT_HEADER = struct.Struct("<II")
_ROOM = SLOT_BYTES - _SLOT_HEADER.size
_MOST_TEXT = 600


class ActiveQuery(msgspec.Struct, frozen=True):
    """A query as the file keeps it.

    Attributes:
        text: PromQL, cut off where it is long.
        kind: ``instant``, ``range``, ``rules``, ...
        asker: Whose it is: ``person``, ``token``, ``service``.
        started_us: When it arrived, microseconds since the epoch.
        priority: ``rules``, ``dashboards`` or ``analysis``; empty in files of earlier versions.
    """

    text: str
    kind: str
    asker: str
    started_us: int
    priority: str = ""


class ActiveFile:
    """Slots for running queries in a mapped file.

    Args:
        path: The file; its directory is made.
        slots: How many queries it can show; more run unseen.

    Raises:
        OSError: There is no room for all slots, or the file cannot be had.
    """

    def __init__(self, path: Path, slots: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        size = len(MAGIC) + slots * SLOT_BYTES
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(descriptor, 0, size)  # a page without its block would kill us
            self._map = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        self._map[: len(MAGIC)] = MAGIC
        self._free = list(range(slots))

    def put(self, query: ActiveQuery) -> int | None:
        """Write a query; return its slot, None when all are taken."""
        if not self._free:
            return None
        slot = self._free.pop()
        body = msgspec.json.encode(msgspec.structs.replace(query, text=_cut(query.text)))
        at = self._at(slot)
        self._map[at + _SLOT_HEADER.size : at + _SLOT_HEADER.size + len(body)] = body
        self._map[at : at + _SLOT_HEADER.size] = _SLOT_HEADER.pack(len(body), crc32(body))
        return slot

    def clear(self, slot: int | None) -> None:
        """Empty a slot."""
        if slot is not None:
            at = self._at(slot)
            self._map[at : at + _SLOT_HEADER.size] = bytes(_SLOT_HEADER.size)
            self._free.append(slot)

    def _at(self, slot: int) -> int:
        return len(MAGIC) + slot * SLOT_BYTES


def read_active(path: Path) -> tuple[ActiveQuery, ...]:
    """Return the queries in a file, oldest first; none where there is no such file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    if not content.startswith(MAGIC):
        return ()
    slots = range(len(MAGIC), len(content) - SLOT_BYTES + 1, SLOT_BYTES)
    found = (_read_slot(content[at : at + SLOT_BYTES]) for at in slots)
    return tuple(sorted((each for each in found if each), key=lambda each: each.started_us))


def _read_slot(slot: bytes) -> ActiveQuery | None:
    length, checksum = _SLOT_HEADER.unpack_from(slot)
    body = slot[_SLOT_HEADER.size : _SLOT_HEADER.size + length]
    if not 0 < length <= _ROOM or crc32(body) != checksum:
        return None
    try:
        return msgspec.json.decode(body, type=ActiveQuery)
    except msgspec.MsgspecError:
        return None


def _cut(text: str) -> str:
    """Return the beginning of a text that takes a bounded number of bytes as JSON."""
    while len(msgspec.json.encode(text)) > _MOST_TEXT:
        text = text[: max(1, len(text) * 2 // 3)]
    return text
