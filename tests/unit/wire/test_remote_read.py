"""Remote read: what is asked is understood, and what is sent can be decoded by the book.

The decoders here are written from the formats' descriptions and share nothing with the product.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.series import STALE, LabelFrame, SeriesColumns
from qvmon.wire.remote_read import (
    ReadQuery,
    ReadSeries,
    chunk_frames,
    decode_request,
    encode_samples,
)
from qvmon.wire.remote_read.kernels import crc32c

Series = dict[str, str]
Samples = list[tuple[int, float]]


# --- the other side -----------------------------------------------------------------------------


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    low = bytes([number & 0x7F | (0x80 if number > 0x7F else 0)])
    return low + (varint(number >> 7) if number > 0x7F else b"")


def put(number: int, content: int | bytes | str) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    raw = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def take_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return number, at


def take_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = take_varint(data, at)
        if tag & 7 == 0:
            number, at = take_varint(data, at)
            yield tag >> 3, number
        elif tag & 7 == 1:
            yield tag >> 3, data[at : at + 8]
            at += 8
        else:
            length, at = take_varint(data, at)
            yield tag >> 3, data[at : at + length]
            at += length


def signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def labels_of(data: bytes) -> tuple[str, str]:
    pair = {number: bytes(text).decode() for number, text in take_fields(data)}
    return pair[1], pair[2]


def read_samples(body: bytes) -> list[list[tuple[Series, Samples]]]:
    message = bytes(cramjam.snappy.decompress_raw(body))
    return [
        [one_series(inner) for number, inner in take_fields(result) if number == 1]
        for field, result in take_fields(message)
        if field == 1
    ]


def one_series(data: bytes) -> tuple[Series, Samples]:
    labels, samples = {}, []
    for number, inner in take_fields(data):
        if number == 1:
            name, value = labels_of(inner)
            labels[name] = value
        else:
            fields = dict(take_fields(inner))
            value = struct.unpack("<d", fields.get(1, bytes(8)))[0]
            samples.append((signed(fields.get(2, 0)), value))
    return labels, samples


class Bits:
    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def take(self, count: int) -> int:
        self.at += count
        return int(self.text[self.at - count : self.at] or "0", 2)

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.take(8)
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number


def xor_chunk(data: bytes) -> Samples:
    """Decode an XOR chunk as Prometheus' documentation of its chunk formats describes it."""
    count, bits = int.from_bytes(data[:2], "big"), Bits(data[2:])
    zigzag = bits.varint()
    time, value = (zigzag >> 1) ^ -(zigzag & 1), bits.take(64)
    samples, delta, leading, trailing = [(time, value)], 0, 0, 0
    for number in range(1, count):
        delta = bits.varint() if number == 1 else delta + change(bits)
        time += delta
        if bits.take(1):
            if bits.take(1):
                leading, width = bits.take(5), bits.take(6) or 64
                trailing = 64 - leading - width
            value ^= bits.take(64 - leading - trailing) << trailing
        samples.append((time, value))
    return [(at, struct.unpack("<d", struct.pack("<Q", raw))[0]) for at, raw in samples]


def change(bits: Bits) -> int:
    for size in (0, 14, 17, 20):
        if not bits.take(1):
            raw = bits.take(size) if size else 0
            return raw - (1 << size) if size and raw > 1 << (size - 1) else raw
    return signed(bits.take(64))


def castagnoli(data: bytes) -> int:
    rest = 0xFFFFFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = (rest >> 1) ^ (0x82F63B78 if rest & 1 else 0)
    return rest ^ 0xFFFFFFFF


def read_frames(stream: bytes) -> Iterator[tuple[int, Series, list[Samples]]]:
    at = 0
    while at < len(stream):
        size, at = take_varint(stream, at)
        checksum, message = stream[at : at + 4], stream[at + 4 : at + 4 + size]
        assert int.from_bytes(checksum, "big") == castagnoli(message)
        at += 4 + size
        fields = list(take_fields(message))
        index = next((content for number, content in fields if number == 2), 0)
        for number, series in fields:
            if number == 1:
                labels = dict(labels_of(part) for n, part in take_fields(series) if n == 1)
                chunks = [dict(take_fields(part)) for n, part in take_fields(series) if n == 2]
                yield index, labels, [checked(chunk) for chunk in chunks]


def checked(chunk: dict[int, int | bytes]) -> Samples:
    samples = xor_chunk(chunk[4])
    assert chunk[3] == 1
    assert signed(chunk.get(1, 0)) == samples[0][0]
    assert signed(chunk.get(2, 0)) == samples[-1][0]
    return samples


# --- this side ----------------------------------------------------------------------------------


def columns(series: Sequence[tuple[Series, Samples]]) -> SeriesColumns:
    offsets = np.cumsum([0, *(len(samples) for _, samples in series)])
    times = np.array([at for _, samples in series for at, _ in samples], np.int64)
    values = np.array([value for _, samples in series for _, value in samples], np.float64)
    frame = LabelFrame.from_labels([Labels(labels) for labels, _ in series])
    return SeriesColumns(frame, offsets.astype(np.int64), times, values)


def same(samples: Samples) -> list[tuple[int, bytes]]:
    return [(at, struct.pack("<d", value)) for at, value in samples]


TWO: list[tuple[Series, Samples]] = [
    ({"__name__": "up", "job": "z"}, [(1000, 1.0), (16_000, 0.5), (31_017, float(STALE))]),
    ({"__name__": "up", "job": "a"}, [(-5, 0.0)]),
]


def test_a_request_is_understood() -> None:
    matchers = [
        put(2, "job") + put(3, "a"),
        put(1, 1) + put(2, "x") + put(3, "y"),
        put(1, 2) + put(2, "le") + put(3, "1|2"),
        put(1, 3) + put(2, "le") + put(3, "3"),
    ]
    hints = put(4, put(1, 15_000) + put(2, "rate"))
    query = put(1, -7) + put(2, 9) + b"".join(put(3, each) for each in matchers) + hints
    body = bytes(cramjam.snappy.compress_raw(put(1, query) + put(1, put(2, 5)) + put(2, 1)))
    asked = decode_request(body, max_bytes=1 << 20)
    operators = (MatchOp.EQUAL, MatchOp.NOT_EQUAL, MatchOp.REGEX, MatchOp.NOT_REGEX)
    pairs = (("job", "a"), ("x", "y"), ("le", "1|2"), ("le", "3"))
    expected = tuple(Matcher(n, op, v) for op, (n, v) in zip(operators, pairs, strict=True))
    assert asked.queries == (ReadQuery(expected, -7, 9), ReadQuery((), 0, 5))
    assert asked.as_chunks


@pytest.mark.parametrize(
    ("accepted", "as_chunks"),
    [(b"", False), (put(2, 0), False), (put(2, b"\x01\x00"), True), (put(2, 9) + put(2, 1), True)],
)
def test_the_first_known_kind_of_answer_is_taken(accepted: bytes, as_chunks: bool) -> None:
    body = bytes(cramjam.snappy.compress_raw(put(1, put(2, 1)) + accepted))
    assert decode_request(body, max_bytes=1 << 20).as_chunks is as_chunks


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xff\xff",
        bytes(cramjam.snappy.compress_raw(b"\x0a\x05\x08")),
        bytes(cramjam.snappy.compress_raw(put(2, 7))),
        bytes(cramjam.snappy.compress_raw(put(1, put(3, put(1, 4))))),
        bytes(cramjam.snappy.compress_raw(put(1, put(3, put(1, 2) + put(3, "("))))),
    ],
)
def test_a_damaged_request_is_refused(body: bytes) -> None:
    with pytest.raises(QvmonError):
        decode_request(body, max_bytes=1 << 20)


def test_samples_come_in_label_order_with_external_labels() -> None:
    answer = ReadSeries.of(columns(TWO), {"region": "eu", "job": "outer"})
    nothing = ReadSeries.of(columns([]), {})
    decoded = read_samples(encode_samples([answer, nothing]))
    assert [[labels for labels, _ in each] for each in decoded] == [
        [{**labels, "region": "eu"} for labels, _ in reversed(TWO)],
        [],
    ]
    assert [same(samples) for _, samples in decoded[0]] == [same(s) for _, s in reversed(TWO)]


def test_frames_say_which_query_they_answer() -> None:
    answers = [ReadSeries.of(columns(TWO), {}), ReadSeries.of(columns(TWO[:1]), {})]
    found = list(read_frames(b"".join(chunk_frames(answers))))
    assert [(index, labels["job"]) for index, labels, _ in found] == [(0, "a"), (0, "z"), (1, "z")]
    assert same(found[1][2][0]) == same(TWO[0][1])


def test_a_large_series_is_cut_into_chunks_and_frames() -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal(150_000)
    samples = [(1000 * i + int(i % 7), float(v)) for i, v in enumerate(values)]
    frames = list(chunk_frames([ReadSeries.of(columns([({"__name__": "m"}, samples)]), {})]))
    assert len(frames) > 1
    assert max(map(len, frames)) < 2 << 20
    chunks = [chunk for frame in frames for _, _, parts in read_frames(frame) for chunk in parts]
    assert {len(chunk) for chunk in chunks} == {120}
    assert [sample for chunk in chunks for sample in chunk] == samples


ANY_FLOAT = st.one_of(
    st.floats(width=64),
    st.integers(-1000, 1000).map(float),
    st.just(float(STALE)),
)
RISING = st.lists(
    st.one_of(
        st.integers(1, 9), st.sampled_from([8191, 8192, 8193, 65_536, 65_537, 524_289, 2**40])
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(RISING, st.data())
def test_any_samples_survive_a_chunk(gaps: list[int], data: st.DataObject) -> None:
    times = (np.cumsum(gaps) - 500_000).tolist()
    values = data.draw(st.lists(ANY_FLOAT, min_size=len(times), max_size=len(times)))
    samples = list(zip(times, values, strict=True))
    stream = b"".join(chunk_frames([ReadSeries.of(columns([({"__name__": "m"}, samples)]), {})]))
    ((_, _, chunks),) = read_frames(stream)
    assert same([sample for chunk in chunks for sample in chunk]) == same(samples)


def test_the_checksum_is_the_one_of_the_rfc() -> None:
    assert crc32c(np.zeros(32, np.uint8)) == 0x8A9136AA
    assert crc32c(np.frombuffer(b"123456789", np.uint8)) == 0xE3069283
