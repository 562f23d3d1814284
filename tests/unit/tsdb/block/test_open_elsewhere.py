"""Blocks open in DuckDB and Polars, as the format's documentation shows it."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import numpy as np
import pytest

from qvmon.model.labels import Labels
from qvmon.model.series import STALE_BITS, SeriesKeys
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.block.writer import Origin, write_block
from qvmon.tsdb.files.paths import DataPaths
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.rows import EARLIEST, LATEST, Rows, merged

DOCUMENT = (Path(__file__).parents[4] / "docs/formats/block.md").read_text()
SERIES, ROWS = 4, 500


def shown(language: str, marker: str, data: Path) -> str:
    """Return the document's one listing that has ``marker``, of the block below ``data``."""
    listings = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    (found,) = [each for each in listings if marker in each]
    return found.replace("DATA", str(data))


@pytest.fixture
def written(tmp_path):
    """A block of counters and gauges with some odd values, and its (times, bits) as we read it."""
    random = np.random.default_rng(7)
    rows = Rows.sized(np.full(SERIES, ROWS))
    times = 1_700_000_000_000 + 15_000 * np.arange(ROWS)
    rows.times[:] = np.tile(times, SERIES) + random.integers(-3, 4, SERIES * ROWS)
    values = rows.values.reshape(SERIES, ROWS)
    values[0] = np.cumsum(random.integers(0, 90, ROWS)) + 1e6
    values[1] = random.integers(-(10**6), 10**6, ROWS) / 1000
    values[2] = random.random(ROWS)
    values[3] = 1.0
    values[1, 77], values[3, 9] = -0.0, np.inf
    rows.bits[2 * ROWS - 1] = STALE_BITS
    paths = DataPaths(tmp_path)
    paths.create()
    labels = [Labels(__name__="up", instance=f"host-{i}") for i in range(SERIES)]
    keys = SeriesKeys.from_labels(labels)
    write_block(paths.block(1), keys, iter([rows]), Origin(1))
    index = Index(10)
    block = Block(paths.block(1), index, PageCache(1 << 20))
    read = merged([block.find(index.ids(keys), EARLIEST, LATEST)])
    assert read.bits.tolist() == rows.bits.tolist()
    return tmp_path, read


def test_duckdb_reads_what_we_read(written):
    data, read = written
    found = duckdb.connect().execute(shown("sql", "DuckDB", data)).fetchnumpy()
    assert found["instance"].tolist() == [f"host-{i}" for i in range(SERIES) for _ in range(ROWS)]
    values = np.ma.getdata(found["value"])
    assert values.view(np.int64).tolist() == read.bits.tolist()
    assert found["timestamp"].astype("M8[ms]").astype(np.int64).tolist() == read.times.tolist()


def test_polars_reads_what_we_read(written):
    data, read = written
    names: dict = {}
    exec(shown("python", "polars", data), names)
    frame = names["frame"]
    assert frame["value"].to_numpy().view(np.int64).tolist() == read.bits.tolist()
    assert frame["timestamp"].dt.epoch("ms").to_list() == read.times.tolist()
