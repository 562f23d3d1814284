"""The samples of a block: row groups of Parquet, each decoded as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Float64s, Int64s
from qvmon.tsdb.block import kernels
from qvmon.tsdb.block.cache import Page


class DamagedBlockError(QvmonError):
    """A block that was opened and whose samples are not what was written.

    Attributes:
        number: The block's number.
    """

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(ErrorKind.CORRUPT, reason, block=number)
        self.number = number


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """How the mantissas of n series become values (version 2).

    Attributes:
        starts: int64[n + 1]; series i owns the block's rows ``starts[i]:starts[i + 1]``.
        bases: int64[n]; what is added to a mantissa of each series.
        divisors: float64[n]; and what the sum is divided by.
    """

    starts: Int64s
    bases: Int64s
    divisors: Float64s


class SamplesFile:
    """An open ``samples.parquet``; any thread may read it, also after it was deleted.

    Args:
        path: The file.

    Raises:
        OSError: There is none.
        pyarrow.ArrowException: It is no Parquet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = pa.memory_map(str(path))
        self._footer = pq.read_metadata(path)
        self.rows: int = self._footer.num_rows
        groups = [self._footer.row_group(i).num_rows for i in range(self._footer.num_row_groups)]
        self.group_starts: Int64s = np.zeros(len(groups) + 1, np.int64)
        np.cumsum(groups, out=self.group_starts[1:])

    def read_plain(self, group: int) -> Page:
        """Return a row group as times and bits, of a block of version 1.

        Raises:
            pyarrow.ArrowException: A page is not what was written.
        """
        table = self._read(group, ["timestamp", "value"])
        return _times(table), table.column("value").to_numpy().view(np.int64)

    def read_decimals(self, group: int, scales: Scales) -> Page:
        """Return a row group as times and bits, of a block of version 2.

        Raises:
            pyarrow.ArrowException: A page is not what was written.
        """
        some = self._some_exact(group)
        table = self._read(group, ["timestamp", "mantissa", *(["exact"] if some else [])])
        values = np.empty(len(table), np.float64)
        first = int(self.group_starts[group])
        mantissas = table.column("mantissa").to_numpy()
        kernels.from_decimals(
            mantissas, first, scales.starts, scales.bases, scales.divisors, values
        )
        if some:
            exact = table.column("exact").combine_chunks()
            chosen = exact.is_valid().to_numpy(zero_copy_only=False)
            kernels.put_exact(exact.fill_null(0.0).to_numpy(), chosen, values)
        return _times(table), values.view(np.int64)

    def _some_exact(self, group: int) -> bool:
        columns = self._footer.row_group(group)
        statistics = columns.column(columns.num_columns - 1).statistics
        return statistics is None or statistics.null_count < columns.num_rows

    def _read(self, group: int, columns: list[str]) -> pa.Table:
        file = pq.ParquetFile(self._file, metadata=self._footer, page_checksum_verification=True)
        return file.read_row_group(group, columns=columns, use_threads=False)


def _times(table: pa.Table) -> Int64s:
    times: Int64s = table.column("timestamp").to_numpy().view(np.int64)
    return times
