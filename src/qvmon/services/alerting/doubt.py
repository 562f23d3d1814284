"""Which of the elements that vanished are not known to be better."""

from __future__ import annotations

from dataclasses import dataclass

from qvmon.model.labels import Labels
from qvmon.services.alerting.asking import Asker
from qvmon.services.alerting.means import Tick
from qvmon.services.alerting.state import Elements
from qvmon.services.alerting.texts import AlertTexts


@dataclass(frozen=True, slots=True)
class Doubt:
    """What one rule needs to tell an alert that ended from one of which nothing is known.

    Attributes:
        measured: What its condition compares with a number, or empty.
        hold_ms: How long an element outlives its samples; with 0 nothing is ever in doubt.
        window_ms: How far the rule looks back. For so long after the start, a restored element
            whose condition cannot be checked is in doubt: a rate may only lack samples.
        asker: Asks what is measured, and which targets are up.
        texts: Name the alerts of what is measured.
    """

    measured: str
    hold_ms: int
    window_ms: int
    asker: Asker
    texts: AlertTexts

    async def about(
        self, elements: Elements, present: tuple[Labels, ...], tick: Tick
    ) -> list[Labels]:
        """Return the elements that are gone, but not known to be gone.

        Raises:
            QvmonError: A query failed.
        """
        if not self.hold_ms or elements.labels == present:
            return []
        here = frozenset(present)
        gone = [row for row, each in enumerate(elements.labels) if each not in here]
        if not tick.ready:
            return [elements.labels[row] for row in gone]
        better = await self._better(tick) if gone else frozenset[Labels]()
        gone = [row for row in gone if elements.labels[row] not in better]
        unsettled = tick.time_ms < tick.resumed_ms + self.window_ms
        restored = {row for row in gone if unsettled and elements.active_at[row] < tick.resumed_ms}
        rest = [elements.labels[row] for row in gone if row not in restored]
        dark = await self.asker.dark(rest, tick.query_ms) if rest else []
        return [elements.labels[row] for row in restored] + dark

    async def _better(self, tick: Tick) -> frozenset[Labels]:
        """Return the alerts whose condition can be checked: where they are gone, it holds not."""
        if not self.measured:
            return frozenset()
        return await self.texts.alerts_of(await self.asker.rows(self.measured, tick.query_ms))
