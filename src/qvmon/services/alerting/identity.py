"""What an alert is called, and the labels it is told with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from qvmon.model.labels import Labels

_NAMESPACE = UUID("5b8a1d5e-7f5c-5f0e-9d55-2f3b8e9a4c61")


@dataclass(frozen=True, slots=True)
class RuleKey:
    """Which rule: its place, and which of several with the same name in its group it is."""

    file: str
    group: str
    name: str
    ordinal: int = 0


def alert_id(rule: RuleKey, labels: Labels) -> str:
    """Return the id of the element with ``labels``, the same through all of its life."""
    place = Labels(file=rule.file, group=rule.group, rule=rule.name, ordinal=str(rule.ordinal))
    return str(uuid5(_NAMESPACE, (place.encode() + b"\0" + labels.encode()).hex()))


def obligation_id(transition: str, receiver: str) -> str:
    """Return the id of the duty to tell ``receiver`` of the fact ``transition``."""
    return str(uuid5(_NAMESPACE, f"obligation/{transition}/{receiver}"))


def notification_id(group_key: str, receiver: str, cause: str) -> str:
    """Return the id of the message to ``receiver`` about a group, for one cause."""
    return str(uuid5(_NAMESPACE, f"notification/{group_key}/{receiver}/{cause}"))


def with_external(labels: Labels, external: Mapping[str, str]) -> tuple[Labels, tuple[str, ...]]:
    """Return labels as they are told, and the names that were added; the alert's own win."""
    added = tuple(sorted(name for name, value in external.items() if value and name not in labels))
    return labels.merged({name: external[name] for name in added}), added
