"""One metric of the host with its samples, and how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from qvmon.model.labels import Labels

COUNTER = "counter"
GAUGE = "gauge"
UNTYPED = "untyped"


@dataclass(frozen=True, slots=True)
class HostFamily:
    """A metric: its full name, type, help, and (labels, value) of every sample."""

    name: str
    type: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


def single(name: str, kind: str, text: str, value: float) -> HostFamily:
    """Return a metric with one sample that has no labels."""
    return HostFamily(name, kind, text, ((Labels(), value),))


def written(families: Iterable[HostFamily]) -> bytes:
    """Return the exposition text of ``families``; those without samples are left out."""
    return "".join(
        line for family in families if family.samples for line in _lines(family)
    ).encode()


def _lines(family: HostFamily) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.type}\n"
    for labels, value in family.samples:
        pairs = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{family.name}{{{pairs}}} {value!r}\n" if pairs else f"{family.name} {value!r}\n"


def _escaped(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    return clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
