"""From a registry's families to the text that a scraper reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from qvmon.model.metrics import Family, MetricType

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def content_type(openmetrics: bool) -> str:
    """Return the media type under which ``render``'s answer travels."""
    return _OPENMETRICS if openmetrics else _TEXT


def render(families: Iterable[Family], openmetrics: bool) -> bytes:
    """Return ``families`` as OpenMetrics 1.0, or as Prometheus text 0.0.4."""
    lines = [line for family in families for line in _family_lines(family, openmetrics)]
    if openmetrics:
        lines.append("# EOF")
    return ("\n".join(lines) + "\n").encode() if lines else b""


def _family_lines(family: Family, openmetrics: bool) -> Iterator[str]:
    metric = family.metric
    name = sample_name = metric.name
    if openmetrics and metric.type is MetricType.COUNTER:
        name = metric.name.removesuffix("_total")
        sample_name = f"{name}_total"
    yield f"# HELP {name} {_escaped(metric.help, quotes=openmetrics)}"
    yield f"# TYPE {name} {metric.type.value}"
    for point in family.points():
        pairs = ",".join(f'{k}="{_escaped(v)}"' for k, v in point.labels.pairs())
        braces = f"{{{pairs}}}" if pairs else ""
        yield f"{sample_name}{point.suffix}{braces} {_number(point.value)}"


def _escaped(text: str, quotes: bool = True) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    if math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if math.isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"
