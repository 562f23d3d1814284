"""Blocks as each version wrote them: stored once, readable for ever."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from qvmon.model.series import STALE_BITS
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.block.meta import BLOCK_VERSION
from qvmon.tsdb.files.paths import BlockPaths
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.rows import EARLIEST, LATEST, merged

HERE = Path(__file__).parent
NUMBER = "00000007"
BEGIN = 1_700_000_000_000
ODD = [101.125, 101.12, -0.0, float("inf"), float("-inf"), 1 / 3, 1e300, 5e-324]


def bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


EXPECTED = {
    ("__name__", "orders_total", "venue", "LSE"): [
        (BEGIN + 15_000 * i, bits(7.0 * i)) for i in range(40)
    ],
    ("__name__", "price", "venue", "XETRA"): [
        (BEGIN + 15_000 * i + i % 3 - 1, bits(value)) for i, value in enumerate(ODD)
    ],
    ("__name__", "up", "instance", "a"): [
        (BEGIN, bits(1.0)),
        (BEGIN + 15_000, bits(0.0)),
        (BEGIN + 30_000, STALE_BITS),
    ],
}


@pytest.mark.parametrize("version", range(1, BLOCK_VERSION + 1))
def test_a_block_of_every_version_is_read_bit_for_bit(tmp_path, version):
    directory = tmp_path / NUMBER
    shutil.copytree(HERE / f"block-{version}" / NUMBER, directory)
    index = Index(10)
    block = Block(BlockPaths(directory), index, PageCache(1 << 20))
    assert (block.meta.version, block.meta.rank, block.meta.sources) == (version, 5, (5, 6))
    found = merged([block.find(block.ids, EARLIEST, LATEST)])
    read = {}
    for row, labels in enumerate(index.frame(block.ids).all_labels()):
        rows = slice(found.offsets[row], found.offsets[row + 1])
        pairs = zip(found.times[rows].tolist(), found.bits[rows].tolist(), strict=True)
        read[tuple(text for pair in labels.pairs() for text in pair)] = list(pairs)
    assert read == EXPECTED
