"""Several values for one series and time: the one stored first stays, whatever happens between."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qvmon.tsdb.snapshot import restore_snapshot
from tests.unit.tsdb.conftest import Small

batches = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 60).map(lambda t: 100 * t), st.integers(0, 3)),
    max_size=40,
)
steps = st.lists(
    st.tuples(
        batches,
        st.lists(
            st.sampled_from(["flush", "compact", "clean_tombstones", "reopen", "restore"]),
            max_size=4,
        ),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.integers(1, 200))
def test_the_first_value_stays_whatever_order_path_and_upkeep(story, late_samples):
    """In order, late, in a block, merged, replayed or restored: a dictionary's ``setdefault``."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        small = Small(home / "0", out_of_order_window_ms=10**9, late_samples=late_samples)
        expected: dict[int, dict[int, float]] = {}
        for number, (batch, upkeep) in enumerate(story, 1):
            small.append(*((series, time, float(value)) for series, time, value in batch))
            for series, time, value in batch:
                expected.setdefault(series, {}).setdefault(time, float(value))
            for act in upkeep:
                _do(small, act, home / f"{number}-{act}")
            assert {series: dict(found) for series, found in small.read().items()} == expected
        small.database.close()


def _do(small: Small, act: str, place: Path) -> None:
    if act == "reopen":
        small.reopen()
    elif act != "restore":
        getattr(small.database.upkeep, act)()
    elif not place.exists():
        snapshot = small.database.snapshot(place.name)
        small.database.close()
        restore_snapshot(snapshot, place)
        small.directory = place
        small.open()
