"""The database against an oracle of plain dictionaries, and as its readers see it."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher, MatchOp
from qvmon.model.series import (
    STALE,
    STALE_BITS,
    DeferredColumns,
    Selection,
)
from qvmon.tsdb import reading
from qvmon.tsdb.snapshot import restore_snapshot
from tests.unit.tsdb.conftest import BLOCK, Small, labels_of
from tests.unit.tsdb.oracle import Oracle

ODD_VALUES = np.array([0.0, -0.0, 1.5, STALE, np.nan, np.inf, -1e300, 2.0**-1074])

samples = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-500, 9_000), st.integers(0, len(ODD_VALUES) - 1)),
    max_size=60,
)
runs = st.builds(
    lambda series, start, step, count: [(series, start + i * step, i % 8) for i in range(count)],
    st.integers(0, 3),
    st.integers(0, 9_000),
    st.integers(1, 40),
    st.integers(1, 120),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), samples),
        st.tuples(st.just("append"), runs),
        st.tuples(st.just("flush"), st.none()),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("reopen"), st.none()),
        st.tuples(st.just("clean"), st.none()),
        st.tuples(st.just("retain"), st.none()),
        st.tuples(st.just("restore"), st.none()),
        st.tuples(
            st.just("delete"),
            st.tuples(
                st.sets(st.integers(0, 3), min_size=1),
                st.integers(-600, 9_000),
                st.one_of(st.integers(0, 300), st.integers(0, 9_000)),
            ),
        ),
        st.tuples(st.just("select"), st.tuples(st.integers(-600, 9_000), st.integers(0, 9_000))),
    ),
    min_size=4,
    max_size=30,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([0, 700, 100_000]), st.sampled_from([0, 2_500]), steps)
def test_whatever_happens_it_holds_what_the_oracle_holds(window, retention, actions):
    """Appends (odd values, any order), deletions, flushes, merges, restarts: both agree.

    So they do after retention and in a restored copy. What is read at once is also what is read
    some series at a time.
    """
    now = 8_500
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        patch.setattr(reading, "MANY", 1)
        small = Small(
            Path(directory) / "0",
            out_of_order_window_ms=window,
            future_tolerance_ms=100,
            retention_ms=retention,
        )
        oracle = Oracle(window, BLOCK, 100, retention)
        for number, (action, argument) in enumerate([*actions, ("select", (-600, 20_000))], 1):
            if action == "append":
                _append_to_both(small, oracle, argument, now)
            elif action == "flush":
                small.database.upkeep.flush()
                oracle.flush()
            elif action == "compact":
                while small.database.upkeep.compact():
                    pass
            elif action == "delete":
                chosen, start, length = argument
                small.delete(*chosen, start=start, end=start + length)
                oracle.delete(chosen, start, start + length)
            elif action == "clean":
                small.database.upkeep.clean_tombstones()
                assert not any(len(block.deleted) for block in small.database.blocks)
            elif action == "retain":
                small.database.upkeep.retain(now)
                oracle.retain(now, _as_bits(small.read()))
            elif action in {"reopen", "restore"}:
                if action == "restore":
                    copy = small.database.snapshot("copy")
                    small.directory = Path(directory) / str(number)
                    restore_snapshot(copy, small.directory)
                small.reopen()
                assert small.database.recovery.warnings == []
            else:
                start, length = argument
                found = small.read(start, start + length)
                assert _as_bits(found) == oracle.select(start, start + length)
                for at_once in (1, 2):
                    parts = small.read_in_parts(start, start + length, at_once)
                    assert _as_bits(parts) == _as_bits(found)
                listed = small.database.series([], start, start + length).all_labels()
                assert {labels_of(series) for series in found} <= set(listed)
        small.database.close()


def _append_to_both(small, oracle, rows, now):
    values = ODD_VALUES[[choice for _, _, choice in rows]] if rows else np.empty(0)
    bits = values.view(np.int64).tolist()
    expected, kept = {}, oracle.kept_from(now)
    for row, (series, time, _) in enumerate(rows):
        verdict = oracle.append(series, time, bits[row], now, kept)
        expected.setdefault(verdict, []).append(row)
    pairs = zip(rows, values, strict=True)
    result = small.append(*((s, t, value) for (s, t, _), value in pairs), now=now)
    assert result.accepted == len(expected.pop("accepted", []))
    assert {reason: found.tolist() for reason, found in result.refused.items()} == expected


def _as_bits(found):
    return {
        series: [(time, int(np.float64(value).view(np.int64))) for time, value in pairs]
        for series, pairs in found.items()
    }


def test_a_staleness_marker_survives_bit_for_bit_through_log_and_block(small):
    small.append((1, 0, STALE), (1, 2_000, 5.0))
    small.reopen()
    assert small.database.upkeep.flush() == 1
    marker = small.read()[1][0][1]
    assert np.float64(marker).view(np.uint64) == STALE_BITS


def test_series_lists_those_with_samples_in_the_interval(small):
    small.append((1, 0, 1.0), (2, 1_000, 1.0), (3, 5_000, 1.0))
    small.database.upkeep.flush()
    chosen = (Matcher("instance", MatchOp.NOT_EQUAL, "host-2"),)
    assert small.database.series([chosen], 0, 1_000).all_labels() == [labels_of(1)]
    assert len(small.database.series([], 0, 10_000)) == 3


def test_a_second_owner_is_refused(small):
    with pytest.raises(QvmonError, match="in use by another process") as caught:
        Small(small.directory)
    assert caught.value.kind is ErrorKind.CONFLICT


def test_queries_beside_appends_and_flushes_see_everything_acknowledged(small):
    """A reader never misses a sample acknowledged before it began, wherever it is just then."""
    acknowledged = [0]
    problems: list[str] = []
    done = threading.Event()

    def read():
        while not done.is_set():
            least = acknowledged[0]
            found = small.read().get(1, [])
            if [t for t, _ in found] != list(range(0, 10 * len(found), 10)) or len(found) < least:
                problems.append(f"{len(found)} samples, {least} acknowledged")

    def flush():
        while not done.is_set():
            small.database.upkeep.flush()
            small.database.upkeep.compact()

    threads = [threading.Thread(target=work) for work in (read, read, flush)]
    for thread in threads:
        thread.start()
    for first in range(0, 1_500, 5):
        small.append(*((1, 10 * i, float(i)) for i in range(first, first + 5)))
        acknowledged[0] = first + 5
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(small.database.blocks) > 0


def test_samples_to_be_read_in_parts_are_those_of_the_moment_they_were_asked_for(
    small, monkeypatch
):
    """A flush meanwhile, appends, and a second look, take nothing away and add nothing."""
    monkeypatch.setattr(reading, "MANY", 1)
    small.append(*((0, time, float(time)) for time in range(600)))
    name = Matcher("__name__", MatchOp.EQUAL, "requests_total")
    found = small.database.select(Selection((name,), 0, 2**62), in_parts=True)
    assert isinstance(found, DeferredColumns)
    small.append(*((0, time, 0.0) for time in range(600, 4_000)))
    small.database.upkeep.flush()
    small.append(*((0, time, 1.0) for time in range(4_000, 5_000)))
    for _ in range(2):
        assert found.part(0, 1).timestamps.tolist() == list(range(600))
    assert found.values.tolist() == list(range(600))
    assert found.sizes.tolist() == [600]
