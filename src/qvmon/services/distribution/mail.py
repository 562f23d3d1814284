"""A notification as people read it: a title, plain text and HTML."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from qvmon.model.facts import NotificationQueued, NotifiedAlert

_MAX_TITLE_CHARACTERS = 200
_COLOURS = {"firing": "#b3261e", "resolved": "#1b7f3b"}


def title(notification: NotificationQueued) -> str:
    """Return one line such as ``[FIRING:2] HighLatency (router trade-execution)``."""
    firing = sum(alert.status == "firing" for alert in notification.alerts)
    state = f"FIRING:{firing}" if firing else "RESOLVED"
    rules = dict.fromkeys(_rule(alert) for alert in notification.alerts)
    where = " ".join(value for value in notification.group_labels.values() if value)
    line = f"[{state}] {', '.join(rules)}" + (f" ({where})" if where else "")
    line = " ".join(line.split())
    return line if len(line) <= _MAX_TITLE_CHARACTERS else line[: _MAX_TITLE_CHARACTERS - 1] + "…"


def text(notification: NotificationQueued, external_url: str) -> str:
    """Return the notification as plain text, firing alerts first."""
    blocks = ["\n".join(_lines(alert)) for alert in _ordered(notification)]
    return "\n\n".join([title(notification), *blocks, f"-- \nqvmon {external_url}\n"])


def html(notification: NotificationQueued, external_url: str) -> str:
    """Return the notification as a small HTML page without anything loaded from elsewhere."""
    blocks = "".join(_html_block(alert) for alert in _ordered(notification))
    link = f'<a href="{escape(external_url)}">qvmon</a>' if external_url else "qvmon"
    return (
        '<!doctype html><html><body style="font-family:sans-serif;max-width:48em">'
        f"<h1 style='font-size:1.2em'>{escape(title(notification))}</h1>{blocks}"
        f"<p>{link}</p></body></html>"
    )


def _ordered(notification: NotificationQueued) -> list[NotifiedAlert]:
    return sorted(notification.alerts, key=lambda alert: alert.status != "firing")


def _lines(alert: NotifiedAlert) -> Iterator[str]:
    yield f"{alert.status.upper()}: {_rule(alert)}"
    for name, value in _rows(alert):
        yield f"  {name}: {value}"


def _rows(alert: NotifiedAlert) -> Iterator[tuple[str, str]]:
    yield from sorted(alert.annotations.items())
    yield from ((k, v) for k, v in sorted(alert.labels.items()) if k != "alertname")
    yield "since", _time(alert.starts_at_ms)
    if alert.ends_at_ms:
        yield "until", _time(alert.ends_at_ms)
    if alert.generator_url:
        yield "source", alert.generator_url


def _html_block(alert: NotifiedAlert) -> str:
    colour = _COLOURS.get(alert.status, "#555555")
    rows = "".join(
        f"<tr><td style='padding-right:1em;color:#555555'>{escape(name)}</td>"
        f"<td>{escape(value)}</td></tr>"
        for name, value in _rows(alert)
    )
    return (
        f"<h2 style='font-size:1em;color:{colour}'>{escape(alert.status.upper())}: "
        f"{escape(_rule(alert))}</h2><table>{rows}</table>"
    )


def _rule(alert: NotifiedAlert) -> str:
    return alert.labels.get("alertname", alert.alert_id)


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
