"""What is remembered of the series of earlier requests, to recognise them when they come again."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qvmon.model.errors import QvmonError
from qvmon.model.series import Bytes, Int64s, SampleBatch
from qvmon.wire.compression import decompress, open_snappy
from qvmon.wire.remote_write.decoding import WriteRequest, decode, read_message
from qvmon.wire.remote_write.recognition import kernels

_Columns = tuple[Int64s, Int64s, NDArray[np.uint64], Int64s]

_DESK_BYTES = 4 << 20
_FIRST_ROOM = 1024
_SHORTEST_SAMPLE = 9
_SHORTEST_SERIES = 16


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What stands for label sets; a thread that reads an older one finds fewer of them."""

    count: int
    hashes: NDArray[np.uint64]
    ids: Int64s
    followers: Int64s
    slots: Int64s

    @classmethod
    def none(cls) -> _Rows:
        return cls(
            0,
            np.zeros((_FIRST_ROOM, 2), np.uint64),
            np.zeros(_FIRST_ROOM, np.int64),
            np.full(_FIRST_ROOM + 1, -1, np.int64),
            np.zeros(4 * _FIRST_ROOM, np.int64),
        )

    def with_room(self, rows: int) -> _Rows:
        room = len(self.ids)
        while room < rows:
            room *= 2
        grown = room - len(self.ids)
        if not grown:
            return self
        hashes = np.concatenate([self.hashes, np.zeros((grown, 2), np.uint64)])
        slots = np.zeros(4 * room, np.int64)
        kernels.fill(hashes, self.count, slots)
        ids = np.concatenate([self.ids, np.zeros(grown, np.int64)])
        followers = np.concatenate([self.followers, np.full(grown, -1, np.int64)])
        return _Rows(self.count, hashes, ids, followers, slots)


class _Desk:
    """Room for one request at a time, kept from one to the next: fresh memory costs its pages."""

    def __init__(self) -> None:
        self.message: Bytes = np.empty(_DESK_BYTES, np.uint8)
        self._columns = _columns(_DESK_BYTES)

    def columns(self, size: int) -> _Columns:
        """Return room for what a message of ``size`` bytes may hold."""
        return self._columns if size <= _DESK_BYTES else _columns(size)


def _columns(size: int) -> _Columns:
    samples = size // _SHORTEST_SAMPLE + 1
    return (
        np.empty(samples, np.int64),
        np.empty(samples, np.int64),
        np.empty(samples, np.uint64),
        np.empty((size // _SHORTEST_SERIES + 1, 2), np.int64),
    )


class SeriesMemory:
    """Recognises series by their labels as senders write them; takes some 60 bytes for each.

    Labels are told apart by 128 bits of hashes that depend on a secret: that two of a million
    label sets are taken for each other has a chance of one in 10^26.

    ``read`` may be called by several threads at a time, ``learn`` by one at a time beside them.

    Args:
        most: How many label sets are remembered; beyond that it starts over.
    """

    def __init__(self, most: int = 1 << 22) -> None:
        self._most = most
        words = np.frombuffer(secrets.token_bytes(32), np.uint64)
        self._secret = words | np.array([0, 0, 1, 1], np.uint64)
        self._rows = _Rows.none()
        self._desks: deque[_Desk] = deque(maxlen=2)

    def __len__(self) -> int:
        return self._rows.count

    def read(self, body: bytes, content_encoding: str, *, max_bytes: int) -> WriteRequest:
        """Return what ``decode`` does, the samples of series recognised in ``known``.

        Args:
            body: The body as it was received.
            content_encoding: Its ``Content-Encoding``.
            max_bytes: The most bytes the request may have when decompressed.

        Raises:
            QvmonError: As ``decode`` does.
        """
        if not len(self):
            return decode(body, content_encoding, max_bytes=max_bytes)
        try:
            desk = self._desks.pop()
        except IndexError:
            desk = _Desk()
        try:
            return self._read(body, content_encoding.strip().lower(), max_bytes, desk)
        finally:
            self._desks.append(desk)

    def _read(self, body: bytes, encoding: str, max_bytes: int, desk: _Desk) -> WriteRequest:
        if encoding in {"", "snappy"}:
            message = open_snappy(body, max_bytes, desk.message)
        else:
            message = np.frombuffer(decompress(body, encoding, max_bytes), np.uint8)
        known, rest = self._recognised(message, desk)
        try:
            return read_message(rest, known)
        except QvmonError:
            return read_message(message.tobytes())  # it says where in the whole the mistake is

    def _recognised(self, message: Bytes, desk: _Desk) -> tuple[SampleBatch, bytes]:
        """Return the samples of known series, and the message without them."""
        columns = series, timestamps, values, rest = desk.columns(len(message))
        rows = self._rows
        samples, stretches = kernels.recognise(
            message,
            self._secret,
            rows.hashes,
            rows.ids,
            rows.followers,
            rows.slots,
            rows.count,
            *columns,
        )
        left = b"".join(message[start:end].tobytes() for start, end in rest[:stretches].tolist())
        kept = series[:samples].copy(), timestamps[:samples].copy(), values[:samples].copy()
        return SampleBatch(kept[0], kept[1], kept[2].view(np.float64)), left

    def learn(self, request: WriteRequest, ids: Int64s) -> None:
        """Remember the series of a request that were not recognised.

        Args:
            request: What ``read`` returned.
            ids: int64[n]; what its ``keys`` became, -1 for what was refused.
        """
        count = len(ids) + len(request.refused)
        if not count:
            return
        became = np.full(count, -1, np.int64)
        stored = np.ones(count, np.bool_)
        stored[[each.series for each in request.refused]] = False
        became[stored] = ids
        before = _Rows.none() if len(self) + count > self._most else self._rows
        rows = before.with_room(before.count + count)
        source = np.frombuffer(request.source, np.uint8)
        table = rows.hashes, rows.ids, rows.slots, rows.count
        known = kernels.remember(source, became, self._secret, *table)
        self._rows = replace(rows, count=int(known))
