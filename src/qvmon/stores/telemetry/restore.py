"""A data directory made of a snapshot, and opened once to see that it can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qvmon.stores.telemetry.config import TelemetryConfig
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.database import Database
from qvmon.tsdb.rows import EARLIEST, LATEST
from qvmon.tsdb.snapshot import restore_snapshot

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored directory holds.

    Attributes:
        series: Its series that have samples.
        blocks: Its blocks.
        samples: Samples in blocks and in the log, less those that were deleted.
        warnings: A sentence for everything that was not as it should be.
    """

    series: int
    blocks: int
    samples: int
    warnings: tuple[str, ...]


def restore(snapshot: Path, directory: Path, config: TelemetryConfig) -> Restored:
    """Make the new data directory ``directory`` of ``snapshot``, which stays as it is.

    Raises:
        QvmonError: NOT_FOUND when ``snapshot`` is none, CONFLICT when ``directory`` is not empty,
            UNAVAILABLE when the file system refuses.
    """
    restore_snapshot(snapshot, directory)
    database = Database(directory, config.options())
    try:
        series = database.series([], EARLIEST, LATEST)
        in_blocks = sum(_samples(block) for block in database.blocks)
        in_head = sum(_in_head(database))
        warnings = tuple(database.recovery.warnings)
        return Restored(len(series), len(database.blocks), in_blocks + in_head, warnings)
    finally:
        database.close()


def _in_head(database: Database) -> Iterator[int]:
    for first in range(0, len(database.index), _AT_ONCE):
        ids = np.arange(first, min(first + _AT_ONCE, len(database.index)))
        yield int(database.head.read(ids, EARLIEST, LATEST).counts.sum())


def _samples(block: Block) -> int:
    if not len(block.deleted):
        return block.meta.samples
    return int(block.find(block.ids, EARLIEST, LATEST).counts.sum())
