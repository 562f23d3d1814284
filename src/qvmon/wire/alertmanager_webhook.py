"""The body that Alertmanager sends to webhooks, version 4.

Source: Alertmanager ``notify/webhook`` (``Message``), ``template`` (``Data``, ``Alert``) and
``prometheus/common`` ``model`` (``LabelSet.Fingerprint``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from qvmon.model.facts import NotificationQueued, NotifiedAlert

MEDIA_TYPE = "application/json"

_ZERO_TIME = "0001-01-01T00:00:00Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_SEPARATOR = b"\xff"


class WebhookAlert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One alert of a group."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str
    ends_at: str
    generator_url: str = msgspec.field(name="generatorURL")
    fingerprint: str


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All alerts of one group, for one receiver."""

    receiver: str
    status: str
    alerts: list[WebhookAlert]
    group_labels: dict[str, str]
    common_labels: dict[str, str]
    common_annotations: dict[str, str]
    external_url: str = msgspec.field(name="externalURL")
    version: str = "4"
    group_key: str
    truncated_alerts: int = 0


def encode(notification: NotificationQueued, external_url: str, max_alerts: int = 0) -> bytes:
    """Return the JSON body for ``notification``.

    Args:
        notification: The group as of now.
        external_url: Where people reach qvmon.
        max_alerts: Leave out alerts beyond this many, saying how many; 0 for no limit.
    """
    alerts = notification.alerts
    kept = alerts[:max_alerts] if max_alerts else alerts
    body = WebhookBody(
        receiver=notification.receiver,
        status=notification.status,
        alerts=[_alert(alert) for alert in kept],
        group_labels=_sorted(notification.group_labels),
        common_labels=common(alert.labels for alert in alerts),
        common_annotations=common(alert.annotations for alert in alerts),
        external_url=external_url,
        group_key=notification.group_key,
        truncated_alerts=len(alerts) - len(kept),
    )
    return msgspec.json.encode(body)


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return Alertmanager's name for an alert: FNV-1a (64 bits) over its sorted labels."""
    total = _FNV_OFFSET
    parts: Sequence[str] = [part for pair in sorted(labels.items()) for part in pair]
    for byte in b"".join(part.encode() + _SEPARATOR for part in parts):
        total = ((total ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{total:016x}"


def common(sets: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the pairs that every one of ``sets`` has, sorted by name."""
    items = [set(each.items()) for each in sets]
    return dict(sorted(set.intersection(*items))) if items else {}


def _alert(alert: NotifiedAlert) -> WebhookAlert:
    return WebhookAlert(
        status=alert.status,
        labels=_sorted(alert.labels),
        annotations=_sorted(alert.annotations),
        starts_at=_go_time(alert.starts_at_ms),
        ends_at=_go_time(alert.ends_at_ms) if alert.ends_at_ms else _ZERO_TIME,
        generator_url=alert.generator_url,
        fingerprint=fingerprint(alert.labels),
    )


def _go_time(time_ms: int) -> str:
    """Return a time as Go writes it into JSON: RFC 3339, no trailing zeros in the fraction."""
    moment = (_EPOCH + timedelta(milliseconds=time_ms)).replace(tzinfo=None)
    text = moment.isoformat(timespec="milliseconds")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "Z"


def _sorted(labels: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(labels.items()))
