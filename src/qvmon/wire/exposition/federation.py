"""Stored samples as an exposition in Prometheus' text format, for ``/federate``.

Source: Prometheus web/federate.go and prometheus/common expfmt/text_create.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from qvmon.model.floats import format_general
from qvmon.model.labels import METRIC_NAME, Labels
from qvmon.wire.exposition.escaping import escape_name, is_legacy_name


@dataclass(frozen=True, slots=True)
class LastSample:
    """The newest sample of a series."""

    labels: Labels
    time_ms: int
    value: float


def render_federation(
    samples: Iterable[LastSample], external_labels: Mapping[str, str], escaping: str
) -> bytes:
    """Return samples, ordered by metric, as text; nameless ones are left out.

    Args:
        samples: In any order.
        external_labels: Added to each series that has not such a label itself.
        escaping: How names are written that not every reader knows.
    """
    added = {"instance": "", **external_labels}
    named = [each for each in samples if each.labels.get(METRIC_NAME)]
    named.sort(key=lambda each: (each.labels[METRIC_NAME], each.labels.pairs()))
    return "".join(_lines(named, sorted(added.items()), escaping)).encode()


def _lines(
    samples: Iterable[LastSample], added: list[tuple[str, str]], escaping: str
) -> Iterator[str]:
    metric = ""
    for each in samples:
        pairs = [pair for pair in each.labels.pairs() if pair[0] != METRIC_NAME and pair[1]]
        own = {name for name, _ in pairs}
        pairs += [pair for pair in added if pair[0] not in own]
        if each.labels[METRIC_NAME] != metric:
            metric = each.labels[METRIC_NAME]
            yield f"# TYPE {_name(escape_name(metric, escaping))} untyped\n"
        series = _series(escape_name(metric, escaping), pairs, escaping)
        yield f"{series} {format_general(each.value)} {each.time_ms}\n"


def _series(metric: str, pairs: list[tuple[str, str]], escaping: str) -> str:
    inner = [_pair(name, value, escaping) for name, value in pairs]
    if not is_legacy_name(metric):
        return f"{{{','.join([_name(metric), *inner])}}}"
    return f"{metric}{{{','.join(inner)}}}" if inner else metric


@lru_cache(maxsize=1 << 14)
def _pair(name: str, value: str, escaping: str) -> str:
    return f"{_name(escape_name(name, escaping))}={_quoted(value)}"


def _name(name: str) -> str:
    return name if is_legacy_name(name) else _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'
