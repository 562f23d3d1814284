"""Every file and directory name of a data directory; nothing else spells one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_SEGMENT_SUFFIX = ".wal"
_TEMPORARY_SUFFIX = ".tmp"


@dataclass(frozen=True, slots=True)
class DataPaths:
    """The layout of one data directory.

    ``lock``, ``head.json`` (how far the head is in blocks), ``tombstones.json``, ``metadata.json``,
    ``unknown.log``, ``wal/`` with one file a segment, ``blocks/`` with one directory a block,
    ``snapshots/`` with one directory a snapshot, ``views/`` with one directory a view,
    ``quarantine/`` for what could not be read.
    """

    root: Path

    @property
    def lock(self) -> Path:
        """The file whose lock makes a process the owner."""
        return self.root / "lock"

    @property
    def head_state(self) -> Path:
        """How much of the write-ahead log has become blocks."""
        return self.root / "head.json"

    @property
    def metadata(self) -> Path:
        """What targets said about their metrics."""
        return self.root / "metadata.json"

    @property
    def unknown(self) -> Path:
        """The unknown intervals."""
        return self.root / "unknown.log"

    @property
    def tombstones(self) -> Path:
        """What was deleted and may still stand in blocks and in the log."""
        return self.root / "tombstones.json"

    @property
    def snapshots(self) -> Path:
        """The directory of snapshots, each laid out as a data directory."""
        return self.root / "snapshots"

    @property
    def views(self) -> Path:
        """The directory of views, each for one query that another process answers."""
        return self.root / "views"

    def view(self, name: str) -> ViewPaths:
        """Return the layout of one view."""
        return ViewPaths(self.views / name)

    @property
    def wal(self) -> Path:
        """The directory of segments."""
        return self.root / "wal"

    @property
    def blocks(self) -> Path:
        """The directory of blocks."""
        return self.root / "blocks"

    @property
    def quarantine(self) -> Path:
        """The directory of unreadable bytes, kept for a person to look at."""
        return self.root / "quarantine"

    def create(self) -> None:
        """Make the directories that are missing."""
        for directory in (self.root, self.wal, self.blocks):
            directory.mkdir(parents=True, exist_ok=True)

    def segment(self, number: int) -> Path:
        """Return the file of one segment."""
        return self.wal / f"{number:08d}{_SEGMENT_SUFFIX}"

    def segments(self) -> list[int]:
        """Return the numbers of the segments there are, ascending."""
        return sorted(
            int(path.stem)
            for path in self.wal.glob(f"*{_SEGMENT_SUFFIX}")
            if path.stem.isascii() and path.stem.isdigit()
        )

    def block(self, number: int) -> BlockPaths:
        """Return the layout of one block."""
        return BlockPaths(self.blocks / f"{number:08d}")

    def block_numbers(self) -> list[int]:
        """Return the numbers of the blocks there are, ascending."""
        return sorted(int(path.name) for path in self.blocks.iterdir() if path.name.isdigit())

    def unfinished_blocks(self) -> list[Path]:
        """Return what a crash left of blocks that were being written or deleted."""
        return sorted(self.blocks.glob(f"*{_TEMPORARY_SUFFIX}"))


@dataclass(frozen=True, slots=True)
class BlockPaths:
    """The layout of one block's directory."""

    directory: Path

    @property
    def number(self) -> int:
        """The block's number; a later block has a larger one."""
        return int(self.directory.name)

    @property
    def temporary(self) -> BlockPaths:
        """Where the block is while it is written or deleted."""
        return BlockPaths(temporary(self.directory))

    @property
    def samples(self) -> Path:
        """Parquet: series, timestamp, value; sorted by series, then timestamp."""
        return self.directory / "samples.parquet"

    @property
    def series(self) -> Path:
        """Parquet: the series, their labels and where their samples are."""
        return self.directory / "series.parquet"

    @property
    def meta(self) -> Path:
        """JSON: version, time range, counts, sources."""
        return self.directory / "meta.json"


@dataclass(frozen=True, slots=True)
class ViewPaths:
    """The layout of a view: what a few selections need, and what comes of them."""

    root: Path

    @property
    def samples(self) -> DataPaths:
        """Blocks, deletions and unknown intervals, as in a data directory."""
        return DataPaths(self.root)

    @property
    def series(self) -> Path:
        """NumPy arrays: the keys of the series that were selected, by their ids."""
        return self.root / "series.npz"

    @property
    def result(self) -> Path:
        """The directory into which the reader writes."""
        return self.root / "result"


def temporary(path: Path) -> Path:
    """Return the name under which ``path`` is prepared before it is renamed."""
    return path.with_name(path.name + _TEMPORARY_SUFFIX)
