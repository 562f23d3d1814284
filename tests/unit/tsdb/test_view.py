"""A view has what the database had when it was written, whatever happens beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.series import SampleBatch, Selection, SeriesColumns, SeriesKeys
from qvmon.promql import parse_matchers
from qvmon.tsdb import view as views
from qvmon.tsdb.database import Database
from qvmon.tsdb.options import Options
from qvmon.tsdb.view import View

BLOCK_MS = 60_000
OPTIONS = Options(
    max_series=1000, block_ms=BLOCK_MS, head_bytes=64 << 20, out_of_order_window_ms=10**6
)
EVERYTHING = Selection(parse_matchers('{__name__=~".+"}'), 0, 10**12)
SOME = Selection(parse_matchers('x{i=~"[13]."}'), 100_000, 400_000)


class Free:
    """An allowance without end, which notes what it is told."""

    urgent = False

    def __init__(self) -> None:
        self.samples = 0

    def reading(self, series: int, samples: int) -> None:
        self.samples += samples

    def check(self) -> None:
        return

    def at_work(self) -> nullcontext[None]:
        return nullcontext()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Series in blocks and head, late and deleted samples; ids in no order of keys."""
    made = Database(tmp_path, OPTIONS)
    numbers = np.random.default_rng(3).permutation(50)
    labels = [Labels({"__name__": "x", "i": str(i), "ünï": "✓" * (i % 3)}) for i in numbers]
    ids = made.series_ids(SeriesKeys.from_labels(labels))
    for at in range(0, 8 * BLOCK_MS, 5_000):
        made.append([SampleBatch(ids, np.full(50, at), ids + at / 7)], now_ms=10**9)
        late = ids[at // 5_000 % 7 :: 7]
        times = np.full(len(late), max(0, at - 70_001))
        made.append([SampleBatch(late, times, late * 1.5)], now_ms=10**9)
        if at == 4 * BLOCK_MS:
            made.upkeep.flush()
            made.delete([parse_matchers('x{i=~"1."}')], 30_000, 150_000)
    made.delete([parse_matchers('x{i="30"}')], 200_000, 450_000)
    assert len(made.blocks) > 2
    yield made
    made.close()


def shown(columns: SeriesColumns) -> list[object]:
    """Labels in their order, and every sample."""
    bits = columns.values.view(np.int64).tolist()
    return [
        columns.labels.all_labels(),
        columns.offsets.tolist(),
        columns.timestamps.tolist(),
        bits,
    ]


def seen(database: Database, *selections: Selection) -> list[list[object]]:
    """What another process finds."""
    with database.view("v", selections, Free()) as paths:
        opened = View(paths)
        return [shown(opened.select(each)) for each in selections]


def test_a_view_shows_what_the_database_shows_in_the_same_order(database: Database) -> None:
    both = seen(database, EVERYTHING, SOME)
    assert both == [shown(database.select(each)) for each in (EVERYTHING, SOME)]
    assert seen(database, SOME) == [shown(database.select(SOME))]
    assert len(both[0][0]) == 50


def test_a_view_of_nothing_is_empty(database: Database) -> None:
    nothing = Selection(parse_matchers("nothing"), 0, 10**12)
    before_all = Selection(EVERYTHING.matchers, -10, -1)
    assert seen(database, nothing, before_all) == [[[], [0], [], []]] * 2
    with database.view("v", [], Free()) as paths:
        assert View(paths).select(EVERYTHING).labels.all_labels() == []


def test_what_happens_after_it_was_written_does_not_change_it(database: Database) -> None:
    before = shown(database.select(EVERYTHING))
    with database.view("v", [EVERYTHING], Free()) as paths:
        database.delete([EVERYTHING.matchers], 0, 10**9)
        database.upkeep.clean_tombstones()
        assert shown(View(paths).select(EVERYTHING)) == before
    assert seen(database, EVERYTHING) == [[[], [0], [], []]]


def during_sharing(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Have something happen when the first block is shared."""
    share, done = views.share_files, []

    def sharing(source: Path, target: Path) -> None:
        if not done:
            done.append(True)
            happens()
        share(source, target)

    monkeypatch.setattr(views, "share_files", sharing)


def test_blocks_merged_while_a_view_is_written_are_seen_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, count = shown(database.select(EVERYTHING)), len(database.blocks)
    during_sharing(monkeypatch, database.upkeep.compact)
    assert seen(database, EVERYTHING) == [before]
    assert len(database.blocks) < count


def test_a_deletion_that_is_struck_out_while_a_view_is_written_holds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(database.select(EVERYTHING))
    during_sharing(monkeypatch, database.upkeep.clean_tombstones)
    assert seen(database, EVERYTHING) == [before]


def test_what_a_view_needs_is_told_before_it_is_written(database: Database) -> None:
    allowance = Free()
    with database.view("v", [EVERYTHING], allowance):
        total = len(database.select(EVERYTHING).timestamps)
    assert total * 0.8 < allowance.samples < total * 1.2

    class Refusing(Free):
        def reading(self, series: int, samples: int) -> None:
            raise QvmonError(ErrorKind.EXHAUSTED, "too much")

    with (
        pytest.raises(QvmonError, match="too much"),
        database.view("v", [EVERYTHING], Refusing()) as paths,
    ):
        pytest.fail(f"{paths} was written")
    assert not list(database.paths.views.iterdir())


def test_a_view_that_nobody_waits_for_is_not_written_to_the_end(database: Database) -> None:
    class Leaving(Free):
        def check(self) -> None:
            raise QvmonError(ErrorKind.TIMEOUT, "nobody waits")

    with (
        pytest.raises(QvmonError, match="nobody waits"),
        database.view("v", [EVERYTHING], Leaving()) as paths,
    ):
        pytest.fail(f"{paths} was written")
    assert not list(database.paths.views.iterdir())


def test_a_full_disk_is_said_and_nothing_is_left(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    during_sharing(monkeypatch, full)
    with (
        pytest.raises(QvmonError, match="No space left") as caught,
        database.view("v", [EVERYTHING], Free()) as paths,
    ):
        pytest.fail(f"{paths} was written")
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert not list(database.paths.views.iterdir())
