"""What evaluations work with, and the moment they are made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from qvmon.model.clock import Clock
from qvmon.model.facts import FactDraft
from qvmon.model.ports import SampleSink
from qvmon.services.alerting.asking import Asker
from qvmon.services.alerting.meters import Meters


@dataclass(frozen=True, slots=True)
class Means:
    """The collaborators of every evaluation, and what alerts are told with."""

    asker: Asker
    sink: SampleSink
    clock: Clock
    meters: Meters
    external_labels: Mapping[str, str]
    external_url: str


@dataclass(frozen=True, slots=True)
class Tick:
    """One evaluation of a group; all times in milliseconds.

    Attributes:
        time_ms: The instant it is for.
        query_ms: The instant that is queried and written: ``query_offset`` earlier.
        late_ms: How long after its instant it began.
        ready: Whether every source has reported since the program began.
        resumed_ms: When evaluation began in this process.
    """

    time_ms: int
    query_ms: int
    late_ms: int = 0
    ready: bool = True
    resumed_ms: int = 0


class Evaluation(Protocol):
    """A rule at work."""

    async def evaluate(self, tick: Tick) -> list[FactDraft]:
        """Advance the rule by one tick and return what it decided.

        Raises:
            QvmonError: The query failed, or its result is of no use; nothing changed.
        """
        ...

    async def record(self, tick: Tick) -> None:
        """Write the series of the tick that was just evaluated; return once they are durable.

        Raises:
            QvmonError: The store is away, or refused a sample.
        """
        ...
