"""The sum of obligations: each is in exactly one state, and none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from qvmon.model.facts import Fact, ObligationCreated
from qvmon.model.ledger import Ledger, Row
from qvmon.services.alerting.meters import Meters
from qvmon.services.alerting.obligation import ENDED, OBLIGATIONS, Standing


class Accounts:
    """Counts obligations by what became of them, from facts as they are appended.

    Args:
        ledger: Has the table to begin with, and to compare with.
        meters: Show the sum.
    """

    def __init__(self, ledger: Ledger, meters: Meters) -> None:
        self._ledger = ledger
        self._meters = meters
        self._ended: Counter[str] | None = None

    def take(self, facts: Iterable[Fact]) -> None:
        """Count obligations that ended as they were created: those without a receiver."""
        if self._ended is not None:
            self._ended[Standing.NO_RECEIVER] += sum(_nobodys(fact) for fact in facts)

    def settle(self, rows: Iterable[Row], state: str) -> None:
        """Count obligations, as they were before, that have ended in ``state``."""
        if self._ended is None:
            return
        for row in rows:
            self._ended[state] += 1
            if row["state"] in ENDED:
                self._ended[row["state"]] -= 1

    def forget(self) -> None:
        """Count anew at the next balance."""
        self._ended = None

    async def balance(self, waiting: Sequence[str] | set[str]) -> int:
        """Show how many obligations are in each state; return how many are unaccounted for.

        An obligation is unaccounted for when it waits for a notification and no group knows of
        it, or a group waits with it though it is no longer waiting.

        Args:
            waiting: Ids of the obligations that wait in some group.
        """
        if self._ended is None:
            rows = await self._ledger.rows(OBLIGATIONS.name, {"state": sorted(ENDED)})
            self._ended = Counter(str(row["state"]) for row in rows)
        open_states = [state.value for state in Standing if state not in ENDED]
        rows = await self._ledger.rows(OBLIGATIONS.name, {"state": open_states})
        counts = Counter(str(row["state"]) for row in rows) + self._ended
        for state in Standing:
            self._meters.obligations.value(state.value).set(counts[state.value])
        queued = {row["obligation_id"] for row in rows if row["state"] == Standing.QUEUED}
        unaccounted = len(queued ^ set(waiting))
        self._meters.unaccounted.set(unaccounted)
        return unaccounted


def _nobodys(fact: Fact) -> bool:
    return isinstance(fact.body, ObligationCreated) and not fact.body.receiver
