"""A data directory made of a snapshot, and opened once to see that it can be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qvmon.stores.telemetry.config import TelemetryConfig
from qvmon.tsdb.database import Database
from qvmon.tsdb.snapshot import restore_snapshot


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored directory holds.

    Attributes:
        series: Its series.
        blocks: Its blocks.
        samples: Samples in blocks, and in the log of what was not in blocks yet.
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
        in_blocks = sum(block.meta.samples for block in database.blocks)
        return Restored(
            database.index.live,
            len(database.blocks),
            in_blocks + database.recovery.samples,
            tuple(database.recovery.warnings),
        )
    finally:
        database.close()
