"""Those who write to us: who has fallen silent, who came back, and whose samples came too late."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from qvmon.model.labels import Labels
from qvmon.model.ports import AppendResult
from qvmon.model.series import Int32s, Int64s, SampleBatch, SeriesKeys
from qvmon.services.collection.kernels import hear, scope_keys
from qvmon.services.collection.ports import UnknownLog
from qvmon.services.collection.unknown import LATE, SENDER_GAP, SENDER_IDLE

_TOO_LATE = ("too_old", "out_of_order")
_UNSEEN, _NOBODY = -1, -2
_NEVER = -(2**62)


class Senders:
    """Watches groups of received series, told apart by their labels of ``SCOPE``.

    A group is *idle* once nothing new came for ``idle_ms``: unknown from its newest sample to its
    next one; what is refused or no newer than that is nothing new. Series without any of those
    labels belong to nobody and are not watched.

    Args:
        log: Where intervals are written down.
        idle_ms: How long a sender may be silent; 0 watches nobody.
        forget_ms: A sender silent for so long is retired: nothing more is expected of it.
        max_senders: Groups watched; further ones are not.
    """

    def __init__(
        self, log: UnknownLog, idle_ms: int, forget_ms: int, max_senders: int = 100_000
    ) -> None:
        self._log = log
        self._idle_ms, self._forget_ms = idle_ms, forget_ms
        self._max_senders = max_senders
        self._group_of_series: Int32s = np.empty(0, np.int32)
        self._groups: dict[bytes, int] = {}
        self._scopes: list[bytes] = []
        # by group: when something new came last, the newest sample, the earliest new of the batch
        self._heard, self._newest, self._first = (np.empty(0, np.int64) for _ in range(3))
        self._silent = np.empty(0, np.bool_)

    def __len__(self) -> int:
        return len(self._scopes)

    def resume(self, now_ms: int) -> None:
        """Go on waiting for those who were silent when an earlier process ended."""
        for each in self._log.open_unknown():
            if each.reason == SENDER_IDLE:
                group = self._group(each.scope.encode())
                self._make_room()
                self._heard[group] = now_ms - self._idle_ms
                self._newest[group], self._silent[group] = each.start_ms, True

    def received(
        self,
        keys: SeriesKeys,
        ids: Int64s,
        batch: SampleBatch,
        result: AppendResult,
        now_ms: int,
    ) -> None:
        """Note what came.

        Args:
            keys: The series of a request.
            ids: int64[k]; their ids.
            batch: Its samples.
            result: What became of them.
            now_ms: When it came.
        """
        if not self._idle_ms or not len(batch):
            return
        self._place(keys, ids)
        known = batch.series >= 0
        groups = np.full(len(batch), _NOBODY, np.int32)
        groups[known] = self._group_of_series[batch.series[known]]
        stored = groups.copy()
        for rows in result.refused.values():
            stored[rows] = _NOBODY
        returned, since = (np.empty(len(self), np.int64) for _ in range(2))
        count = hear(
            stored,
            batch.timestamps,
            now_ms,
            self._idle_ms,
            self._heard,
            self._newest,
            self._first,
            returned,
            since,
        )
        for group, newest in zip(returned[:count].tolist(), since[:count].tolist(), strict=True):
            self._back(group, newest, now_ms)
        self._note_late(groups, batch.timestamps, result, now_ms)

    def look(self, now_ms: int) -> None:
        """Find who has fallen silent, and retire who has been for very long."""
        quiet = now_ms - self._heard
        for group in np.flatnonzero((quiet > self._idle_ms) & ~self._silent & (self._heard >= 0)):
            self._silent[group] = True
            start = min(int(self._newest[group]), now_ms)
            self._log.begin_unknown(self._scope(int(group)), SENDER_IDLE, start)
        for group in np.flatnonzero((quiet > self._forget_ms) & self._silent):
            self._silent[group], self._heard[group] = False, _NEVER
            self._log.end_unknown(self._scope(int(group)), SENDER_IDLE, now_ms)

    def _back(self, group: int, newest_ms: int, now_ms: int) -> None:
        scope, end_ms = self._scope(group), min(int(self._first[group]), now_ms)
        if self._silent[group]:
            self._silent[group] = False
            self._log.end_unknown(scope, SENDER_IDLE, end_ms)
        elif end_ms - newest_ms > self._idle_ms:
            self._log.begin_unknown(scope, SENDER_GAP, newest_ms)
            self._log.end_unknown(scope, SENDER_GAP, end_ms)

    def _note_late(self, groups: Int32s, times: Int64s, result: AppendResult, now_ms: int) -> None:
        """Note as unknown the time of samples that came too late to be stored."""
        late = [result.refused[reason] for reason in _TOO_LATE if reason in result.refused]
        if not late:
            return
        rows = np.concatenate(late)
        for group in np.unique(groups[rows]).tolist():
            if group >= 0:
                own = times[rows[groups[rows] == group]]
                start, end = (int(np.clip(t, 0, now_ms)) for t in (own.min(), own.max() + 1))
                self._log.begin_unknown(self._scope(group), LATE, start)
                self._log.end_unknown(self._scope(group), LATE, end)

    def _place(self, keys: SeriesKeys, ids: Int64s) -> None:
        """Find the groups of series never seen before."""
        largest = int(ids.max(initial=-1))
        if largest >= len(self._group_of_series):
            room = np.full(max(1024, 2 * (largest + 1)), _UNSEEN, np.int32)
            room[: len(self._group_of_series)] = self._group_of_series
            self._group_of_series = room
        rows = np.flatnonzero(ids >= 0)
        rows = rows[self._group_of_series[ids[rows]] == _UNSEEN]
        if not len(rows):
            return
        arena = np.empty(int(np.sum(keys.offsets[rows + 1] - keys.offsets[rows])), np.uint8)
        offsets = np.zeros(len(rows) + 1, np.int64)
        scope_keys(keys.arena, keys.offsets, rows, arena, offsets)
        scopes = arena.tobytes()
        ends = offsets.tolist()
        self._group_of_series[ids[rows]] = [
            self._group(scopes[start:end]) for start, end in pairwise(ends)
        ]
        self._make_room()

    def _group(self, scope: bytes) -> int:
        if not scope:
            return _NOBODY
        group = self._groups.get(scope)
        if group is None:
            if len(self._scopes) >= self._max_senders:
                return _NOBODY
            group = self._groups[scope] = len(self._scopes)
            self._scopes.append(scope)
        return group

    def _scope(self, group: int) -> Labels:
        return Labels.decode(self._scopes[group])

    def _make_room(self) -> None:
        missing = len(self._scopes) - len(self._heard)
        if missing > 0:
            never = np.full(missing, _NEVER, np.int64)
            self._heard = np.concatenate([self._heard, never])
            self._newest = np.concatenate([self._newest, never])
            self._first = np.concatenate([self._first, never])
            self._silent = np.concatenate([self._silent, np.zeros(missing, np.bool_)])
