"""Passes over a protobuf ``prometheus.WriteRequest``: check, read into columns, write.

``check`` proves the framing of the whole message, so that ``read`` need not look at its limits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Int64s
from qvmon.wire.protobuf import FINE, TRUNCATED, put_varint, read_varint, varint_size
from qvmon.wire.utf8 import is_utf8
from qvmon.wire.xxh64 import little_endian

# What may be wrong with the framing, beside ``TRUNCATED`` and ``LONG_VARINT``.
BAD_WIRE_TYPE = 3
BAD_FIELD = 4

# Why a series is refused; ``decoding`` has the words.
NO_METRIC_NAME = 1
EMPTY_LABEL_NAME = 2
DUPLICATE_LABEL = 3
INVALID_UTF8 = 4

# Fields: number << 3 | wire type.
_SERIES, _METADATA = 1 << 3 | 2, 3 << 3 | 2
_LABEL, _SAMPLE, _EXEMPLAR, _HISTOGRAM = 1 << 3 | 2, 2 << 3 | 2, 3 << 3 | 2, 4 << 3 | 2
_NAME, _VALUE = 1 << 3 | 2, 2 << 3 | 2
_NUMBER, _TIMESTAMP = 1 << 3 | 1, 2 << 3 | 0
_TYPE, _FAMILY, _HELP, _UNIT = 1 << 3 | 0, 2 << 3 | 2, 4 << 3 | 2, 5 << 3 | 2

# Messages, for the wire types their known fields must have.
_IN_REQUEST, _IN_SERIES, _IN_LABEL, _IN_SAMPLE, _IN_METADATA = 0, 1, 2, 3, 4
_ANY = 255
_WIRE_TYPES = np.full((5, 8), _ANY, np.int64)
_WIRE_TYPES[_IN_REQUEST, [1, 3]] = 2
_WIRE_TYPES[_IN_SERIES, [1, 2, 3, 4]] = 2
_WIRE_TYPES[_IN_LABEL, [1, 2]] = 2
_WIRE_TYPES[_IN_SAMPLE, [1, 2]] = 1, 0
_WIRE_TYPES[_IN_METADATA, [1, 2, 4, 5]] = 0, 2, 2, 2

_METRIC_NAME = np.frombuffer(b"__name__", np.uint8).copy()


@kernel("UniTuple(int64, 5)(Array(uint8, 1, 'C', True), int64, int64, int64)")
def _field(body: Bytes, at: int, end: int, message: int) -> tuple[int, int, int, int, int]:
    """Read one field of a message.

    Returns:
        The position after it (or of the mistake), its tag, where its content begins and ends (of a
        varint: its bytes), and what is wrong.
    """
    after, tag, mistake = read_varint(body, at, end)
    if mistake != FINE:
        return at, 0, 0, 0, mistake
    number, wire_type = tag >> 3, tag & 7
    if number <= 0 or number >= 1 << 29:
        return at, 0, 0, 0, BAD_FIELD
    if number < 8 and _WIRE_TYPES[message, number] not in (_ANY, wire_type):
        return at, 0, 0, 0, BAD_WIRE_TYPE
    start, stop = after, after
    if wire_type == 0:
        stop, _, mistake = read_varint(body, after, end)
    elif wire_type == 1:
        stop = after + 8
    elif wire_type == 2:
        start, length, mistake = read_varint(body, after, end)
        if mistake == FINE and (length < 0 or length > end - start):
            mistake = TRUNCATED
        stop = start + length
    elif wire_type == 5:
        stop = after + 4
    else:
        return at, 0, 0, 0, BAD_WIRE_TYPE
    if mistake != FINE:
        return after, 0, 0, 0, mistake
    if stop > end:
        return at, 0, 0, 0, TRUNCATED
    return stop, tag, start, stop, FINE


@kernel("UniTuple(int64, 2)(Array(uint8, 1, 'C', True), int64, int64, int64)")
def _check_flat(body: Bytes, at: int, end: int, message: int) -> tuple[int, int]:
    """Check a message that holds no messages we read; return (position, mistake)."""
    while at < end:
        at, _, _, _, mistake = _field(body, at, end, message)
        if mistake != FINE:
            return at, mistake
    return at, FINE


@kernel("boolean(Array(uint8, 1, 'C', True), int64, int64)")
def _is_plain_label(body: Bytes, at: int, end: int) -> bool:
    """Return whether a label is a short name and a short value: as all senders write most."""
    if end - at < 4 or body[at] != _NAME or body[at + 1] > 127:
        return False
    value = at + 2 + int(body[at + 1])
    if value + 2 > end or body[value] != _VALUE or body[value + 1] > 127:
        return False
    return value + 2 + int(body[value + 1]) == end


@kernel("boolean(Array(uint8, 1, 'C', True), int64, int64)")
def _is_plain_sample(body: Bytes, at: int, end: int) -> bool:
    """Return whether a sample is a value and a timestamp, in this order."""
    if end - at < 11 or body[at] != _NUMBER or body[at + 9] != _TIMESTAMP:
        return False
    after, _, mistake = read_varint(body, at + 10, end)
    return after == end and mistake == FINE


@kernel("UniTuple(int64, 7)(Array(uint8, 1, 'C', True))")
def check(body: Bytes) -> tuple[int, int, int, int, int, int, int]:
    """Check the framing of a whole request and count what is in it.

    Args:
        body: uint8[n]; the decompressed request.

    Returns:
        Series, samples, exemplars, metadata entries, most labels of one series, mistake (``FINE``
        when none) and its position.
    """
    series = samples = exemplars = metadata = most_labels = 0
    at, end = 0, len(body)
    while at < end:
        at, tag, start, stop, mistake = _field(body, at, end, _IN_REQUEST)
        if mistake != FINE:
            return series, samples, exemplars, metadata, most_labels, mistake, at
        if tag == _METADATA:
            metadata += 1
            where, mistake = _check_flat(body, start, stop, _IN_METADATA)
            if mistake != FINE:
                return series, samples, exemplars, metadata, most_labels, mistake, where
        if tag != _SERIES:
            continue
        series += 1
        labels, inner = 0, start
        while inner < stop:
            inner, tag, part, part_stop, mistake = _field(body, inner, stop, _IN_SERIES)
            where = inner
            if mistake == FINE and tag == _LABEL:
                labels += 1
                if not _is_plain_label(body, part, part_stop):
                    where, mistake = _check_flat(body, part, part_stop, _IN_LABEL)
            elif mistake == FINE and tag == _SAMPLE:
                samples += 1
                if not _is_plain_sample(body, part, part_stop):
                    where, mistake = _check_flat(body, part, part_stop, _IN_SAMPLE)
            elif mistake == FINE and tag == _EXEMPLAR:
                exemplars += 1
            if mistake != FINE:
                return series, samples, exemplars, metadata, most_labels, mistake, where
        most_labels = max(most_labels, labels)
    return series, samples, exemplars, metadata, most_labels, FINE, at


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64, int64, int64)")
def _compare(body: Bytes, a: int, a_end: int, b: int, b_end: int) -> int:
    """Compare two byte strings: negative, zero or positive as the first is before the second."""
    for step in range(min(a_end - a, b_end - b)):
        if body[a + step] != body[b + step]:
            return -1 if body[a + step] < body[b + step] else 1
    return (a_end - a) - (b_end - b)


@kernel("void(Array(uint8, 1, 'C', True), int64[:, ::1], int64)")
def _sort(body: Bytes, labels: Int64s, count: int) -> None:
    """Sort labels by name; Shell's sort, so that a million unsorted labels stay harmless."""
    gap = count
    while gap > 1:
        gap = max(1, gap * 5 // 11)
        for i in range(gap, count):
            name, name_end = labels[i, 0], labels[i, 1]
            value, value_end = labels[i, 2], labels[i, 3]
            j = i
            while j >= gap and (
                _compare(body, labels[j - gap, 0], labels[j - gap, 1], name, name_end) > 0
            ):
                for part in range(4):
                    labels[j, part] = labels[j - gap, part]
                j -= gap
            labels[j, 0], labels[j, 1], labels[j, 2], labels[j, 3] = (
                name,
                name_end,
                value,
                value_end,
            )


@kernel("void(Array(uint8, 1, 'C', True), int64, int64, int64[:, ::1], int64)")
def _read_label(body: Bytes, at: int, end: int, labels: Int64s, row: int) -> None:
    """Fill a row of ``labels`` with name start, name end, value start and value end."""
    if _is_plain_label(body, at, end):
        labels[row, 0], labels[row, 1] = at + 2, at + 2 + int(body[at + 1])
        labels[row, 2], labels[row, 3] = labels[row, 1] + 2, end
        return
    for part in range(4):
        labels[row, part] = 0
    while at < end:
        at, tag, start, stop, _ = _field(body, at, end, _IN_LABEL)
        if tag == _NAME:
            labels[row, 0], labels[row, 1] = start, stop
        elif tag == _VALUE:
            labels[row, 2], labels[row, 3] = start, stop


@kernel("Tuple((uint64, int64))(Array(uint8, 1, 'C', True), int64, int64)")
def _read_sample(body: Bytes, at: int, end: int) -> tuple[np.uint64, int]:
    """Return the bits of a sample's value, and its timestamp."""
    if _is_plain_sample(body, at, end):
        _, timestamp, _ = read_varint(body, at + 10, end)
        return little_endian(body, at + 1), timestamp
    value, timestamp = np.uint64(0), 0
    while at < end:
        at, tag, start, stop, _ = _field(body, at, end, _IN_SAMPLE)
        if tag == _TIMESTAMP:
            _, timestamp, _ = read_varint(body, start, stop)
        elif tag == _NUMBER:
            value = little_endian(body, start)
    return value, timestamp


@kernel("int64(Array(uint8, 1, 'C', True), int64[:, ::1], int64)")
def _fault(body: Bytes, labels: Int64s, count: int) -> int:
    """Return why sorted labels name no series, or ``FINE``."""
    named = False
    for i in range(count):
        start, end = labels[i, 0], labels[i, 1]
        if start == end:
            return EMPTY_LABEL_NAME
        if i > 0 and _compare(body, labels[i - 1, 0], labels[i - 1, 1], start, end) == 0:
            return DUPLICATE_LABEL
        if not is_utf8(body, start, end) or not is_utf8(body, labels[i, 2], labels[i, 3]):
            return INVALID_UTF8
        if end - start == 8 and labels[i, 3] > labels[i, 2]:
            same = 0
            while same < 8 and body[start + same] == _METRIC_NAME[same]:
                same += 1
            named = named or same == 8
    return FINE if named else NO_METRIC_NAME


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64, uint8[::1], int64)")
def _put_string(source: Bytes, start: int, end: int, out: Bytes, at: int) -> int:
    """Write length and bytes."""
    at = put_varint(out, at, np.uint64(end - start))
    for step in range(end - start):
        out[at + step] = source[start + step]
    return at + end - start


@kernel(
    "UniTuple(int64, 5)(Array(uint8, 1, 'C', True), int64[:, ::1], uint8[::1], int64[::1],"
    " int64[::1], int64[::1], uint64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1])"
)
def read(
    body: Bytes,
    labels: Int64s,
    arena: Bytes,
    offsets: Int64s,
    rows: Int64s,
    timestamps: Int64s,
    values: NDArray[np.uint64],
    refused: Int64s,
    metadata: Int64s,
    exemplars: Int64s,
) -> tuple[int, int, int, int, int]:
    """Read a checked request into columns.

    Args:
        body: uint8[n]; the decompressed request.
        labels: int64[most labels, 4] scratch.
        arena: uint8[n] out; canonical label bytes of the series kept.
        offsets: int64[series + 1] out; where they begin.
        rows: int64[samples] out; the kept series of each sample.
        timestamps: int64[samples] out; milliseconds.
        values: uint64[samples] out; bits of the values.
        refused: int64[series, 4] out; number in the request, byte offset, reason and samples.
        metadata: int64[metadata, 7] out; type, then start and end of name, help and unit.
        exemplars: int64[exemplars, 3] out; the kept series, then start and end of the message.

    Returns:
        How many series were kept, samples kept, series refused, exemplars kept, histograms seen.
    """
    kept = samples = refusals = attached = histograms = 0
    at, end, used, described, number = 0, len(body), 0, 0, 0
    offsets[0] = 0
    while at < end:
        at, tag, start, stop, _ = _field(body, at, end, _IN_REQUEST)
        if tag == _METADATA:
            for part in range(7):
                metadata[described, part] = 0
            inner = start
            while inner < stop:
                inner, tag, part, part_stop, _ = _field(body, inner, stop, _IN_METADATA)
                if tag == _TYPE:
                    _, word, _ = read_varint(body, part, part_stop)
                    metadata[described, 0] = word & 0xFF
                elif tag == _FAMILY:
                    metadata[described, 1], metadata[described, 2] = part, part_stop
                elif tag == _HELP:
                    metadata[described, 3], metadata[described, 4] = part, part_stop
                elif tag == _UNIT:
                    metadata[described, 5], metadata[described, 6] = part, part_stop
            described += 1
        if tag != _SERIES:
            continue
        count, first_sample, first_exemplar, inner = 0, samples, attached, start
        while inner < stop:
            inner, tag, part, part_stop, _ = _field(body, inner, stop, _IN_SERIES)
            if tag == _LABEL:
                _read_label(body, part, part_stop, labels, count)
                count += 1
            elif tag == _SAMPLE:
                value, timestamp = _read_sample(body, part, part_stop)
                rows[samples] = kept
                values[samples] = value
                timestamps[samples] = timestamp
                samples += 1
            elif tag == _EXEMPLAR:
                exemplars[attached, 0] = kept
                exemplars[attached, 1], exemplars[attached, 2] = part, part_stop
                attached += 1
            elif tag == _HISTOGRAM:
                histograms += 1
        _sort(body, labels, count)
        fault = _fault(body, labels, count)
        if fault != FINE:
            refused[refusals, 0] = number
            refused[refusals, 1] = start
            refused[refusals, 2] = fault
            refused[refusals, 3] = samples - first_sample
            refusals += 1
            samples, attached = first_sample, first_exemplar
        else:
            for i in range(count):
                if labels[i, 3] > labels[i, 2]:
                    used = _put_string(body, labels[i, 0], labels[i, 1], arena, used)
                    used = _put_string(body, labels[i, 2], labels[i, 3], arena, used)
            kept += 1
            offsets[kept] = used
        number += 1
    return kept, samples, refusals, attached, histograms


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64)")
def _label_size(arena: Bytes, at: int, end: int) -> int:
    """Return the size of the ``Label`` message of the canonical label that begins at ``at``."""
    size = 0
    for _ in range(2):
        begin, length, _ = read_varint(arena, at, end)
        size += 1 + begin - at + length
        at = begin + length
    return size


@kernel(
    "int64(Array(uint8, 1, 'C', True), Array(int64, 1, 'C', True), Array(int64, 1, 'C', True),"
    " Array(int64, 1, 'C', True), Array(uint64, 1, 'C', True), uint8[::1])"
)
def write(
    arena: Bytes,
    offsets: Int64s,
    firsts: Int64s,
    timestamps: Int64s,
    values: NDArray[np.uint64],
    out: Bytes,
) -> int:
    """Write the ``timeseries`` of a request.

    Args:
        arena: uint8[total]; canonical label bytes end to end.
        offsets: int64[n + 1]; where each series' bytes begin.
        firsts: int64[n + 1]; series i owns samples ``firsts[i]:firsts[i + 1]``.
        timestamps: int64[samples]; milliseconds.
        values: uint64[samples]; bits of the values.
        out: uint8[at least 3 * total + 22 * samples + 11 * n] out.

    Returns:
        How many bytes of ``out`` were written.
    """
    to = 0
    for row in range(len(offsets) - 1):
        size, at, end = 0, offsets[row], offsets[row + 1]
        while at < end:
            label = _label_size(arena, at, end)
            size += 1 + varint_size(np.uint64(label)) + label
            at += label - 2
        for sample in range(firsts[row], firsts[row + 1]):
            size += 12 + varint_size(np.uint64(timestamps[sample]))
        out[to] = _SERIES
        to = put_varint(out, to + 1, np.uint64(size))
        at = offsets[row]
        while at < end:
            out[to] = _LABEL
            to = put_varint(out, to + 1, np.uint64(_label_size(arena, at, end)))
            for tag in (_NAME, _VALUE):
                begin, length, _ = read_varint(arena, at, end)
                out[to] = tag
                to = _put_string(arena, begin, begin + length, out, to + 1)
                at = begin + length
        for sample in range(firsts[row], firsts[row + 1]):
            out[to] = _SAMPLE
            to = put_varint(out, to + 1, np.uint64(10 + varint_size(np.uint64(timestamps[sample]))))
            out[to] = _NUMBER
            for step in range(8):
                out[to + 1 + step] = np.uint8(
                    values[sample] >> np.uint64(8 * step) & np.uint64(255)
                )
            out[to + 9] = _TIMESTAMP
            to = put_varint(out, to + 10, np.uint64(timestamps[sample]))
    return to
