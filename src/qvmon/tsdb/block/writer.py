"""Writes a block: samples and series as Parquet, then meta.json, then the directory's name."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qvmon.model.series import Bools, Bytes, Float64s, Int32s, Int64s, SeriesKeys
from qvmon.tsdb.block import kernels
from qvmon.tsdb.block.meta import BLOCK_VERSION, BlockMeta
from qvmon.tsdb.files.durable import publish_directory
from qvmon.tsdb.files.paths import BlockPaths
from qvmon.tsdb.identity.pairs import LabelPairs
from qvmon.tsdb.rows import EARLIEST, LATEST, Rows

_GROUP_ROWS = 65_536
_SAMPLES = pa.schema(
    [
        pa.field("series", pa.int32(), nullable=False),
        pa.field("timestamp", pa.timestamp("ms", "UTC"), nullable=False),
        pa.field("mantissa", pa.int64(), nullable=False),
        pa.field("exact", pa.float64()),
    ],
    {"qvmon.block.version": str(BLOCK_VERSION)},
)
_SERIES = pa.schema(
    [
        ("series", pa.int32()),
        ("key", pa.large_binary()),
        ("labels", pa.map_(pa.string(), pa.string())),
        ("first_row", pa.int64()),
        ("samples", pa.int64()),
        ("base", pa.int64()),
        ("divisor", pa.float64()),
    ],
    {"qvmon.block.version": str(BLOCK_VERSION)},
)
_ENCODING = {
    "series": "DELTA_BINARY_PACKED",
    "timestamp": "DELTA_BINARY_PACKED",
    "mantissa": "DELTA_BINARY_PACKED",
    "exact": "BYTE_STREAM_SPLIT",
}
_PAGES = {"compression": "zstd", "use_dictionary": False, "write_page_checksum": True}


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
    paths: BlockPaths,
    keys: SeriesKeys,
    parts: Iterable[Rows],
    origin: Origin,
    *,
    durable: bool = True,
) -> BlockMeta | None:
    """Write a block and return what it is; None, and nothing written, when there is no sample.

    Args:
        paths: Its final place.
        keys: The series in ``key_order``; those without samples are left out.
        parts: Their samples, consecutive series in consecutive parts.
        origin: Goes into ``meta.json``.
        durable: Whether it is to survive a power cut.
    """
    prepared = paths.temporary
    shutil.rmtree(prepared.directory, ignore_errors=True)
    prepared.directory.mkdir()
    try:
        meta = _write_files(prepared, paths.number, keys, parts, origin)
        if meta is not None and durable:
            publish_directory(prepared.directory, paths.directory)
        elif meta is not None:
            prepared.directory.rename(paths.directory)
    finally:
        shutil.rmtree(prepared.directory, ignore_errors=True)
    return meta


def _write_files(
    paths: BlockPaths, number: int, keys: SeriesKeys, parts: Iterable[Rows], origin: Origin
) -> BlockMeta | None:
    written = _SamplesWriter(paths)
    with closing(written):
        for part in parts:
            written.add(part)
    counts = np.concatenate(written.counts)
    kept = np.flatnonzero(counts)
    if not len(kept):
        return None
    _write_series(paths, keys, kept, written)
    samples = int(counts.sum())
    meta = BlockMeta(
        BLOCK_VERSION,
        number,
        origin.rank,
        origin.sources,
        written.start,
        written.end,
        len(kept),
        samples,
    )
    paths.meta.write_bytes(meta.to_json())
    return meta


class _SamplesWriter:
    """``samples.parquet`` while it is written, and what ``series.parquet`` will say of it.

    Attributes:
        counts: Of each part the samples of each series; ``bases`` and ``divisors`` likewise.
        start: The oldest time.
        end: The newest time.
    """

    def __init__(self, paths: BlockPaths) -> None:
        self._path = paths.samples
        self._file: pq.ParquetWriter | None = None
        self._series = 0
        self.counts: list[Int64s] = [np.empty(0, np.int64)]
        self.bases: list[Int64s] = [np.empty(0, np.int64)]
        self.divisors: list[Float64s] = [np.empty(0, np.float64)]
        self.start, self.end = LATEST, EARLIEST

    def add(self, part: Rows) -> None:
        """Write the samples of some series, those that follow the series added before."""
        bases, divisors = np.zeros(len(part.counts), np.int64), np.ones(len(part.counts))
        mantissas, exact = np.empty(len(part.times), np.int64), np.empty(len(part.times), np.bool_)
        kernels.to_decimals(part.offsets, part.values, bases, divisors, mantissas, exact)
        self.counts.append(part.counts)
        self.bases.append(bases)
        self.divisors.append(divisors)
        if len(part.times):
            numbers = self._series + np.cumsum(part.counts > 0) - 1
            self._series = int(numbers[-1]) + 1
            self._write(part, np.repeat(numbers.astype(np.int32), part.counts), mantissas, exact)
            self.start = min(self.start, int(part.times.min()))
            self.end = max(self.end, int(part.times.max()))

    def _write(self, part: Rows, series: Int32s, mantissas: Int64s, exact: Bools) -> None:
        columns = [
            pa.array(series),
            pa.array(part.times.view("M8[ms]"), _SAMPLES.field("timestamp").type),
            pa.array(mantissas),
            pa.array(part.values, mask=~exact),
        ]
        table = pa.table(columns, schema=_SAMPLES)
        if self._file is None:
            encoding = {**_ENCODING, "timestamp": _shorter_encoding(columns[1])}
            self._file = pq.ParquetWriter(self._path, _SAMPLES, column_encoding=encoding, **_PAGES)
        self._file.write_table(table, row_group_size=_GROUP_ROWS)

    def close(self) -> None:
        """Write the footer."""
        if self._file is not None:
            self._file.close()


def _shorter_encoding(times: pa.Array) -> str:
    """Return the encoding that makes less of some times: differences, or bytes by their place.

    Differences are the shorter ones unless times jitter alike in several series.
    """
    table = pa.table({"timestamp": times[:_GROUP_ROWS]})
    sizes = {}
    for encoding in ("DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"):
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, column_encoding={"timestamp": encoding}, **_PAGES)
        sizes[encoding] = sink.getvalue().size
    return min(sizes, key=sizes.__getitem__)


def _write_series(
    paths: BlockPaths, keys: SeriesKeys, kept: Int64s, written: _SamplesWriter
) -> None:
    counts = np.concatenate(written.counts)[kept]
    columns = [
        pa.array(np.arange(len(kept), dtype=np.int32)),
        _binary(keys).take(pa.array(kept)),
        _labels(keys, kept),
        pa.array(np.cumsum(counts) - counts),
        pa.array(counts),
        pa.array(np.concatenate(written.bases)[kept]),
        pa.array(np.concatenate(written.divisors)[kept]),
    ]
    table = pa.table(columns, schema=_SERIES)
    pq.write_table(table, paths.series, compression="zstd", write_page_checksum=True)


def _labels(keys: SeriesKeys, rows: Int64s) -> pa.MapArray:
    pairs = LabelPairs.of(keys, rows)
    names = _strings(pairs.name_ends, pairs.names)
    values = _strings(pairs.value_ends, pairs.values)
    return pa.MapArray.from_arrays(pa.array(pairs.ends), names, values)


def _strings(ends: Int32s, arena: Bytes) -> pa.StringArray:
    buffers = [pa.py_buffer(ends), pa.py_buffer(arena)]
    return pa.StringArray.from_buffers(len(ends) - 1, *buffers)


def _binary(keys: SeriesKeys) -> pa.LargeBinaryArray:
    buffers = [None, pa.py_buffer(keys.offsets), pa.py_buffer(keys.arena)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(keys), buffers)
