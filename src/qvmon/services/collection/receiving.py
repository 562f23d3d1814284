"""Remote writes: from a request's bytes to samples in the store."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from functools import partial

import numpy as np

from qvmon.model.clock import Clock, now_ms
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.exemplars import ExemplarSink
from qvmon.model.metrics import Registry
from qvmon.model.ports import AppendResult, SampleSink
from qvmon.model.series import Int64s, SampleBatch, SeriesKeys
from qvmon.services.collection import metrics
from qvmon.services.collection.config import CollectionConfig
from qvmon.services.collection.ports import UnknownLog
from qvmon.services.collection.quotas import Quotas, Rate, SenderStatus
from qvmon.services.collection.senders import Senders
from qvmon.wire.remote_write import SeriesMemory, WriteRequest, all_samples

TOO_FAST = "sender_rate_limit"
TOO_MANY_SERIES = "sender_series_limit"

_INLINE_BYTES = 16 << 10
"""Bodies up to this size are read in the loop: snappy makes them at most twenty times as large."""

_MANY_SERIES = 1000
_WITHHELD = -2


class Receiving:
    """Takes what remote writers send.

    Args:
        config: What they may send, and when their silence is noted.
        sink: Where samples go.
        clock: When.
        registry: Where it counts.
        exemplars: Where exemplars go.
        unknown: Where is written down whose samples are missing.
    """

    def __init__(
        self,
        config: CollectionConfig,
        sink: SampleSink,
        clock: Clock,
        registry: Registry,
        *,
        exemplars: ExemplarSink,
        unknown: UnknownLog,
    ) -> None:
        self._idle_seconds = config.sender_idle_seconds
        self._sink = sink
        self._clock = clock
        self._registry = registry
        self._exemplars = exemplars
        self._memory = SeriesMemory()
        self._quotas = Quotas(
            Rate.of_samples(config.sender_samples_per_second),
            Rate.of_series(config.sender_new_series_per_hour),
        )
        self._senders = Senders(
            unknown, int(1000 * self._idle_seconds), int(1000 * config.sender_forget_seconds)
        )

    async def watch(self) -> None:
        """Note who has fallen silent, until cancelled."""
        while self._idle_seconds:
            await self._clock.sleep(self._idle_seconds / 4)
            self._senders.look(now_ms(self._clock))

    def resume(self) -> None:
        """Go on waiting for those who were silent when an earlier process ended."""
        self._senders.resume(now_ms(self._clock))

    def senders(self) -> list[SenderStatus]:
        """Return what became of what each sender sent since the process began."""
        return self._quotas.report()

    async def decode(self, body: bytes, content_encoding: str, max_bytes: int) -> WriteRequest:
        """Return what a request says; a large one is read in a thread.

        Raises:
            QvmonError: As ``SeriesMemory.read`` does.
        """
        if len(body) <= _INLINE_BYTES and content_encoding.strip().lower() in ("", "snappy"):
            return self._memory.read(body, content_encoding, max_bytes=max_bytes)
        read = partial(self._memory.read, max_bytes=max_bytes)
        return await asyncio.to_thread(read, body, content_encoding)

    async def store(self, sender: str, request: WriteRequest) -> AppendResult:
        """Store what ``sender`` sent; returns once it is durable.

        Raises:
            QvmonError: EXHAUSTED with ``retry_after_seconds`` when that is more than it may send:
                nothing was stored. As the sink does, too.
        """
        name = self._quotas.name_of(sender)
        self._admit(name, len(request.rows) + len(request.known))
        ids = await self._ids(name, request.keys)
        batch = all_samples(request, ids)
        result = _by_reason(batch, await self._sink.append(batch))
        self._memory.learn(request, ids)
        self._senders.received(request.keys, ids, batch, result, now_ms(self._clock))
        if request.metadata:
            self._sink.describe(request.metadata)
        if request.exemplars:
            self._exemplars.keep(request.exemplars)
        self._count(name, request, result)
        return result

    def _admit(self, name: str, samples: int) -> None:
        seconds = self._quotas.take_samples(name, samples, self._clock.monotonic())
        if seconds:
            self._note(name, 0, Counter({TOO_FAST: samples}))
            raise QvmonError(
                ErrorKind.EXHAUSTED,
                f"{name} sends more samples than it may; send these {samples} again in "
                f"{seconds:.1f} s",
                retry_after_seconds=math.ceil(seconds),
            )

    async def _ids(self, name: str, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``, negative for what is refused."""
        if self._quotas.limits_series:
            return self._limited_ids(name, keys)
        if len(keys) > _MANY_SERIES:
            return await asyncio.to_thread(self._sink.series_ids, keys)
        return self._sink.series_ids(keys)

    def _limited_ids(self, name: str, keys: SeriesKeys) -> Int64s:
        ids = self._sink.known_ids(keys)
        fresh = list(dict.fromkeys(keys.key(row) for row in np.flatnonzero(ids < 0).tolist()))
        if not fresh:
            return ids
        allowed = self._quotas.take_series(name, len(fresh), self._clock.monotonic())
        given = self._sink.series_ids(SeriesKeys.from_bytes(fresh[:allowed])).tolist()
        became = dict(zip(fresh, given, strict=False))
        for row in np.flatnonzero(ids < 0).tolist():
            ids[row] = became.get(keys.key(row), _WITHHELD)
        return ids

    def _count(self, name: str, request: WriteRequest, result: AppendResult) -> None:
        refused = request.refused_samples()
        refused.update({reason: len(rows) for reason, rows in result.refused.items()})
        self._note(name, result.accepted, refused)
        for part, count in request.dropped.items():
            self._registry.value(metrics.UNSTORED_PARTS, part).add(count)

    def _note(self, name: str, accepted: int, refused: Counter[str]) -> None:
        self._quotas.count(name, accepted, refused, now_ms(self._clock))
        self._registry.value(metrics.SAMPLES, "remote_write").add(accepted)
        for reason, count in refused.items():
            self._registry.value(metrics.REFUSED_SAMPLES, reason, name).add(count)


def _by_reason(batch: SampleBatch, result: AppendResult) -> AppendResult:
    """Tell the samples refused for their sender's limit from those for the store's."""
    rows = result.refused.get("series_limit")
    if rows is None:
        return result
    withheld = batch.series[rows] == _WITHHELD
    split = {"series_limit": rows[~withheld], TOO_MANY_SERIES: rows[withheld]}
    refused = {**result.refused, **split}
    return AppendResult(result.accepted, {why: some for why, some in refused.items() if len(some)})
