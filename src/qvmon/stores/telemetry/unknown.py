"""Unknown intervals, kept over restarts in a small log of their own."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import msgspec

from qvmon.model.labels import Labels, Matcher
from qvmon.model.unknown import UnknownInterval, matching_any
from qvmon.tsdb.files.durable import replace_file

_Key = tuple[Labels, str]
_HEADER = b"qvmon unknown 1\n"


class _Entry(msgspec.Struct, omit_defaults=True):
    """One line: an interval began, or (with ``end``) the newest of its key ended."""

    scope: dict[str, str]
    reason: str
    start: int
    end: int | None = None


class UnknownBook:
    """The intervals of one data directory; at most one of each scope and reason is open.

    Every change is one checksummed line that a kill cannot take back; ``sync`` guards it against
    a power cut, too. A line that cannot be read is left out and counted.

    Args:
        path: The file; ``docs/formats/unknown.md`` says what is in it.
        limit: Intervals kept; the oldest that have ended go first.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._lock = Lock()
        self._kept: dict[_Key, list[UnknownInterval]] = {}
        self._count = 0
        self.unreadable = 0
        self._behind = False
        self.dropped = 0
        whole = self._load()
        self._lines = self._count
        self._file = _opened(path)
        self._dirty = False
        if not whole:
            self._rewrite()

    def __len__(self) -> int:
        return self._count

    def begin(self, scope: Labels, reason: str, start_ms: int) -> None:
        """Open an interval; one that ended no earlier than ``start_ms`` goes on instead."""
        with self._lock:
            self._apply(UnknownInterval(scope, start_ms, None, reason))
            self._write(UnknownInterval(scope, start_ms, None, reason))

    def end(self, scope: Labels, reason: str, end_ms: int) -> None:
        """Close the open interval of a scope and reason; without one nothing happens."""
        with self._lock:
            kept = self._kept.get((scope, reason))
            if kept and kept[-1].end_ms is None:
                ended = replace(kept[-1], end_ms=end_ms)
                self._apply(ended)
                self._write(ended)

    def open(self) -> list[UnknownInterval]:
        """Return the intervals that have not ended."""
        with self._lock:
            return [kept[-1] for kept in self._kept.values() if kept[-1].end_ms is None]

    def find(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> list[UnknownInterval]:
        """Return what overlaps ``start_ms`` to ``end_ms`` and matches any set, by start."""
        with self._lock:
            kept = [(intervals[0].labels(), list(intervals)) for intervals in self._kept.values()]
        found = [
            (interval.start_ms, labels.pairs(), interval)
            for labels, intervals in kept
            if matching_any(labels, matcher_sets)
            for interval in intervals
            if interval.overlaps(start_ms, end_ms)
        ]
        return [interval for *_, interval in sorted(found, key=lambda each: each[:2])]

    def copy(self, path: Path) -> None:
        """Write what is known now to another file."""
        with self._lock:
            lines = [_line(each) for kept in self._kept.values() for each in kept]
        path.write_bytes(_HEADER + b"".join(lines))

    def retain(self, before_ms: int) -> None:
        """Forget what ended before a moment; the file shrinks once most of it is forgotten."""
        with self._lock:
            self._keep_after(before_ms)
            if self._lines > 64 + 2 * self._count:
                self._rewrite()

    def sync(self) -> None:
        """Make what was written survive a power cut; what the disk refused is tried again."""
        with self._lock:
            dirty, self._dirty = self._dirty, False
            if self._behind:
                self._rewrite()
            if not dirty:
                return
            file = os.dup(self._file)
        try:  # without the lock: who writes down the next interval need not wait for the disk
            os.fsync(file)
        finally:
            os.close(file)

    def close(self) -> None:
        """Sync and let go of the file."""
        self.sync()
        os.close(self._file)

    def _apply(self, interval: UnknownInterval) -> None:
        kept = self._kept.setdefault((interval.scope, interval.reason), [])
        last = kept[-1] if kept else None
        if last is None or (last.end_ms is not None and last.end_ms < interval.start_ms):
            kept.append(interval)
            self._count += 1
            self._bound()
        elif interval.end_ms is None:
            kept[-1] = replace(last, start_ms=min(last.start_ms, interval.start_ms), end_ms=None)
        elif interval.end_ms > last.start_ms:
            kept[-1] = replace(last, end_ms=interval.end_ms)
        else:  # the clock was set back: nothing of it is left
            kept.pop()
            self._count -= 1
            if not kept:
                del self._kept[interval.scope, interval.reason]

    def _bound(self) -> None:
        """Forget the oldest tenth of what has ended when there is too much."""
        if self._count <= self._limit:
            return
        ends = sorted(
            each.end_ms for kept in self._kept.values() for each in kept if each.end_ms is not None
        )
        if ends:
            before, had = ends[min(len(ends) - 1, self._limit // 10)], self._count
            self._keep_after(before)
            self.dropped += had - self._count

    def _keep_after(self, before_ms: int) -> None:
        after = {
            key: [each for each in kept if each.end_ms is None or each.end_ms > before_ms]
            for key, kept in self._kept.items()
        }
        self._kept = {key: kept for key, kept in after.items() if kept}
        self._count = sum(map(len, self._kept.values()))

    def _write(self, interval: UnknownInterval) -> None:
        line = _line(interval)
        try:
            self._behind |= os.write(self._file, line) < len(line)
        except OSError:
            self._behind = True
        self._lines += 1
        self._dirty = True

    def _rewrite(self) -> None:
        lines = (_line(each) for kept in self._kept.values() for each in kept)
        replace_file(self._path, _HEADER + b"".join(lines))
        os.close(self._file)
        self._file, self._lines, self._behind = _opened(self._path), self._count, False

    def _load(self) -> bool:
        """Read the file; return whether it was there and whole."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return False
        lines = content.removeprefix(_HEADER).splitlines(keepends=True)
        for entry in _entries(lines):
            interval = _interval(entry)
            if interval is None:
                self.unreadable += 1
            else:
                self._apply(interval)
        return content.startswith(_HEADER) and not self.unreadable


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)


def _line(interval: UnknownInterval) -> bytes:
    entry = _Entry(dict(interval.scope), interval.reason, interval.start_ms, interval.end_ms)
    text = msgspec.json.encode(entry)
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _entries(lines: Iterable[bytes]) -> Iterator[_Entry | None]:
    """Yield what each line says, None for one that is torn or altered."""
    for line in lines:
        checksum, _, text = line.rstrip(b"\n").partition(b" ")
        try:
            whole = line.endswith(b"\n") and int(checksum, 16) == zlib.crc32(text)
            yield msgspec.json.decode(text, type=_Entry) if whole else None
        except (ValueError, msgspec.MsgspecError):
            yield None


def _interval(entry: _Entry | None) -> UnknownInterval | None:
    if entry is None:
        return None
    return UnknownInterval(Labels(entry.scope), entry.start, entry.end, entry.reason)
