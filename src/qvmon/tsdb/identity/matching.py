"""From a matcher to the label pairs it accepts; an expression sees each distinct value once."""

from __future__ import annotations

import re
from collections import OrderedDict
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qvmon.model.labels import Matcher, MatchOp
from qvmon.model.series import Bools, Bytes, Int64s
from qvmon.tsdb.identity import kernels
from qvmon.tsdb.identity.symbols import SymbolArena

_REMEMBERED = 512
_LITERALS = re.compile(r"[\w:/@ -]+(\|[\w:/@ -]+)*", re.ASCII)
_ANYTHING = frozenset({".+", ".*"})


def literals(matcher: Matcher) -> list[str] | None:
    """Return the values a matcher names, None when it names them by an expression."""
    if matcher.op in (MatchOp.EQUAL, MatchOp.NOT_EQUAL):
        return [matcher.value]
    if _LITERALS.fullmatch(matcher.value):
        return sorted(set(matcher.value.split("|")))
    return None


class ExpressionMemory:
    """Which pairs satisfied an expression, so that only pairs added since are looked at.

    Args:
        symbols: The values' text.
    """

    def __init__(self, symbols: SymbolArena) -> None:
        self._symbols = symbols
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, MatchOp, str], tuple[int, Int64s]] = OrderedDict()

    def accepted(self, matcher: Matcher, name: int, pairs: Int64s) -> Int64s:
        """Return the numbers of the pairs with label name ``name`` that satisfy ``matcher``."""
        key = (matcher.name, matcher.op, matcher.value)
        with self._lock:
            seen, numbers = self._known.pop(key, (0, np.empty(0, np.int64)))
        fresh = self._evaluated(matcher, name, pairs[seen:]) + seen
        if len(fresh):
            numbers = np.concatenate((numbers, fresh))
        with self._lock:
            self._known[key] = (len(pairs), numbers)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return numbers

    def _evaluated(self, matcher: Matcher, name: int, pairs: Int64s) -> Int64s:
        named = np.flatnonzero(pairs >> 32 == name)
        if matcher.value in _ANYTHING:
            return named if matcher.op is MatchOp.REGEX else named[:0]
        if not len(named):
            return named
        chosen: Int64s = named[self._satisfying(matcher, pairs[named] & 0x7FFFFFFF)]
        return chosen

    def _satisfying(self, matcher: Matcher, codes: Int64s) -> Bools:
        """Return bool[n]: which strings satisfy an expression, asked of Arrow's RE2 all at once."""
        anchored = rf"\A(?s:{matcher.value})\z"
        try:
            found = pc.match_substring_regex(_texts(self._symbols, codes), anchored)
        except pa.ArrowInvalid:  # an open \Q swallows what was put behind it
            return np.array([matcher.matches(self._symbols[code]) for code in codes.tolist()], bool)
        matched: Bools = found.to_numpy(zero_copy_only=False)
        return matched if matcher.op is MatchOp.REGEX else ~matched


def _texts(symbols: SymbolArena, codes: Int64s) -> pa.LargeStringArray:
    arena, ends, *_ = symbols.table.columns()
    offsets = np.zeros(len(codes) + 1, np.int64)
    np.cumsum(symbols.lengths(codes), out=offsets[1:])
    texts: Bytes = np.empty(int(offsets[-1]), np.uint8)
    kernels.copy_strings(arena, ends, codes, offsets, texts)
    return pa.LargeStringArray.from_buffers(len(codes), pa.py_buffer(offsets), pa.py_buffer(texts))
