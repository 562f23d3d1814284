"""``kill -9`` at any moment loses no acknowledged sample."""

from __future__ import annotations

import random

import pytest

from tests.chaos.check import check
from tests.chaos.journal import Story
from tests.chaos.killing import kill_again_and_again, live_until
from tests.chaos.load import SERIES

KILLS = 30


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_acknowledged_sample_outlives_kills_at_random_moments():
    """Thirty kills during appends, flushes, merges and recovery; each value is what was sent."""
    seed = random.randrange(2**32)
    *_, toll = kill_again_and_again(KILLS, seed)
    assert toll.faults == []
    assert toll.kills == KILLS
    assert toll.lost == 0
    assert toll.acknowledged > KILLS * SERIES
    assert toll.most_blocks > 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_measure_of_the_test_above_can_fail(tmp_path):
    """A log that loses a segment, and a sample that nobody sent, are found."""
    story = Story()
    live_until(tmp_path / "store", tmp_path / "journal", 0, 1.0, "ack")
    story.read(tmp_path / "journal")
    story.tried[0].discard(max(story.acknowledged[0]))
    assert any("never sent" in fault for fault in check(tmp_path / "store", story).faults)
    for segment in (tmp_path / "store" / "wal").iterdir():
        segment.unlink()
    assert check(tmp_path / "store", story).lost >= SERIES
