"""A peer's series are its store's series, and its troubles are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from qvmon.adapters.peer import PeerConfig, PeerSource
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.ports import OutboundRequest, OutboundResponse
from qvmon.model.series import (
    STALE,
    LabelFrame,
    MetricMetadata,
    Selection,
    SeriesColumns,
)
from qvmon.wire import series_stream

CONFIG = PeerConfig(url="http://peer:9091/")
UP = (Matcher("__name__", MatchOp.EQUAL, "up"),)
COLUMNS = SeriesColumns(
    LabelFrame.from_labels([Labels(__name__="up", job="a"), Labels(__name__="up")]),
    np.array([0, 2, 3]),
    np.array([1, 2, 1]),
    np.array([1.0, STALE, np.nan]),
)


class Wire:
    """Answers requests as a peer would, and keeps them."""

    def __init__(self, status: int, body: bytes) -> None:
        self.requests: list[OutboundRequest] = []
        self._answer = OutboundResponse(status, {}, body)

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        self.requests.append(request)
        return self._answer


async def test_samples_come_bit_for_bit_and_the_token_goes_along() -> None:
    wire = Wire(200, series_stream.encode_columns([COLUMNS]))
    (got,) = await PeerSource(CONFIG, "qvm_secret", wire).select([Selection(UP, 0, 5)])
    assert got.labels.all_labels() == COLUMNS.labels.all_labels()
    np.testing.assert_array_equal(got.values.view(np.uint64), COLUMNS.values.view(np.uint64))
    (request,) = wire.requests
    assert request.url == "http://peer:9091/api/qvmon/v1/peer/select"
    assert request.headers["Authorization"] == "Bearer qvm_secret"
    assert series_stream.decode_select_request(request.body) == [Selection(UP, 0, 5)]


async def test_nothing_selected_asks_nobody() -> None:
    wire = Wire(500, b"")
    assert await PeerSource(CONFIG, "t", wire).select([]) == []
    assert wire.requests == []


async def test_series_and_metadata_come_too() -> None:
    wire = Wire(200, series_stream.encode_frame(COLUMNS.labels))
    frame = await PeerSource(CONFIG, "t", wire).series([UP], 0, 5)
    assert frame.all_labels() == COLUMNS.labels.all_labels()
    entry = MetricMetadata("up", "gauge", "help")
    wire = Wire(200, series_stream.encode_metadata([entry]))
    assert await PeerSource(CONFIG, "t", wire).metadata("a&b") == [entry]
    assert wire.requests[0].url.endswith("/metadata?metric=a%26b")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"error":{"kind":"unauthenticated","message":"no"}}', ErrorKind.UNAVAILABLE),
        (429, b'{"error":{"kind":"exhausted","message":"too much"}}', ErrorKind.EXHAUSTED),
        (504, b'{"error":{"kind":"timeout","message":"slow"}}', ErrorKind.TIMEOUT),
        (502, b"<html>bad gateway</html>", ErrorKind.UNAVAILABLE),
        (500, b'{"error":"odd"}', ErrorKind.UNAVAILABLE),
        (200, b"<html>a login page</html>", ErrorKind.CORRUPT),
    ],
)
async def test_refusals_are_told_with_the_peers_own_words(
    status: int, body: bytes, kind: ErrorKind
) -> None:
    with pytest.raises(QvmonError) as caught:
        await PeerSource(CONFIG, "t", Wire(status, body)).select([Selection(UP, 0, 5)])
    assert caught.value.kind is kind
    assert status == 200 or str(status) in caught.value.message


@pytest.mark.parametrize("url", ["peer:9091", "ftp://peer", "http://peer/prefix", ""])
def test_an_address_is_a_server_and_nothing_more(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        PeerConfig(url=url)
