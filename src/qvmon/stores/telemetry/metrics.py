"""What the telemetry store says about itself."""

from __future__ import annotations

from qvmon.model.cardinality import Count
from qvmon.model.metrics import Registry, counter, gauge, histogram
from qvmon.stores.telemetry.unknown import UnknownBook
from qvmon.tsdb.database import Database
from qvmon.tsdb.intake import REASONS

SAMPLES = counter(
    "qvmon_telemetry_samples_appended_total", "Samples that were accepted and are durable."
)
REFUSED = counter("qvmon_telemetry_samples_refused_total", "Samples refused.", "reason")
COMMITS = histogram(
    "qvmon_telemetry_commit_duration_seconds",
    "Time to check, log and sync one group of batches.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
COMMIT_FAILURES = counter(
    "qvmon_telemetry_commit_failures_total", "Groups that could not be made durable."
)
PENDING = gauge("qvmon_telemetry_pending_samples", "Samples that wait to become durable.")
SERIES = gauge("qvmon_telemetry_series", "Series known: in the head or in a block.")
FORGOTTEN = gauge(
    "qvmon_telemetry_forgotten_series",
    "Series forgotten since the start; the next one frees their memory.",
)
SERIES_REFUSED = counter(
    "qvmon_telemetry_series_refused_total",
    "New series refused by a limit, each time one was asked for, of the metrics refused first.",
    "metric",
)
OVERRULED = counter(
    "qvmon_telemetry_overruled_samples_total",
    "Late samples dropped because a block had another value at their time.",
)
TOMBSTONES = gauge(
    "qvmon_telemetry_tombstones", "Deletions of samples that still stand in some file."
)
ACTIVE_SERIES = gauge("qvmon_telemetry_active_series", "Series with samples in the head.")
HEAD_BYTES = gauge("qvmon_telemetry_head_bytes", "Bytes of the head's samples.")
HEAD_LATE = gauge("qvmon_telemetry_late_samples", "Late samples that are not in blocks yet.")
WAL_BYTES = gauge("qvmon_telemetry_wal_bytes", "Bytes of the write-ahead log.")
WAL_SEGMENTS = gauge("qvmon_telemetry_wal_segments", "Segments of the write-ahead log.")
REPLAY = gauge(
    "qvmon_telemetry_wal_replay_duration_seconds", "Time the last start took to recover."
)
RECOVERY_WARNINGS = gauge(
    "qvmon_telemetry_recovery_warnings", "Things the last start found not as they should be."
)
QUARANTINED = gauge(
    "qvmon_telemetry_quarantined_blocks", "Blocks found damaged and set aside since the start."
)
BLOCKS = gauge("qvmon_telemetry_blocks", "Blocks.")
BLOCK_BYTES = gauge("qvmon_telemetry_block_bytes", "Bytes of all blocks.")
CACHE_BYTES = gauge("qvmon_telemetry_cache_bytes", "Bytes of decoded pages in memory.")
CACHE_LOOKUPS = counter("qvmon_telemetry_cache_lookups_total", "Pages looked up.", "result")
FLUSHED = counter("qvmon_telemetry_blocks_flushed_total", "Blocks written from the head.")
MERGED = counter("qvmon_telemetry_compactions_total", "Times blocks were merged into one.")
DELETED = counter("qvmon_telemetry_blocks_deleted_total", "Blocks deleted by retention.")
UNKNOWN = gauge("qvmon_telemetry_unknown_intervals", "Unknown intervals kept, by state.", "state")
UNKNOWN_LOST = gauge(
    "qvmon_telemetry_unknown_intervals_lost",
    "Unknown intervals lost since the start: over the limit, or lines that could not be read.",
    "reason",
)
CLOCK_JUMPS = gauge(
    "qvmon_telemetry_clock_jumps",
    "Times since the start that the wall clock jumped; nothing is deleted for its age in the hour "
    "after.",
)
UPKEEP_FAILURES = counter(
    "qvmon_telemetry_upkeep_failures_total", "Rounds of upkeep that failed; they are tried again."
)

_MOST_METRICS_SHOWN = 50
_MOST_METRICS_LOOKED_AT = 10_000
_REST = "(others)"


class TelemetryMetrics:
    """The live instruments.

    Args:
        registry: Exposes them.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.samples = registry.value(SAMPLES)
        self.commits = registry.distribution(COMMITS)
        self.commit_failures = registry.value(COMMIT_FAILURES)
        self.pending = registry.value(PENDING)
        self.replay = registry.value(REPLAY)
        self.flushed = registry.value(FLUSHED)
        self.merged = registry.value(MERGED)
        self.deleted = registry.value(DELETED)
        self.upkeep_failures = registry.value(UPKEEP_FAILURES)
        self.clock_jumps = registry.value(CLOCK_JUMPS)
        self._shown: set[str] = set()
        self._refused = {reason: registry.value(REFUSED, reason) for reason in REASONS.values()}

    def refused(self, reason: str, samples: int) -> None:
        """Count refused samples."""
        self._refused[reason].add(samples)

    def read_unknown(self, book: UnknownBook) -> None:
        """Set the gauges of unknown intervals."""
        still_open = len(book.open())
        self.registry.value(UNKNOWN, "open").set(still_open)
        self.registry.value(UNKNOWN, "ended").set(len(book) - still_open)
        self.registry.value(UNKNOWN_LOST, "limit").set(book.dropped)
        self.registry.value(UNKNOWN_LOST, "unreadable").set(book.unreadable)

    def read(self, database: Database) -> None:
        """Set the gauges that are only read."""
        hits, misses = database.cache.hits, database.cache.misses
        current = {
            SERIES: database.index.live,
            FORGOTTEN: database.index.forgotten,
            OVERRULED: database.upkeep.overruled,
            TOMBSTONES: len(database.deletions.entries),
            ACTIVE_SERIES: database.head.active_series(),
            HEAD_BYTES: database.head.chunk_bytes,
            HEAD_LATE: database.head.late_count,
            WAL_BYTES: database.wal.total_bytes,
            WAL_SEGMENTS: database.wal.segments,
            RECOVERY_WARNINGS: len(database.recovery.warnings),
            QUARANTINED: len(database.blocks.damaged),
            BLOCKS: len(database.blocks),
            BLOCK_BYTES: database.blocks.total_bytes,
            CACHE_BYTES: database.cache.bytes,
        }
        for metric, value in current.items():
            self.registry.value(metric).set(float(value))
        self.registry.value(CACHE_LOOKUPS, "hit").set(float(hits))
        self.registry.value(CACHE_LOOKUPS, "miss").set(float(misses))
        self._read_refused(database.index.refused(_MOST_METRICS_LOOKED_AT))

    def _read_refused(self, counts: list[Count]) -> None:
        """Show the metrics refused first one by one and all others together, to stay few."""
        rest = 0
        for each in counts:
            if each.name in self._shown or len(self._shown) < _MOST_METRICS_SHOWN:
                self._shown.add(each.name)
                self.registry.value(SERIES_REFUSED, each.name).set(float(each.value))
            else:
                rest += each.value
        if rest:
            self.registry.value(SERIES_REFUSED, _REST).set(float(rest))
