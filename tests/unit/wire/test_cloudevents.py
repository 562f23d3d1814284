"""CloudEvents 1.0 in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.wire.cloudevents import CloudEvent, decode, encode, format_time, parse_time

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVENT = CloudEvent(
    id="main:7",
    source="/quantivista/monitoring",
    type="quantivista.monitoring.v1.IncidentCreatedEvent",
    data=b'{"number":1}',
    subject="incident/i",
    time_us=1_700_000_000_123_456,
    traceparent=TRACE,
)
VALID = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def test_an_event_is_one_json_object_of_the_specifications_members() -> None:
    assert json.loads(encode(EVENT)) == {
        "specversion": "1.0",
        "id": "main:7",
        "source": "/quantivista/monitoring",
        "type": "quantivista.monitoring.v1.IncidentCreatedEvent",
        "subject": "incident/i",
        "time": "2023-11-14T22:13:20.123456Z",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
        "data": {"number": 1},
    }


def test_what_is_encoded_decodes_to_itself() -> None:
    assert decode(encode(EVENT)) == EVENT


@given(
    st.text(min_size=1), st.text(min_size=1), st.text(), st.binary(),
    st.dictionaries(st.from_regex(r"x[a-z0-9]{0,8}", fullmatch=True), st.text(min_size=1)),
)  # fmt: skip
def test_any_binary_event_survives(
    name: str, source: str, subject: str, data: bytes, extensions: dict[str, str]
) -> None:
    event = CloudEvent(
        id=name,
        source=source,
        type="t",
        data=data,
        subject=subject,
        datacontenttype="application/octet-stream",
        extensions=extensions,
    )
    assert decode(encode(event)) == event


def test_the_specifications_own_example_is_understood() -> None:
    """CloudEvents JSON event format 1.0.2, section 3.1, with data in base 64."""
    event = decode(
        b"""{
        "specversion" : "1.0", "type" : "com.example.someevent", "source" : "/mycontext",
        "id" : "A234-1234-1234", "time" : "2018-04-05T17:31:00Z", "comexampleextension1" : "value",
        "comexampleothervalue" : 5, "datacontenttype" : "application/vnd.apache.thrift.binary",
        "data_base64" : "dGhyaWZ0" }"""
    )
    assert event.data == b"thrift"
    assert event.extensions == {"comexampleextension1": "value", "comexampleothervalue": 5}
    assert event.time_us == int(datetime(2018, 4, 5, 17, 31, tzinfo=UTC).timestamp() * 1e6)


@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": None}, "specversion"),
        ({"id": ""}, "id"),
        ({"source": 5}, "source"),
        ({"type": None}, "type"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2018-04-05T17:31:00"}, "time"),
        ({"time": "2018-04-05"}, "time"),
        ({"traceparent": "00-xyz"}, "traceparent"),
        ({"data_base64": "###"}, "data_base64"),
        ({"data": 1, "data_base64": "dGhyaWZ0"}, "data_base64"),
    ],
)
def test_a_wrong_attribute_is_named(changes: dict, attribute: str) -> None:
    with pytest.raises(QvmonError) as caught:
        decode(json.dumps({**VALID, **changes}).encode())
    assert caught.value.kind is ErrorKind.INVALID
    assert caught.value.context["attribute"] == attribute


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b'{"id": nan}'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(QvmonError, match="not a CloudEvents JSON object"):
        decode(body)


def test_an_absent_required_attribute_is_refused_on_the_way_out_too() -> None:
    for missing in ("id", "source", "type"):
        with pytest.raises(QvmonError, match=missing):
            encode(
                CloudEvent(**{"id": "1", "source": "s", "type": "t", "data": b""} | {missing: ""})
            )


def test_data_that_is_not_what_it_says_is_refused() -> None:
    with pytest.raises(QvmonError, match="data is not JSON"):
        encode(CloudEvent(id="1", source="s", type="t", data=b"{"))


def test_an_extension_cannot_take_a_known_name() -> None:
    with pytest.raises(QvmonError, match="'subject' cannot name"):
        encode(CloudEvent(id="1", source="s", type="t", data=b"", extensions={"subject": "x"}))


@given(st.integers(min_value=0, max_value=250_000_000_000_000_000))
def test_every_microsecond_has_its_text(time_us: int) -> None:
    assert parse_time(format_time(time_us)) == time_us


def test_an_offset_is_taken_into_account() -> None:
    assert parse_time("1970-01-01T02:00:00+02:00") == 0
