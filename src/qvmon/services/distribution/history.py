"""What renderings know of subjects: each fact is read and folded once, not once a later fact."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from qvmon.model.facts import Fact
from qvmon.model.ledger import Ledger
from qvmon.services.distribution.rendering import Rendering, State

_MOST_SUBJECTS = 1000
_HISTORY_LIMIT = 100_000


@dataclass(slots=True)
class _Known:
    """One subject up to a cursor, and the facts after it that were read already."""

    state: State = None
    cursor: dict[str, int] = field(default_factory=dict)
    ahead: deque[Fact] = field(default_factory=deque)

    def has_passed(self, fact: Fact) -> bool:
        return fact.seq <= self.cursor.get(fact.chain, 0)

    def awaits(self, fact: Fact) -> bool:
        return any((each.seq, each.chain) == (fact.seq, fact.chain) for each in self.ahead)


class Histories:
    """States of subjects as of a fact, for one rendering.

    Args:
        rendering: Says which facts make a state, and how.
        ledger: Holds them.
    """

    def __init__(self, rendering: Rendering, ledger: Ledger) -> None:
        self._rendering = rendering
        self._ledger = ledger
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def state_at(self, fact: Fact) -> State:
        """Return the state of the fact's subject right after it; None without history."""
        if not self._rendering.history_types:
            return None
        known = self._known.pop(fact.subject, None)
        if known is None or known.has_passed(fact):
            known = _Known()
        if not known.awaits(fact):
            known.ahead = deque(await self._read(fact.subject, known.cursor))
        self._fold_up_to(fact, known)
        self._known[fact.subject] = known
        if len(self._known) > _MOST_SUBJECTS:
            self._known.popitem(last=False)
        return known.state

    def _fold_up_to(self, fact: Fact, known: _Known) -> None:
        while known.ahead and not known.has_passed(fact):
            each = known.ahead.popleft()
            known.state = self._rendering.fold(known.state, each)
            known.cursor[each.chain] = each.seq

    async def _read(self, subject: str, after: dict[str, int]) -> Sequence[Fact]:
        return await self._ledger.read(
            subject=subject,
            types=self._rendering.history_types,
            after=after,
            limit=_HISTORY_LIMIT,
        )
