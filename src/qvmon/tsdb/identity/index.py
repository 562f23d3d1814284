"""The index: canonical label bytes to ids, matchers to ids, ids to label frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from threading import Lock
from types import MappingProxyType

import numpy as np

from qvmon.model.cardinality import Count
from qvmon.model.errors import invalid
from qvmon.model.labels import METRIC_NAME, Matcher, MatchOp
from qvmon.model.series import Bools, Bytes, Int32s, Int64s, LabelFrame, SeriesKeys
from qvmon.tsdb.identity import kernels
from qvmon.tsdb.identity.matching import ExpressionMemory, literals
from qvmon.tsdb.identity.postings import LayeredPostings, Members
from qvmon.tsdb.identity.strings import StringTable
from qvmon.tsdb.identity.symbols import SymbolArena
from qvmon.tsdb.reserve import reserved

_SERIES, _SYMBOLS, _PAIRS, _FORGOTTEN = 0, 1, 2, 3
_KEY_BYTES = 1024
_SYMBOL_BYTES = 256
_SYMBOLS_PER_SERIES = 4
_PAIRS_PER_SERIES = 16
_LABELS_PER_SERIES = 64
_ADDED_AT_ONCE = 4096
_IDS_PER_SERIES = 4
_NO_LIMIT = 2**62
_DENSE = 16


class Index:
    """All series of one store, numbered from 0 in the order they came.

    A number is given once: a series that is forgotten and comes back gets another one, and who
    still has the old one finds it by ``current``. Any thread may call any method; a short lock
    guards growth only.

    Attributes:
        capacity: Every id is smaller, however many series are forgotten.

    Args:
        max_series: The most series it takes at a time.
        max_metric_series: The most series of one metric; 0 for no limit.
        metric_limits: The same for some metrics by name; 0 refuses the metric.
    """

    def __init__(
        self,
        max_series: int,
        max_metric_series: int = 0,
        metric_limits: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.capacity = max_series * _IDS_PER_SERIES
        self._lock = Lock()
        self._counts: Int64s = np.zeros(4, np.int64)
        self._limits: Int64s = np.array([max_series, max_metric_series or _NO_LIMIT], np.int64)
        self._keys = StringTable(self.capacity, (max_series + 64) * _KEY_BYTES)
        symbols = (max_series + 1024) * _SYMBOLS_PER_SERIES
        texts = StringTable(symbols, symbols * _SYMBOL_BYTES)
        self.symbols = SymbolArena(texts, self._counts)
        self._intern("")
        self._intern(METRIC_NAME)
        self._pairs = reserved((max_series + 1024) * _PAIRS_PER_SERIES, np.int64)
        self._slots: Int64s = np.zeros(1024, np.int64)
        self._members = Members(
            reserved(self.capacity + 1, np.int64),
            reserved((max_series + 64) * _LABELS_PER_SERIES, np.int32),
            reserved(self.capacity, np.uint8),
        )
        self._metrics = reserved(self.capacity, np.int32)
        self._metric_series = reserved(symbols, np.int64)
        self._metric_limits = reserved(symbols, np.int64)
        self._metric_refused = reserved(symbols, np.int64)
        for name, limit in metric_limits.items():
            self._metric_limits[self._intern(name)] = limit + 1
        self._postings = LayeredPostings.empty()
        self._expressions = ExpressionMemory(self.symbols)

    def _intern(self, text: str) -> int:
        table, known = self.symbols.table, int(self._counts[_SYMBOLS])
        table.make_room(known + 1)
        content = np.frombuffer(text.encode(), np.uint8)
        code = int(kernels.intern(content, 0, len(content), *table.columns(), known))
        self._counts[_SYMBOLS] = max(known, code + 1)
        return code

    def __len__(self) -> int:
        return int(self._counts[_SERIES])

    @property
    def live(self) -> int:
        """How many series there are, those forgotten apart."""
        return len(self) - self.forgotten

    @property
    def forgotten(self) -> int:
        """How many series were forgotten; what they took is free after the next start."""
        return int(self._counts[_FORGOTTEN])

    def ids(self, keys: SeriesKeys, *, unlimited: bool = False) -> Int64s:
        """Return int64[n]: the ids of ``keys``, adding those that are new; -1 over a limit.

        Args:
            keys: Who they are.
            unlimited: They are stored already: no limit is asked.

        Raises:
            QvmonError: INVALID, when a new key is not canonical label bytes; none is added.
        """
        found = np.empty(len(keys), np.int64)
        with self._lock:
            if kernels.find_all(keys.arena, keys.offsets, *self._keys.columns(), found):
                self._add(keys, found, unlimited=unlimited)
        return found

    def known_ids(self, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``, -1 for those not here; none is added."""
        found = np.empty(len(keys), np.int64)
        with self._lock:
            kernels.find_all(keys.arena, keys.offsets, *self._keys.columns(), found)
        return found

    def _add(self, keys: SeriesKeys, found: Int64s, *, unlimited: bool) -> None:
        rows = np.flatnonzero(found < 0)
        bad = int(kernels.first_malformed(keys.arena, keys.offsets, rows))
        if bad >= 0:
            raise invalid("series key is not canonical label bytes", row=bad, key=keys.key(bad))
        for start in range(0, len(rows), _ADDED_AT_ONCE):
            some = rows[start : start + _ADDED_AT_ONCE]
            self._add_rows(keys, some, found, unlimited=unlimited)

    def _add_rows(self, keys: SeriesKeys, rows: Int64s, found: Int64s, *, unlimited: bool) -> None:
        strings = int(kernels.count_strings(keys.arena, keys.offsets, rows))
        self._make_room(len(rows), strings)
        kernels.add_series(
            keys.arena,
            keys.offsets,
            rows,
            *self._keys.columns(),
            *self.symbols.table.columns(),
            self._slots,
            self._pairs,
            self._members.ends,
            self._members.pairs,
            self._counts,
            self._metrics,
            self._metric_series,
            self._metric_limits,
            self._metric_refused,
            self._limits,
            unlimited,
            found,
        )

    def _make_room(self, series: int, strings: int) -> None:
        self._keys.make_room(len(self) + series)
        self.symbols.table.make_room(len(self.symbols) + strings)
        pairs = int(self._counts[_PAIRS])
        slots = len(self._slots)
        while slots < 2 * (pairs + strings):
            slots *= 2
        if slots > len(self._slots):
            self._slots = np.zeros(slots, np.int64)
            kernels.rehash_pairs(self._pairs, pairs, self._slots)

    def refused(self, limit: int) -> list[Count]:
        """Return the metrics of which most new series were refused, the most first.

        Each time one is asked for and refused counts. The name is empty for metrics that had no
        series when all there may be were there.
        """
        counts = self._metric_refused[: self._counts[_SYMBOLS]]
        metrics = np.flatnonzero(counts)
        order = metrics[np.argsort(-counts[metrics], kind="stable")[:limit]]
        return [Count(self.symbols[int(metric)], int(counts[metric])) for metric in order]

    def forget(self, ids: Int64s) -> None:
        """Take series out that have no sample anywhere; their keys and frames go on to be known."""
        with self._lock:
            columns = self._members.gone, self._metrics, self._metric_series, self._counts
            kernels.forget_series(ids, len(self), *columns)
            self._keys.forget(self._members.gone)
            pairs = int(self._counts[_PAIRS])
            self._postings = LayeredPostings.whole(self._members, pairs, len(self))

    def current(self, ids: Int64s) -> Int64s:
        """Return ``ids`` with those of forgotten series replaced, for which these come back."""
        if not self.forgotten:
            return ids
        known = (ids >= 0) & (ids < len(self))
        lost = known & (self._members.gone[np.where(known, ids, 0)] > 0)
        if not np.any(lost):
            return ids
        old, places = np.unique(ids[lost], return_inverse=True)
        fresh = ids.copy()
        fresh[lost] = self.ids(self.keys(old))[places]
        return fresh

    def keys(self, ids: Int64s) -> SeriesKeys:
        """Return the canonical label bytes of the series ``ids``."""
        ends = self._keys.ends
        offsets = np.zeros(len(ids) + 1, np.int64)
        np.cumsum(ends[ids + 1] - ends[ids], out=offsets[1:])
        arena: Bytes = np.empty(int(offsets[-1]), np.uint8)
        kernels.copy_strings(self._keys.arena, ends, ids, offsets, arena)
        return SeriesKeys(arena, offsets)

    def match(self, matchers: Sequence[Matcher]) -> Int64s:
        """Return the ascending ids of the series that satisfy every matcher."""
        postings = self._current()
        wanted: list[Int64s] = []
        unwanted: list[Int64s] = []
        for matcher in matchers:
            if matcher.matches(""):
                unwanted.append(postings.of_any(self._pairs_of(_opposite(matcher))))
            else:
                wanted.append(postings.of_any(self._pairs_of(matcher)))
        wanted.sort(key=len)
        chosen = reduce(_intersection, wanted) if wanted else self._all(postings.stop)
        for ids in unwanted:
            chosen = _difference(chosen, ids)
        return chosen

    def _all(self, stop: int) -> Int64s:
        return np.flatnonzero(self._members.gone[:stop] == 0)

    def _current(self) -> LayeredPostings:
        with self._lock:
            if self._postings.stop < len(self):
                pairs = int(self._counts[_PAIRS])
                self._postings = self._postings.grown(self._members, pairs, len(self))
            return self._postings

    def _pairs_of(self, matcher: Matcher) -> Int64s:
        """Return the pairs with the matcher's name whose value satisfies it."""
        values = literals(matcher)
        with self._lock:
            pairs = self._pairs[: self._counts[_PAIRS]]
            name = self.symbols.find(matcher.name)
            if name < 0:
                return pairs[:0]
            named = [] if values is None else [self._pair(name, value) for value in values]
        if values is None:
            return self._expressions.accepted(matcher, name, pairs)
        exact = np.array([pair for pair in named if pair >= 0], np.int64)
        if matcher.op in (MatchOp.EQUAL, MatchOp.REGEX):
            return exact
        others: Int64s = np.setdiff1d(np.flatnonzero(pairs >> 32 == name), exact)
        return others

    def _pair(self, name: int, value: str) -> int:
        code = self.symbols.find(value)
        return kernels.find_pair(name << 32 | code, self._slots, self._pairs) if code >= 0 else -1

    def count_pairs(self, ids: Int64s) -> tuple[Int64s, Int64s, Int64s]:
        """Return the label pairs of the series ``ids``: name codes, value codes, series of each."""
        counts = np.zeros(int(self._counts[_PAIRS]), np.int64)
        kernels.count_pairs(ids, self._members.ends, self._members.pairs, counts)
        present = np.flatnonzero(counts)
        pairs = self._pairs[present]
        return pairs >> 32, pairs & 0x7FFFFFFF, counts[present]

    def frame(self, ids: Int64s) -> LabelFrame:
        """Return the labels of the series ``ids``, in that order."""
        columns = self._members.ends, self._members.pairs, self._pairs
        found: Int64s = np.empty(len(self.symbols), np.int64)
        count = kernels.distinct_names(ids, *columns, found)
        names = sorted((self.symbols[code], code) for code in found[:count].tolist())
        ordered = np.array([code for _, code in names], np.int64)
        codes: Int32s = np.zeros((len(ids), len(names)), np.int32)
        kernels.fill_codes(ids, *columns, ordered, codes)
        return LabelFrame(tuple(name for name, _ in names), codes, self.symbols)


_OPPOSITES = {
    MatchOp.EQUAL: MatchOp.NOT_EQUAL,
    MatchOp.NOT_EQUAL: MatchOp.EQUAL,
    MatchOp.REGEX: MatchOp.NOT_REGEX,
    MatchOp.NOT_REGEX: MatchOp.REGEX,
}


def _opposite(matcher: Matcher) -> Matcher:
    return Matcher(matcher.name, _OPPOSITES[matcher.op], matcher.value)


def _intersection(small: Int64s, large: Int64s) -> Int64s:
    return small[_contains(large, small)]


def _difference(chosen: Int64s, unwanted: Int64s) -> Int64s:
    return chosen[~_contains(unwanted, chosen)]


def _contains(ascending: Int64s, wanted: Int64s) -> Bools:
    if not len(ascending):
        return np.zeros(len(wanted), np.bool_)
    top = int(ascending[-1])
    if top < _DENSE * len(wanted):
        marked = np.zeros(top + 2, np.bool_)
        marked[ascending] = True
        return marked[np.minimum(wanted, top + 1)]
    at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    contained: Bools = ascending[at] == wanted
    return contained
