"""Writes a block: samples and series as Parquet, then meta.json, then the directory's name."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qvmon.model.labels import Labels
from qvmon.model.series import Int64s, SeriesKeys
from qvmon.tsdb.block.block import BLOCK_VERSION, BlockMeta
from qvmon.tsdb.durable import publish_directory
from qvmon.tsdb.paths import BlockPaths
from qvmon.tsdb.rows import EARLIEST, LATEST, Rows

_GROUP_ROWS = 65_536
_SAMPLES = pa.schema(
    [("series", pa.int32()), ("timestamp", pa.timestamp("ms", "UTC")), ("value", pa.float64())],
    {"qvmon.block.version": str(BLOCK_VERSION)},
)
_SERIES = pa.schema(
    [
        ("series", pa.int32()),
        ("key", pa.large_binary()),
        ("labels", pa.map_(pa.string(), pa.string())),
        ("first_row", pa.int64()),
        ("samples", pa.int64()),
    ],
    {"qvmon.block.version": str(BLOCK_VERSION)},
)
_ENCODING = {
    "series": "DELTA_BINARY_PACKED",
    "timestamp": "DELTA_BINARY_PACKED",
    "value": "BYTE_STREAM_SPLIT",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a block's samples come from: a rank, and the blocks it replaces."""

    rank: int
    sources: tuple[int, ...] = ()


def key_order(keys: SeriesKeys) -> Int64s:
    """Return int64[n]: the rows of ``keys`` in the order of their bytes, as blocks have them."""
    order: Int64s = pc.sort_indices(_binary(keys)).to_numpy().astype(np.int64)
    return order


def write_block(
    paths: BlockPaths, keys: SeriesKeys, parts: Iterable[Rows], origin: Origin
) -> BlockMeta | None:
    """Write a block and return what it is; None, and nothing written, when there is no sample.

    Args:
        paths: Its final place.
        keys: The series in ``key_order``; those without samples are left out.
        parts: Their samples, consecutive series in consecutive parts.
        origin: Goes into ``meta.json``.
    """
    prepared = paths.temporary
    shutil.rmtree(prepared.directory, ignore_errors=True)
    prepared.directory.mkdir()
    try:
        meta = _write_files(prepared, paths.number, keys, parts, origin)
        if meta is not None:
            publish_directory(prepared.directory, paths.directory)
    finally:
        shutil.rmtree(prepared.directory, ignore_errors=True)
    return meta


def _write_files(
    paths: BlockPaths, number: int, keys: SeriesKeys, parts: Iterable[Rows], origin: Origin
) -> BlockMeta | None:
    counts, start, end = _write_samples(paths, parts)
    kept = np.flatnonzero(counts)
    if not len(kept):
        return None
    _write_series(paths, keys, kept, counts[kept])
    samples = int(counts.sum())
    meta = BlockMeta(
        BLOCK_VERSION, number, origin.rank, origin.sources, start, end, len(kept), samples
    )
    paths.meta.write_bytes(meta.to_json())
    return meta


def _write_samples(paths: BlockPaths, parts: Iterable[Rows]) -> tuple[Int64s, int, int]:
    """Write the samples; return the number of each series, and the oldest and newest time."""
    counts: list[Int64s] = [np.empty(0, np.int64)]
    start, end, series = LATEST, EARLIEST, 0
    with pq.ParquetWriter(
        paths.samples,
        _SAMPLES,
        compression="zstd",
        use_dictionary=False,
        column_encoding=_ENCODING,
        write_page_checksum=True,
    ) as writer:
        for part in parts:
            counts.append(part.counts)
            if len(part.times):
                numbers = series + np.cumsum(part.counts > 0) - 1
                writer.write_table(_samples(part, numbers), row_group_size=_GROUP_ROWS)
                series = int(numbers[-1]) + 1
                start, end = min(start, int(part.times.min())), max(end, int(part.times.max()))
    return np.concatenate(counts), start, end


def _samples(part: Rows, numbers: Int64s) -> pa.Table:
    series = np.repeat(numbers.astype(np.int32), part.counts)
    times = pa.array(part.times.view("M8[ms]"), _SAMPLES.field("timestamp").type)
    return pa.table([pa.array(series), times, pa.array(part.values)], schema=_SAMPLES)


def _write_series(paths: BlockPaths, keys: SeriesKeys, kept: Int64s, counts: Int64s) -> None:
    labels = [Labels.decode(keys.key(row)).pairs() for row in kept.tolist()]
    columns = [
        pa.array(np.arange(len(kept), dtype=np.int32)),
        _binary(keys).take(pa.array(kept)),
        pa.array(labels, _SERIES.field("labels").type),
        pa.array(np.cumsum(counts) - counts),
        pa.array(counts),
    ]
    table = pa.table(columns, schema=_SERIES)
    pq.write_table(table, paths.series, compression="zstd", write_page_checksum=True)


def _binary(keys: SeriesKeys) -> pa.LargeBinaryArray:
    buffers = [None, pa.py_buffer(keys.offsets), pa.py_buffer(keys.arena)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(keys), buffers)
