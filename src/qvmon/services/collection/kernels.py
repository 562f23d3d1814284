"""Looking up the series of a scrape in a target's table."""

from __future__ import annotations

from qvmon.model.compiled import kernel
from qvmon.model.series import Int32s, Int64s
from qvmon.services.collection.arrays import UInt64s


@kernel("void(int32[::1], uint64[::1], int64)")
def fill(slots: Int32s, known: UInt64s, first: int) -> None:
    """Enter rows ``first`` and later of ``known`` into an open-addressing table.

    Args:
        slots: int32[2**k]; row + 1, or 0 for a free slot; at least half are free.
        known: uint64[n]; the hash of each row, no two alike.
        first: The first row to enter.
    """
    mask = len(slots) - 1
    for row in range(first, len(known)):
        at = known[row] & mask
        while slots[at] != 0:
            at = (at + 1) & mask
        slots[at] = row + 1


@kernel("void(int32[::1], uint64[::1], int64[::1], uint64[::1], int64, int64[::1], int64[::1])")
def look_up(
    slots: Int32s,
    known: UInt64s,
    seen: Int64s,
    wanted: UInt64s,
    iteration: int,
    rows: Int64s,
    previous: Int64s,
) -> None:
    """Find the row of each wanted hash and mark it as seen.

    Args:
        slots: The table.
        known: uint64[n]; the hash of each row.
        seen: int64[n]; when each row was last seen; set to ``iteration`` for those found.
        wanted: uint64[m]; what to look up.
        iteration: The number of this scrape.
        rows: int64[m], written: the row, or -1 for a hash that is not in the table.
        previous: int64[m], written: the row's ``seen`` before, or -1.
    """
    mask = len(slots) - 1
    for i in range(len(wanted)):
        rows[i] = -1
        previous[i] = -1
        at = wanted[i] & mask
        while slots[at] != 0:
            row = slots[at] - 1
            if known[row] == wanted[i]:
                rows[i] = row
                previous[i] = seen[row]
                seen[row] = iteration
                break
            at = (at + 1) & mask
