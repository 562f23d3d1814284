"""The head by itself: chunks are reused only when nobody reads them."""

from __future__ import annotations

import numpy as np

from qvmon.model.series import SampleBatch
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.head import Admission, Head

ALL = (-(2**62), 2**62)


def filled(head: Head, times: range, series: int = 1) -> np.ndarray:
    count = len(times) * series
    batch = SampleBatch(
        np.tile(np.arange(series), len(times)), np.repeat(np.array(times), series), np.ones(count)
    )
    return head.append(batch, Admission(series, 0, 2**62))


def test_a_series_the_head_has_not_heard_of_has_no_samples():
    """As when a series is created between a query's matching and its reading."""
    head = Head(100, 1 << 20)
    filled(head, range(10))
    rows = head.read(np.array([0, 7]), *ALL)
    assert rows.offsets.tolist() == [0, 10, 10]
    assert head.present(np.array([7, 0]), *ALL).tolist() == [False, True]


def test_released_chunks_are_reused():
    head = Head(100, 1 << 20)
    filled(head, range(1_000))
    before = head.chunk_bytes
    for start in range(1_000, 20_000, 1_000):
        head.settle(start)
        head.trim(start)
        filled(head, range(start, start + 1_000))
    assert head.chunk_bytes <= before + 2 * kernels.CHUNK * 16 + 100
    assert head.read(np.array([0]), *ALL).times.tolist() == list(range(19_000, 20_000))


def test_chunks_wait_for_the_readers_that_began_before_they_were_released():
    head = Head(100, 1 << 20)
    filled(head, range(100))
    head._readers.add(next(head._reader_numbers))
    head.trim(64)
    assert head.chunk_bytes == 4 * (kernels.CHUNK * 16 + 16)
    head._readers.clear()
    head.trim(65)
    assert head.chunk_bytes == 2 * (kernels.CHUNK * 16 + 16)


def test_a_full_head_says_so_row_by_row():
    head = Head(100, 2 * (kernels.CHUNK * 16 + 16))
    verdicts = filled(head, range(70))
    assert verdicts.tolist() == [kernels.STORED] * 64 + [kernels.NO_MEMORY] * 6


def test_the_oldest_sample_kept_is_known_after_a_trim():
    head = Head(100, 1 << 20)
    filled(head, range(0, 1_000, 10), series=3)
    head.trim(555)
    assert head.oldest == 560
    head.trim(5_000)
    assert head.oldest == 2**63 - 1
    assert head.active_series() == 0
