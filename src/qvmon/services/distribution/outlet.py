"""A sink and what goes there."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid5

from qvmon.services.distribution.config import DeliveryPolicy
from qvmon.services.distribution.ports import Sink
from qvmon.services.distribution.rendering import Rendering

_NAMESPACE = UUID("0f4c0a52-0d5c-5d43-8c1e-6f6f5b1f4e02")


@dataclass(frozen=True, slots=True)
class Outlet:
    """One sink and what goes there.

    Attributes:
        name: Names the sink everywhere, such as ``webhook:oncall``; its cursor hangs on it.
        sink: The place outside.
        rendering: Which facts it is told, and how.
        policy: How it is treated.
    """

    name: str
    sink: Sink
    rendering: Rendering
    policy: DeliveryPolicy = field(default_factory=DeliveryPolicy)

    @property
    def consumer(self) -> str:
        """The name under which the ledger keeps its cursor."""
        return f"distribution:{self.name}"

    def delivery_id(self, source_id: str) -> str:
        """Return the id of the delivery of one content to this sink."""
        return str(uuid5(_NAMESPACE, f"{self.name} {source_id}"))
