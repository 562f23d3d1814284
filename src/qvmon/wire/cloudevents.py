"""CloudEvents 1.0 in the JSON event format, with W3C trace context as an extension."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from qvmon.model.errors import invalid

MEDIA_TYPE = "application/cloudevents+json"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KNOWN = frozenset(
    {
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "traceparent",
        "data",
        "data_base64",
    }
)
_ATTRIBUTE_NAME = re.compile(r"[a-z0-9]+")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event in its envelope.

    Attributes:
        id: With ``source``, names the event: a repeat has the same.
        source: URI reference of the context it happened in.
        type: What happened.
        data: The payload; JSON text when the content type is JSON.
        subject: What it happened to, or empty.
        time_us: When, microseconds since the epoch; None when not said.
        datacontenttype: Media type of ``data``.
        dataschema: URI of its schema, or empty.
        traceparent: W3C trace context, or empty.
        extensions: Further context attributes.
    """

    id: str
    source: str
    type: str
    data: bytes
    subject: str = ""
    time_us: int | None = None
    datacontenttype: str = "application/json"
    dataschema: str = ""
    traceparent: str = ""
    extensions: Mapping[str, str | int | bool] = field(default_factory=dict)


def encode(event: CloudEvent) -> bytes:
    """Return ``event`` as one JSON object.

    Raises:
        QvmonError: INVALID, for an empty required attribute or a malformed one.
    """
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": "" if event.time_us is None else format_time(event.time_us),
        "datacontenttype": event.datacontenttype,
        "dataschema": event.dataschema,
        "traceparent": event.traceparent,
    }
    _require(attributes)
    for name in event.extensions:
        if name in _KNOWN or not _ATTRIBUTE_NAME.fullmatch(name):
            raise invalid(f"{name!r} cannot name an extension attribute", attribute=name)
    present = {name: value for name, value in attributes.items() if value}
    return msgspec.json.encode({**present, **event.extensions, **_data_member(event)})


def decode(body: bytes) -> CloudEvent:
    """Return the event that ``body`` holds.

    Raises:
        QvmonError: INVALID, naming the attribute that is missing or malformed.
    """
    try:
        members: dict[str, msgspec.Raw] = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        attributes = {
            name: msgspec.json.decode(raw) for name, raw in members.items() if name != "data"
        }
    except msgspec.MsgspecError as error:
        raise invalid(f"not a CloudEvents JSON object: {error}") from None
    for name in _KNOWN & attributes.keys():
        if not isinstance(attributes[name], str):
            raise invalid(f"attribute {name} is not a string", attribute=name)
    _require(attributes)
    content_type = attributes.get("datacontenttype", "application/json")
    return CloudEvent(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        data=_data_of(members, attributes, content_type),
        subject=attributes.get("subject", ""),
        time_us=parse_time(attributes["time"]) if "time" in attributes else None,
        datacontenttype=content_type,
        dataschema=attributes.get("dataschema", ""),
        traceparent=attributes.get("traceparent", ""),
        extensions={name: value for name, value in attributes.items() if name not in _KNOWN},
    )


def format_time(time_us: int) -> str:
    """Return microseconds since the epoch as RFC 3339 in UTC."""
    return (_EPOCH + timedelta(microseconds=time_us)).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> int:
    """Return the microseconds since the epoch that an RFC 3339 time means.

    Raises:
        QvmonError: INVALID, for anything else, a time without offset included.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"time {text!r} is not RFC 3339", attribute="time") from None
    if moment.tzinfo is None or "T" not in text.upper():
        raise invalid(f"time {text!r} is not RFC 3339: no offset", attribute="time")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _require(attributes: Mapping[str, Any]) -> None:
    version = attributes.get("specversion")
    if version != "1.0":
        raise invalid(f"specversion is {version!r}, not '1.0'", attribute="specversion")
    for name in ("id", "source", "type"):
        if not attributes.get(name):
            raise invalid(f"attribute {name} is missing or empty", attribute=name)
    traceparent = attributes.get("traceparent")
    if traceparent and not _TRACEPARENT.fullmatch(traceparent):
        raise invalid(f"traceparent {traceparent!r} is malformed", attribute="traceparent")


def _data_member(event: CloudEvent) -> dict[str, Any]:
    if not event.data:
        return {}
    if _is_json(event.datacontenttype):
        try:
            msgspec.json.decode(event.data)
        except msgspec.MsgspecError as error:
            raise invalid(f"data is not JSON: {error}", attribute="data") from None
        return {"data": msgspec.Raw(event.data)}
    return {"data_base64": base64.b64encode(event.data).decode()}


def _data_of(
    members: Mapping[str, msgspec.Raw], attributes: Mapping[str, Any], content_type: str
) -> bytes:
    if "data_base64" in attributes:
        if "data" in members:
            raise invalid("both data and data_base64 are there", attribute="data_base64")
        try:
            return base64.b64decode(attributes["data_base64"], validate=True)
        except binascii.Error as error:
            raise invalid(f"data_base64: {error}", attribute="data_base64") from None
    if "data" not in members:
        return b""
    raw = bytes(members["data"])
    if _is_json(content_type):
        return raw
    text = msgspec.json.decode(raw)
    return text.encode() if isinstance(text, str) else raw


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith(("/json", "+json"))
