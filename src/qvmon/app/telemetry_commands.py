"""``qvmon telemetry``: offline work on metrics."""

from __future__ import annotations

from pathlib import Path

from qvmon.app.settings import Settings
from qvmon.stores.telemetry import Restored, restore


def restore_offline(snapshot: Path, settings: Settings) -> Restored:
    """Make the metrics of the data directory that ``settings`` name of a snapshot.

    Raises:
        QvmonError: NOT_FOUND when there is no snapshot, CONFLICT when there are metrics already,
            UNAVAILABLE when the file system refuses.
    """
    return restore(snapshot, settings.data_dir / "telemetry", settings.telemetry)
