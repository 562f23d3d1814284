"""Deleting while blocks are written: nothing waits for them, and nothing comes back with them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.tsdb.block import writer
from qvmon.tsdb.upkeep import flush as flush_module
from qvmon.tsdb.upkeep.merging import merge_apart
from tests.unit.tsdb.conftest import Small

EXPECTED = [(t, float(t)) for t in range(0, 7_000, 100)]


@pytest.fixture
def late(tmp_path):
    each = Small(tmp_path / "late", out_of_order_window_ms=10**6, late_samples=1)
    yield each
    each.database.close()


def fill(small, *numbers, until=7_000):
    small.append(*((s, t, float(t)) for t in range(0, until, 100) for s in numbers))


def left(*gone: tuple[int, int]) -> list[tuple[int, float]]:
    """Return what ``fill`` wrote less what is in one of the intervals."""
    return [pair for pair in EXPECTED if not any(a <= pair[0] <= b for a, b in gone)]


def seen_after_restart(small) -> dict[int, list[tuple[int, float]]]:
    small.reopen()
    return small.read()


def once(act: Callable[[], object]) -> Callable[[], None]:
    """Return what does ``act`` the first time only."""
    waiting = [act]

    def do() -> None:
        while waiting:
            waiting.pop()()

    return do


def test_a_file_of_tombstones_that_rots_lets_nothing_back_into_merged_blocks(small):
    """A merge elsewhere is told what to leave out; it does not look for it in a file."""
    fill(small, 1, 2)
    small.database.upkeep.flush()
    small.delete(1, start=0, end=2_000)
    small.database.paths.tombstones.write_bytes(b"rotten")
    small.database.upkeep.merger = merge_apart
    assert small.database.upkeep.compact()
    assert small.read() == {1: left((0, 2_000)), 2: EXPECTED}
    assert not list(small.database.paths.quarantine.glob("*"))


def test_a_file_of_tombstones_that_rots_lets_nothing_back_into_a_snapshot(small, tmp_path):
    fill(small, 1, 2)
    small.database.upkeep.flush()
    small.delete(1, start=0, end=2_000)
    small.database.paths.tombstones.write_bytes(b"rotten")
    restored = Small(small.database.snapshot("one"))
    assert restored.read() == {1: left((0, 2_000)), 2: EXPECTED}
    restored.database.close()


@pytest.mark.parametrize("elsewhere", [True, False])
def test_what_is_deleted_during_a_merge_is_not_in_the_merged_block(small, monkeypatch, elsewhere):
    fill(small, 1, 2)
    small.database.upkeep.flush()
    delete = once(lambda: small.delete(1, start=1_000, end=2_000))
    found = {1: left((1_000, 2_000)), 2: EXPECTED}

    def merge(*arguments):
        merge_apart(*arguments)
        delete()
        assert small.read() == found

    def publish(*arguments):
        publish_directory(*arguments)
        delete()
        assert small.read() == found

    publish_directory = writer.publish_directory
    if elsewhere:
        small.database.upkeep.merger = merge
    else:
        monkeypatch.setattr(writer, "publish_directory", publish)
    assert small.database.upkeep.compact()
    assert small.read() == found
    assert seen_after_restart(small) == found


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_is_deleted_during_a_flush_is_not_in_its_blocks(small, monkeypatch, moment):
    """Whether the block has been read from the head by then or not."""
    fill(small, 1, 2)
    delete = once(lambda: small.delete(1, start=500, end=3_500))
    found = {1: left((500, 3_500)), 2: EXPECTED}
    write_block = flush_module.write_block

    def write(*arguments):
        if moment == "before":
            delete()
        meta = write_block(*arguments)
        delete()
        assert small.read() == found
        return meta

    monkeypatch.setattr(flush_module, "write_block", write)
    small.database.upkeep.flush()
    assert small.read() == found
    assert seen_after_restart(small) == found


def test_what_is_deleted_during_a_flush_of_late_samples_is_in_none_of_its_blocks(late, monkeypatch):
    """They are several, and those not begun yet have it from before the deletion, too."""
    late.append((1, 9_000, 9.0), *((1, t, float(t)) for t in range(0, 7_000, 100)))
    delete = once(lambda: late.delete(1, start=1_500, end=4_500))
    found = {1: [*left((1_500, 4_500)), (9_000, 9.0)]}
    write_block = flush_module.write_block

    def write(*arguments):
        meta = write_block(*arguments)
        delete()
        assert late.read() == found
        return meta

    monkeypatch.setattr(flush_module, "write_block", write)
    assert late.database.upkeep.flush() > 3
    assert late.read() == found
    assert seen_after_restart(late) == found


def test_late_samples_deleted_after_their_flush_failed_do_not_come_back_with_the_next(
    late, monkeypatch
):
    late.append((1, 1_400, 1.0))
    late.append((1, 10, 1.0), (1, 20, 2.0))
    with monkeypatch.context() as patch:
        patch.setattr(writer, "publish_directory", _no_space)
        with pytest.raises(OSError, match="No space"):
            late.database.upkeep.flush()
    late.delete(1, start=10, end=10)
    late.append((1, 30, 3.0))
    expected = {1: [(20, 2.0), (30, 3.0), (1_400, 1.0)]}
    assert late.read() == expected
    late.database.upkeep.flush()
    assert late.read() == expected
    assert seen_after_restart(late) == expected


def _no_space(*_):
    raise OSError("No space left on device")


def test_what_comes_after_a_deletion_during_a_flush_is_kept(late, monkeypatch):
    fill(late, 1)
    write_block = flush_module.write_block
    act = once(lambda: (late.delete(1, start=1_000, end=6_950), late.append((1, 1_500, 7.0))))

    def write(*arguments):
        meta = write_block(*arguments)
        act()
        return meta

    monkeypatch.setattr(flush_module, "write_block", write)
    late.database.upkeep.flush()
    expected = {1: [*left((1_000, 6_950))[:10], (1_500, 7.0)]}
    assert late.read() == expected
    late.append((1, 10_000, 1.0))
    late.database.upkeep.flush()
    expected[1].append((10_000, 1.0))
    assert late.read() == expected
    assert seen_after_restart(late) == expected


def test_nothing_is_deleted_in_a_directory_that_was_let_go(tmp_path):
    small = Small(tmp_path)
    fill(small, 1)
    small.database.close()
    with pytest.raises(QvmonError, match="closed") as caught:
        small.delete(1)
    assert caught.value.kind is ErrorKind.UNAVAILABLE


def test_deletions_beside_flushes_and_merges_leave_what_a_dictionary_has(late):
    """Appends and deletions take turns; upkeep, with merges elsewhere, goes on beside them."""
    late.database.upkeep.merger = merge_apart
    done, chance, model = threading.Event(), random.Random(7), {1: {}, 2: {}}

    def keep_up() -> None:
        while not done.is_set():
            late.database.upkeep.flush()
            late.database.upkeep.compact()
            late.database.upkeep.clean_tombstones()

    def append(now: int) -> None:
        late_by = 10 * chance.randrange(1, 200) + 7
        rows = [(1, now, 1.0), (2, now, 2.0), (chance.choice((1, 2)), now - late_by, 3.0)]
        refused = {row for rows in late.append(*rows).refused.values() for row in rows.tolist()}
        for series, time, value in (row for at, row in enumerate(rows) if at not in refused):
            model[series].setdefault(time, value)

    def delete(now: int) -> None:
        series, start = chance.choice((1, 2)), chance.randrange(-2_000, now)
        end = start + chance.randrange(1_500)
        late.delete(series, start=start, end=end)
        model[series] = {t: v for t, v in model[series].items() if not start <= t <= end}

    def there() -> dict[int, list[tuple[int, float]]]:
        return {series: sorted(samples.items()) for series, samples in model.items() if samples}

    upkeep = threading.Thread(target=keep_up)
    upkeep.start()
    try:
        for now in range(50, 20_000, 50):
            append(now)
            if chance.random() < 0.2:
                delete(now)
                assert late.read() == there()
    finally:
        done.set()
        upkeep.join()
    assert seen_after_restart(late) == there()
