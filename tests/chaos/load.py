"""The process that is killed: writers, queries, deletions and upkeep, all at once, without end."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
from pathlib import Path

import numpy as np
import structlog

from qvmon.model.clock import SystemClock
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.series import Int64s, SampleBatch, Selection, SeriesKeys
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from tests.chaos.journal import Journal

WRITERS, SERIES, STEP_MS = 4, 10, 10_000
STEPS_A_LIFE = 1_000_000
"""A process' steps begin at its number times this, so that no two send the same."""

_MOST_STEPS = 20
_SKIPPED = 0.1
_LATE_AFTER = 30
_SETTLED_STEPS = 1000
"""Steps that are this far behind are not sent any more."""

CONFIG = TelemetryConfig(
    block_seconds=1200,
    segment_bytes=1 << 16,
    retention_seconds=0,
    out_of_order_window_seconds=10**11,
    future_tolerance_seconds=10**12,
    upkeep_interval_seconds=0.15,
    open_within_seconds=0,
)


def be_quiet() -> None:
    """Keep what a store tells about each opening out of the answers."""
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)


def value(writer: int, steps: Int64s) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return float64[steps, series]: what ``writer`` sends at ``steps``."""
    series = np.arange(SERIES, dtype=np.float64)
    return steps[:, None] * 1000.0 + writer * SERIES + series


def of_writer(writer: int) -> Matcher:
    """Return what selects one writer's series."""
    return Matcher("writer", MatchOp.EQUAL, str(writer))


class Writer:
    """Sends batches of a few steps, most in order, some steps left out and sent later."""

    def __init__(self, store: TelemetryStore, journal: Journal, number: int, life: int) -> None:
        self._store = store
        self._journal = journal
        self._number = number
        self._chance = random.Random(f"{life}-{number}")
        self.step = life * STEPS_A_LIFE
        self._skipped: list[int] = []
        labels = [Labels(writer=str(number), series=str(i)) for i in range(SERIES)]
        self._ids = store.series_ids(SeriesKeys.from_labels(labels))

    async def run(self) -> None:
        while True:
            await self._send(self._some_in_order())
            if len(self._skipped) > _LATE_AFTER:
                late, self._skipped = self._skipped, []
                self._chance.shuffle(late)
                await self._send(late)

    def _some_in_order(self) -> list[int]:
        count = self._chance.randint(1, _MOST_STEPS)
        steps = list(range(self.step, self.step + count))
        self.step += count
        kept = [step for step in steps if self._chance.random() >= _SKIPPED]
        self._skipped += set(steps) - set(kept)
        return kept or [self._skipped.pop()]

    async def _send(self, steps: list[int]) -> None:
        columns = np.array(steps, np.int64)
        ids = np.tile(self._ids, len(steps))
        times = np.repeat(columns * STEP_MS, SERIES)
        batch = SampleBatch(ids, times, value(self._number, columns).ravel())
        self._journal.say("try", self._number, *steps)
        result = await self._store.append(batch)
        if result.accepted != len(batch):
            raise RuntimeError(f"refused: {result.refused}")
        self._journal.say("ack", self._number, *steps)


class Administrator:
    """Deletes what was sent some time ago, takes snapshots, rewrites blocks."""

    def __init__(
        self, store: TelemetryStore, directory: Path, journal: Journal, writers: list[Writer]
    ) -> None:
        self._store = store
        self._directory = directory
        self._journal = journal
        self._writers = writers
        self._life = writers[0].step // STEPS_A_LIFE
        self._chance = random.Random(self._life)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(0, 0.04))
            choice = self._chance.random()
            if choice < 0.6:
                await self._delete()
            elif choice < 0.8:
                await self._snapshot()
            else:
                await self._store.clean_tombstones()
                self._journal.say("cleaned")

    async def _delete(self) -> None:
        number = self._chance.randrange(WRITERS)
        start = self._chance.randint(0, self._life) * STEPS_A_LIFE + self._chance.randrange(1500)
        end = start + self._chance.randrange(60)
        if end < self._writers[number].step - _SETTLED_STEPS:
            self._journal.say("delete", number, start, end)
            matchers = (of_writer(number),)
            await self._store.delete_series([matchers], start * STEP_MS, end * STEP_MS)
            self._journal.say("deleted", number, start, end)

    async def _snapshot(self) -> None:
        self._journal.say("snapshotting")
        name = await self._store.snapshot()
        self._journal.say("snapshot", name)
        folder = self._directory / "snapshots"
        for each in await asyncio.to_thread(lambda: list(folder.iterdir())):
            if each.name != name:
                await asyncio.to_thread(shutil.rmtree, each)


async def look(store: TelemetryStore) -> None:
    """Query beside it all; what is read must be what was sent."""
    number = 0
    while True:
        number = (number + 1) % WRITERS
        (columns,) = await store.select([Selection((of_writer(number),), 0, 2**62)])
        for row, labels in enumerate(columns.labels.all_labels()):
            rows = slice(columns.offsets[row], columns.offsets[row + 1])
            sent = value(number, columns.timestamps[rows] // STEP_MS)[:, int(labels["series"])]
            if not np.array_equal(sent, columns.values[rows]):
                raise RuntimeError(f"a query gave what was never sent: writer {number}")
        await asyncio.sleep(0.05)


async def _live(directory: Path, journal: Journal, life: int) -> None:
    store = TelemetryStore(directory, CONFIG, SystemClock(), Registry())
    await store.start()
    writers = [Writer(store, journal, number, life) for number in range(WRITERS)]
    journal.say("open")
    administrator = Administrator(store, directory, journal, writers)
    await asyncio.gather(look(store), administrator.run(), *(each.run() for each in writers))


def live(directory: Path, journal: Path, life: int) -> None:
    """Work on ``directory`` until killed.

    Args:
        directory: The store's.
        journal: The file that says what was sent and answered.
        life: How many processes worked on the directory before.
    """
    be_quiet()
    asyncio.run(_live(directory, Journal(journal), life))
