"""How far the head is in blocks: the file that says which part of the log is still needed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from qvmon.tsdb.files.durable import replace_file
from qvmon.tsdb.files.sealed import sealed, unsealed
from qvmon.tsdb.rows import EARLIEST

_STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class HeadState:
    """What of the write-ahead log is in blocks.

    Attributes:
        settled_before_ms: Samples in order that are older.
        late_before_segment: Late samples whose segment is before this one.
    """

    settled_before_ms: int = EARLIEST
    late_before_segment: int = 0

    def save(self, path: Path) -> None:
        """Write it, all or nothing."""
        replace_file(path, sealed({"version": _STATE_VERSION, **asdict(self)}))

    @classmethod
    def load(cls, path: Path) -> HeadState:
        """Return what was saved; where nothing readable is, that nothing is in blocks.

        Then samples are replayed that blocks have too, which does no harm.
        """
        try:
            fields = unsealed(path.read_bytes())
            return cls(int(fields["settled_before_ms"]), int(fields["late_before_segment"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()
