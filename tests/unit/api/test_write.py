"""Remote write: what is taken is durable and visible; what is refused is named."""

from __future__ import annotations

import struct

import cramjam
import numpy as np
import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.model.labels import Labels
from qvmon.model.series import SeriesKeys
from qvmon.services.collection import CollectionConfig, CollectionService
from qvmon.wire.remote_write import encode

from .conftest import House, NoFiles, NoNetwork

SNAPPY = {"Content-Encoding": "snappy"}


def body(samples: list[tuple[Labels, int, float]]) -> bytes:
    keys = SeriesKeys.from_labels([labels for labels, _, _ in samples])
    times = np.array([at for _, at, _ in samples], np.int64)
    values = np.array([value for _, _, value in samples])
    return encode(keys, np.arange(len(samples)), times, values)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


async def test_what_was_written_is_visible_to_queries_at_once(house: House) -> None:
    writer = await house.program("ingest")
    reader = await house.program("viewer")
    content = body([(Labels(__name__="orders", venue="X"), house.now_ms, 7.0)])
    assert (await writer.post("/api/v1/write", content=content, headers=SNAPPY)).status_code == 204
    found = (await reader.get("/api/v1/query", params={"query": "orders"})).json()["data"]
    assert found["result"][0]["value"][1] == "7"


async def test_refused_samples_are_named_and_the_others_stored(house: House) -> None:
    writer = await house.program("ingest")
    reader = await house.program("viewer")
    future = house.now_ms + 3_600_000
    content = body(
        [
            (Labels(__name__="orders", venue="X"), house.now_ms, 7.0),
            (Labels(__name__="orders", venue="Y"), future, 8.0),
            (Labels(venue="nameless"), house.now_ms, 9.0),
        ]
    )
    answer = await writer.post("/api/v1/write", content=content, headers=SNAPPY)
    assert answer.status_code == 400
    assert "too far in the future (1)" in answer.text
    assert "no metric name (1)" in answer.text
    found = (await reader.get("/api/v1/query", params={"query": "count(orders)"})).json()
    assert found["data"]["result"][0]["value"][1] == "1"


async def test_native_histograms_are_refused_by_name_and_the_samples_stored(house: House) -> None:
    writer = await house.program("ingest")
    reader = await house.program("viewer")
    name = b"\x0a\x12\x0a\x08__name__\x12\x06orders"
    point = b"\x09" + struct.pack("<d", 7.0) + b"\x10" + varint(house.now_ms)
    sample = b"\x12" + bytes([len(point)]) + point
    histogram = b"\x22\x02\x08\x01"
    series = name + sample + histogram
    message = b"\x0a" + bytes([len(series)]) + series
    content = bytes(cramjam.snappy.compress_raw(message))
    answer = await writer.post("/api/v1/write", content=content, headers=SNAPPY)
    assert answer.status_code == 400
    assert "native histograms are not supported (1)" in answer.text
    found = (await reader.get("/api/v1/query", params={"query": "orders"})).json()["data"]
    assert found["result"][0]["value"][1] == "7"


async def test_remote_write_2_is_refused_rather_than_read_as_nothing(house: House) -> None:
    writer = await house.program("ingest")
    second = {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
    content = body([(Labels(__name__="orders"), house.now_ms, 7.0)])
    answer = await writer.post("/api/v1/write", content=content, headers={**SNAPPY, **second})
    assert answer.status_code == 415
    assert "2.0" in answer.text


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"not snappy at all", SNAPPY, 400),
        (b"", SNAPPY, 400),
        (bytes(cramjam.snappy.compress_raw(b"\xff" * 100)), SNAPPY, 400),
        (b"x", {"Content-Encoding": "br"}, 415),
        (bytes(cramjam.snappy.compress_raw(bytes(2 << 20))), SNAPPY, 413),
        (bytes(cramjam.gzip.compress(bytes(2 << 20))), {"Content-Encoding": "gzip"}, 413),
        (bytes(2 << 20), {"Content-Encoding": "identity"}, 413),
    ],
)
async def test_damaged_and_oversized_bodies_are_refused(
    house: House, content: bytes, headers: dict[str, str], status: int
) -> None:
    config = ApiConfig(
        anonymous_ingest=True, ingest_body_bytes=1 << 20, ingest_decoded_bytes=1 << 20
    )
    client = house.client(create_app(house.ports(), config))
    answer = await client.post("/api/v1/write", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.text


async def test_a_body_without_a_length_is_cut_off_at_the_limit(house: House) -> None:
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield bytes(64 << 10)

    config = ApiConfig(anonymous_ingest=True, ingest_body_bytes=256 << 10)
    client = house.client(create_app(house.ports(), config))
    answer = await client.post("/api/v1/write", content=endless(), headers=SNAPPY)
    assert answer.status_code == 413


async def test_rest_bodies_have_a_limit_of_their_own(house: House) -> None:
    app = create_app(house.ports(), ApiConfig(request_body_bytes=2048))
    client = house.client(app)
    answer = await client.post(
        "/api/qvmon/v1/session", json={"username": "ada", "password": "x" * 4096}
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["kind"] == "exhausted"


async def test_a_sender_that_sends_too_much_is_told_to_wait_and_listed(house: House) -> None:
    limits = CollectionConfig(sender_samples_per_second=0.1)
    limited = CollectionService(
        limits,
        house.store,
        NoNetwork(),
        house.clock,
        house.registry,
        unknown=house.store,
        exemplars=house.exemplars,
        files=NoFiles(),
    )
    app = create_app(house.ports(ingest=limited), ApiConfig())
    writer = await house.program("ingest", app)
    reader = await house.program("viewer", app)
    content = body([(Labels(__name__="orders", venue="X"), house.now_ms, 7.0)])
    assert (await writer.post("/api/v1/write", content=content, headers=SNAPPY)).status_code == 204
    answer = await writer.post("/api/v1/write", content=content, headers=SNAPPY)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "10"
    (sender,) = (await reader.get("/api/qvmon/v1/senders")).json()["senders"]
    assert sender["accepted"] == 1
    assert sender["refused"] == {"sender_rate_limit": 1}
    assert sender["last_refused"] is not None
