"""Blocks are merged in a child, which may die at any moment without harm."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from qvmon.model.clock import SystemClock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.model.series import SampleBatch, Selection, SeriesKeys
from qvmon.promql import parse_matchers
from qvmon.stores.analysis import AnalysisConfig, AnalysisProcess
from qvmon.stores.analysis.metrics import DEATHS, STARTS
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.database import Database
from qvmon.tsdb.deletion.tombstones import Tombstone
from qvmon.tsdb.options import Options

BLOCK_MS = 60_000
SMALL = Options(max_series=1000, block_ms=BLOCK_MS, head_bytes=64 << 20, cache_bytes=1 << 20)
EVERYTHING = Selection(parse_matchers('{__name__=~".+"}'), 0, 10**12)
pytestmark = pytest.mark.slow


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def process(registry: Registry) -> Iterator[AnalysisProcess]:
    made = AnalysisProcess("merging", AnalysisConfig(), SystemClock(), registry)
    yield made
    made.stop()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with enough blocks to merge, some of whose samples were deleted."""
    made = Database(tmp_path, SMALL)
    labels = [Labels({"__name__": "x", "i": str(i), "ünï": "✓" * (i % 3)}) for i in range(50)]
    ids = made.series_ids(SeriesKeys.from_labels(labels))
    for at in range(0, 5 * BLOCK_MS, 5_000):
        values = np.arange(50) + at / 7
        made.append([SampleBatch(ids, np.full(50, at), values)], now_ms=10**9)
    made.upkeep.flush()
    assert len(made.blocks) >= 3
    made.delete([parse_matchers('x{i=~"1."}')], 0, 90_000)
    yield made
    with suppress(OSError):  # the test has closed it
        made.close()


def read(database: Database) -> dict[Labels, list[tuple[int, float]]]:
    """Every sample there is."""
    found = database.select(EVERYTHING)
    spans = zip(found.offsets[:-1], found.offsets[1:], strict=True)
    rows = [
        list(zip(found.timestamps[a:b].tolist(), found.values[a:b].tolist(), strict=True))
        for a, b in spans
    ]
    return dict(zip(found.labels.all_labels(), rows, strict=True))


def test_blocks_are_merged_in_the_child(database: Database, process: AnalysisProcess) -> None:
    """What was deleted is left out for good, and the next start finds the one block."""
    before, count = read(database), len(database.blocks)
    database.upkeep.merger = process.merge
    assert database.upkeep.compact()
    assert len(process.pids) == 1
    assert os.getpid() not in process.pids
    assert len(database.blocks) == count - 2
    assert read(database) == before
    merged = max(block.meta.number for block in database.blocks)
    samples = {block.meta.number: block.meta.samples for block in database.blocks}
    assert samples[merged] == sum(at < 180_000 for row in before.values() for at, _ in row)
    database.close()
    again = Database(database.paths.root, SMALL)
    try:
        assert read(again) == before
    finally:
        again.close()


class Halting:
    """A child that is killed when a task has come to a certain point, if it gets that far."""

    def __init__(self, process: AnalysisProcess, moment: Callable[[], bool]) -> None:
        self._process = process
        self._moment = moment
        self._is_over = False

    def merge(
        self, directory: Path, numbers: Sequence[int], into: int, deletions: Sequence[Tombstone]
    ) -> None:
        """Merge, and be killed at the moment."""
        killer = Thread(target=self._kill)
        killer.start()
        try:
            self._process.merge(directory, numbers, into, deletions)
        finally:
            self._is_over = True
            killer.join()

    def _kill(self) -> None:
        while not self._is_over and (not self._process.pids or not self._moment()):
            pass
        for pid in self._process.pids:
            os.kill(pid, signal.SIGKILL)


def test_a_killed_child_loses_nothing_and_the_merge_starts_anew(
    database: Database, process: AnalysisProcess, registry: Registry
) -> None:
    before = read(database)
    numbers = [block.meta.number for block in database.blocks]
    database.upkeep.merger = Halting(process, lambda: True).merge
    with pytest.raises(QvmonError) as caught:
        database.upkeep.compact()
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert registry.value(DEATHS, "merging").current == 1
    assert [block.meta.number for block in database.blocks] == numbers
    assert read(database) == before
    database.upkeep.merger = process.merge
    assert database.upkeep.compact()
    assert registry.value(STARTS, "merging").current == 2
    assert read(database) == before


def test_a_child_killed_while_it_writes_leaves_nothing_behind(
    database: Database, process: AnalysisProcess
) -> None:
    blocks = database.paths.block(1).directory.parent

    def is_writing() -> bool:
        return any(path.name.endswith(".tmp") for path in blocks.iterdir())

    before = read(database)
    database.upkeep.merger = Halting(process, is_writing).merge
    with suppress(QvmonError):
        database.upkeep.compact()
    shown = {block.paths.directory.name for block in database.blocks}
    assert {path.name for path in blocks.iterdir()} == shown
    assert read(database) == before


async def test_queries_go_on_while_the_child_works(
    database: Database, process: AnalysisProcess
) -> None:
    database.upkeep.merger = process.merge
    before = read(database)
    merging = asyncio.create_task(asyncio.to_thread(database.upkeep.compact))
    answers = 0
    while not merging.done():
        assert await asyncio.to_thread(read, database) == before
        answers += 1
    assert await merging
    assert answers > 1


def test_a_damaged_block_is_quarantined_as_it_is_here(
    database: Database, process: AnalysisProcess
) -> None:
    victim = min(database.blocks, key=lambda block: block.meta.start_ms)
    content = bytearray(victim.paths.samples.read_bytes())
    content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 4)
    victim.paths.samples.write_bytes(content)
    database.upkeep.merger = process.merge
    database.upkeep.compact()
    assert len(database.blocks.damaged) == 1
    assert victim.meta.number not in [block.meta.number for block in database.blocks]


def test_after_stop_there_is_no_other_child(database: Database, process: AnalysisProcess) -> None:
    process.stop()
    with pytest.raises(QvmonError, match="stopped"):
        process.merge(database.paths.root, [1], 99, ())
    assert process.pids == []


def test_a_merge_needs_memory_for_each_series_not_for_each_in_each_block(tmp_path: Path) -> None:
    """An index reserves some kilobytes a series: many blocks of the same ones must fit, too."""
    series, config = 40_000, AnalysisConfig(memory_bytes=512 << 20)
    options = Options(max_series=series, block_ms=BLOCK_MS, head_bytes=64 << 20)
    database = Database(tmp_path, options)
    child = AnalysisProcess("merging", config, SystemClock(), Registry())
    try:
        labels = [Labels({"__name__": "x", "i": str(i)}) for i in range(series)]
        ids = database.series_ids(SeriesKeys.from_labels(labels))
        for at in range(0, 11 * BLOCK_MS, BLOCK_MS):
            database.append([SampleBatch(ids, np.full(series, at), ids + at / 7)], now_ms=10**9)
        database.upkeep.flush()
        blocks = list(database.blocks)
        child.merge(tmp_path, [block.meta.number for block in blocks], 99, ())
        merged = Block(database.paths.block(99), database.index, database.cache)
        assert merged.meta.samples == sum(block.meta.samples for block in blocks) >= 9 * series
    finally:
        child.stop()
        database.close()
