"""What targets say about their metrics, remembered over restarts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from qvmon.model.series import MetricMetadata
from qvmon.tsdb.files.durable import replace_file


class MetadataBook:
    """The latest word on each metric. Losing the last few seconds of it is harmless.

    Args:
        path: The file it is kept in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = _load(path)
        self._changed = False

    def describe(self, metadata: Sequence[MetricMetadata]) -> None:
        """Remember ``metadata``."""
        for each in metadata:
            if self._entries.get(each.name) != each:
                self._entries[each.name] = each
                self._changed = True

    def entries(self, metric: str | None) -> list[MetricMetadata]:
        """Return what is known of one metric, or of all, sorted by name."""
        if metric is not None:
            return [self._entries[metric]] if metric in self._entries else []
        return sorted(self._entries.values(), key=lambda entry: entry.name)

    def content(self) -> bytes | None:
        """Return what the file should hold, None when it holds that already."""
        if not self._changed:
            return None
        self._changed = False
        return json.dumps([asdict(entry) for entry in self.entries(None)], indent=0).encode()

    def save(self, content: bytes) -> None:
        """Write the file, all or nothing."""
        replace_file(self._path, content)


def _load(path: Path) -> dict[str, MetricMetadata]:
    try:
        entries = [MetricMetadata(**fields) for fields in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError):
        return {}
    return {entry.name: entry for entry in entries}
