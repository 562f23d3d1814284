"""What is remembered of the series of earlier requests, to recognise them when they come again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qvmon.model.errors import QvmonError
from qvmon.model.series import Bytes, Int64s, SampleBatch
from qvmon.wire.compression import decompress
from qvmon.wire.remote_write.decoding import WriteRequest, decode, read_message
from qvmon.wire.remote_write.recognition import kernels

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
        message = decompress(body, content_encoding or "snappy", max_bytes)
        known, rest = self._recognised(np.frombuffer(message, np.uint8))
        if len(rest) == len(message):
            return read_message(message)
        try:
            return read_message(rest, known)
        except QvmonError:
            return read_message(message)  # which says where in the whole of it the mistake is

    def _recognised(self, message: Bytes) -> tuple[SampleBatch, bytes]:
        """Return the samples of known series, and the message without them."""
        room = len(message) // _SHORTEST_SAMPLE + 1
        series, timestamps = np.empty(room, np.int64), np.empty(room, np.int64)
        bits = np.empty(room, np.uint64)
        rest = np.empty((len(message) // _SHORTEST_SERIES + 1, 2), np.int64)
        rows = self._rows
        samples, stretches = kernels.recognise(
            message,
            self._secret,
            rows.hashes,
            rows.ids,
            rows.followers,
            rows.slots,
            rows.count,
            series,
            timestamps,
            bits,
            rest,
        )
        values = bits[:samples].view(np.float64)
        left = b"".join(message[start:end].tobytes() for start, end in rest[:stretches].tolist())
        return SampleBatch(series[:samples], timestamps[:samples], values), left

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
