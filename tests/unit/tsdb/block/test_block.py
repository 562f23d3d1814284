"""Blocks: plain Parquet for anybody, and exact reads of any part."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from qvmon.model.labels import Labels
from qvmon.model.series import STALE, SeriesKeys
from qvmon.tsdb.block import writer
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.block.writer import Origin, key_order, write_block
from qvmon.tsdb.files.paths import DataPaths
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.rows import Rows, merged

SERIES = 50


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A block of 50 series with 0 to 49 samples each, in row groups of 100 rows."""
    monkeypatch.setattr(writer, "_GROUP_ROWS", 100)
    paths = DataPaths(tmp_path)
    paths.create()
    keys = SeriesKeys.from_labels([Labels(n=f"{i:02}") for i in range(SERIES)])
    rows = Rows.sized(np.arange(SERIES))
    for i in range(SERIES):
        part = slice(rows.offsets[i], rows.offsets[i + 1])
        rows.times[part] = np.arange(i) * 10 + i
        rows.bits[part] = np.full(i, i / 2).view(np.int64)
    rows.bits[-1] = np.array([STALE]).view(np.int64)[0]
    cut = rows.offsets[25]
    halves = [
        Rows(rows.offsets[:26], rows.times[:cut], rows.bits[:cut]),
        Rows(rows.offsets[25:] - cut, rows.times[cut:], rows.bits[cut:]),
    ]
    meta = write_block(paths.block(3), keys, iter(halves), Origin(2, (1, 2)))
    return paths.block(3), meta, keys, rows


def test_meta_says_what_the_block_is(written):
    paths, meta, _, _ = written
    fields = json.loads(paths.meta.read_text())
    assert isinstance(fields.pop("crc32"), int)
    assert fields == {
        "version": 2,
        "number": 3,
        "rank": 2,
        "sources": [1, 2],
        "start_ms": 1,
        "end_ms": 49 + 480,
        "series": 49,
        "samples": 49 * 50 // 2,
    }
    assert meta.samples == 1225


@pytest.mark.parametrize(
    ("chosen", "start", "end"),
    [
        ([49], 0, 10_000),
        ([0], 0, 10_000),
        ([7, 3, 48, 3 + 30], 0, 10_000),
        (list(range(SERIES)), 0, 10_000),
        (list(range(SERIES)), 100, 200),
        ([10, 20, 30], 35, 35),
        ([5], 10_000, 20_000),
    ],
)
def test_any_part_is_read_exactly(written, chosen, start, end):
    paths, _, keys, rows = written
    index = Index(100)
    index.ids(SeriesKeys.from_labels([Labels(other="series")]))
    block = Block(paths, index, PageCache(10_000))
    ids = index.ids(keys)[chosen]
    for _ in range(2):
        found = merged([block.find(ids, start, end)])
        for at, series in enumerate(chosen):
            part = slice(rows.offsets[series], rows.offsets[series + 1])
            inside = (rows.times[part] >= start) & (rows.times[part] <= end)
            got = slice(found.offsets[at], found.offsets[at + 1])
            assert found.times[got].tolist() == rows.times[part][inside].tolist()
            assert found.bits[got].tolist() == rows.bits[part][inside].tolist()


def test_anybody_can_read_it_as_parquet(written):
    paths, _, keys, rows = written
    samples = pq.read_table(paths.samples)
    series = pq.read_table(paths.series)
    assert [str(field.type) for field in samples.schema] == [
        "int32",
        "timestamp[ms, tz=UTC]",
        "int64",
        "double",
    ]
    joined = samples.join(series.select(["series", "key"]), "series")
    chosen = joined.filter(pc.equal(joined["key"], keys.key(9))).sort_by("timestamp")
    assert chosen["timestamp"].cast("int64").to_pylist() == [9 + 10 * i for i in range(9)]
    assert dict(series["labels"][0].as_py()) == {"n": "01"}
    assert series["first_row"].to_pylist()[:4] == [0, 1, 3, 6]
    encodings = {
        column.path_in_schema: column.encodings
        for column in (pq.read_metadata(paths.samples).row_group(0).column(i) for i in range(4))
    }
    assert "DELTA_BINARY_PACKED" in encodings["mantissa"]
    assert "DELTA_BINARY_PACKED" in encodings["timestamp"]
    assert len(rows.times) == samples.num_rows


def test_a_block_without_samples_is_not_written(tmp_path):
    paths = DataPaths(tmp_path)
    paths.create()
    keys = SeriesKeys.from_labels([Labels(a="1")])
    assert write_block(paths.block(1), keys, iter([Rows.empty(1)]), Origin(1)) is None
    assert paths.block_numbers() == paths.unfinished_blocks() == []


def test_series_are_in_the_order_of_their_bytes():
    keys = SeriesKeys.from_bytes([b"b", b"", b"a\xff", b"a"])
    assert key_order(keys).tolist() == [1, 3, 2, 0]


def test_the_cache_forgets_the_least_recently_used_page():
    cache = PageCache(2 * 16 * 10)
    page = (np.zeros(10, np.int64), np.zeros(10, np.int64))
    for group in (0, 1, 0, 2, 0, 1):
        if cache.find((1, group)) is None:
            cache.keep((1, group), page)
    assert (cache.hits, cache.misses) == (2, 4)
    assert cache.bytes == 320
    cache.forget_block(1)
    assert cache.bytes == 0
