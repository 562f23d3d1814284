"""Exemplars of a remote-write request: few, and read one by one.

Source: prompb/types.proto, ``Exemplar``.
"""

from __future__ import annotations

from qvmon.model.errors import QvmonError
from qvmon.model.exemplars import Exemplar
from qvmon.model.labels import Labels
from qvmon.model.series import Int64s, SeriesKeys
from qvmon.wire.protobuf.messages import double, fields, inner, signed, text

_LABEL, _VALUE, _TIMESTAMP = 1, 2, 3


def read_exemplars(
    message: bytes, keys: SeriesKeys, places: Int64s
) -> tuple[list[tuple[bytes, Exemplar]], int]:
    """Return exemplars, each with the canonical bytes of its series, and how many are damaged.

    Args:
        message: The decompressed request.
        keys: Its series.
        places: int64[n, 3]; of each exemplar its series, and where its bytes begin and end.
    """
    found, malformed = [], 0
    for series, start, end in places.tolist():
        try:
            found.append((keys.key(series), _exemplar(message[start:end])))
        except QvmonError:
            malformed += 1
    return found, malformed


def _exemplar(message: bytes) -> Exemplar:
    labels: list[tuple[str, str]] = []
    value, time_ms = 0.0, 0
    for number, content in fields(message):
        if number == _LABEL:
            labels.append(_label(inner(content)))
        elif number == _VALUE:
            value = double(content)
        elif number == _TIMESTAMP:
            time_ms = signed(content)
    return Exemplar(Labels(labels), value, time_ms)


def _label(message: bytes) -> tuple[str, str]:
    pair = {number: text(content) for number, content in fields(message)}
    return pair.get(1, ""), pair.get(2, "")
