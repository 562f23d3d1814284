"""The strings of labels, numbered; decoded when somebody looks at one."""

from __future__ import annotations

from qvmon.model.series import Int64s
from qvmon.tsdb.identity.strings import StringTable


class SymbolArena:
    """``model.series.Symbols`` over a string table; number 0 is the empty string.

    Args:
        table: Label names and values as UTF-8; string 0 must be the empty one.
        counts: int64[...] shared with the index; ``counts[1]`` is the number of symbols.
    """

    __slots__ = ("_counts", "table")

    def __init__(self, table: StringTable, counts: Int64s) -> None:
        self.table = table
        self._counts = counts

    def __getitem__(self, code: int, /) -> str:
        if not 0 <= code < self._counts[1]:
            raise IndexError(code)
        return self.table.text(code).decode(errors="replace")

    def __len__(self) -> int:
        return int(self._counts[1])

    def lengths(self, codes: Int64s) -> Int64s:
        """Return int64[n]: the bytes of each string."""
        lengths: Int64s = self.table.ends[codes + 1] - self.table.ends[codes]
        return lengths

    def find(self, text: str) -> int:
        """Return the code of ``text``, negative when no label has it."""
        return self.table.find(text.encode())
