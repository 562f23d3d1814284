"""Results as files: from the process that computes one to the process that tells it.

Arrays are mapped into memory, not read: a large result takes the reader's memory only where the
reader looks. The format lives as long as a query, so it has no version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from qvmon.model.series import LabelFrame, SymbolTable
from qvmon.promql import Matrix, Notes, Result, Scalar, Text, Vector
from qvmon.promql.results import NO_NOTES, Samples
from qvmon.promql.sheet import recoded

_HEAD = "result.msgpack"
_CODES = "codes"
_ARRAYS = {
    "vector": ("values",),
    "matrix": ("times", "values", "present"),
    "scalar": ("times", "values"),
    "samples": ("offsets", "timestamps", "values"),
    "text": (),
}


class _Head(msgspec.Struct, frozen=True):
    """What is no array: ``names`` and ``strings`` are of the label columns."""

    kind: Literal["vector", "matrix", "scalar", "samples", "text"]
    time_ms: int = 0
    text: str = ""
    notes: Notes = NO_NOTES
    names: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()


def write_result(result: Result, directory: Path) -> None:
    """Write a result to a directory, which is made."""
    directory.mkdir()
    head = _head(result)
    for name in _ARRAYS[head.kind]:
        np.save(_array(directory, name), getattr(result, name))
    if isinstance(result, Samples) and result.starts is not None:
        np.save(_array(directory, "starts"), result.starts)
    if isinstance(result, Vector | Matrix | Samples):
        head = _with_labels(head, result.labels, directory)
    (directory / _HEAD).write_bytes(msgspec.msgpack.encode(head))


def _head(result: Result) -> _Head:
    match result:
        case Vector():
            return _Head("vector", time_ms=result.time_ms, notes=result.notes)
        case Matrix():
            return _Head("matrix", notes=result.notes)
        case Scalar():
            return _Head("scalar", notes=result.notes)
        case Samples():
            return _Head("samples", notes=result.notes)
        case Text():
            return _Head("text", time_ms=result.time_ms, text=result.value)


def _with_labels(head: _Head, labels: LabelFrame, directory: Path) -> _Head:
    table = SymbolTable()
    np.save(_array(directory, _CODES), recoded(labels, str, table))
    strings = tuple(table[code] for code in range(1, len(table)))
    return msgspec.structs.replace(head, names=labels.names, strings=strings)


def read_result(directory: Path) -> Result:
    """Return the result that was written to a directory; its files may be removed then."""
    head = msgspec.msgpack.decode((directory / _HEAD).read_bytes(), type=_Head)

    def array(name: str) -> NDArray[Any]:
        return np.asarray(np.load(_array(directory, name), mmap_mode="c"))

    def labels() -> LabelFrame:
        return LabelFrame(head.names, array(_CODES), SymbolTable(head.strings))

    match head.kind:
        case "vector":
            return Vector(labels(), array("values"), head.time_ms, head.notes)
        case "matrix":
            columns = array("times"), array("values"), array("present")
            return Matrix(labels(), *columns, head.notes)
        case "scalar":
            return Scalar(array("times"), array("values"), head.notes)
        case "samples":
            starts = array("starts") if _array(directory, "starts").exists() else None
            rows = array("offsets"), array("timestamps"), array("values")
            return Samples(labels(), *rows, starts, head.notes)
        case "text":
            return Text(head.text, head.time_ms)


def _array(directory: Path, name: str) -> Path:
    return directory / f"{name}.npy"
