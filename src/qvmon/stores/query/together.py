"""Many expressions at one instant: what they have in common is read and computed once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.model.ports import SeriesSource
from qvmon.model.series import LabelFrame, SeriesColumns
from qvmon.promql import Grid, Plan, Result, evaluate
from qvmon.promql.evaluate import evaluate_sheet
from qvmon.promql.plan import Need
from qvmon.promql.shared import Cover, Inventory, Sharing, covers, inventory
from qvmon.promql.watch import Watch
from qvmon.stores.query import metrics
from qvmon.stores.query.budget import Budget

WORTH = 0.5
"""A cover that nobody asks for is used when leaves need at least this share of its series."""

LARGE = 5_000
"""Series from which on the plans that read them are a batch of their own."""

_MOST_SIZES = 100_000
_NOTHING = SeriesColumns(
    LabelFrame.from_labels([]), np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0)
)

Outcome = Result | QvmonError
Fetch = Callable[[Sequence[Need]], Awaitable[list[SeriesColumns]]]
InThread = Callable[[Callable[[], list[Outcome]]], Awaitable[list[Outcome]]]


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """How one batch is carried out.

    Attributes:
        grid: The instant.
        budget: What it may cost.
        fetch: Returns the samples of needs.
        in_thread: Runs the computing.
        drop_names_late: As ``promql.evaluate`` has it.
    """

    grid: Grid
    budget: Budget
    fetch: Fetch
    in_thread: InThread
    drop_names_late: bool


class Together:
    """Evaluates plans in batches, learning from each how many series their parts have.

    Args:
        source: Tells how many series a metric has.
        remembered: How many plans' parts are kept.
        registry: Shows how often parts were shared.
    """

    def __init__(self, source: SeriesSource, remembered: int, registry: Registry) -> None:
        self._source = source
        self._inventory = lru_cache(maxsize=remembered)(_inventory)
        self._sizes: dict[str, int] = {}
        self._shared = registry.value(metrics.SHARED)

    def parted(self, plans: Sequence[Plan]) -> list[list[Plan]]:
        """Return plans in batches that share nothing worth sharing with one another.

        What reads many series is a batch of its own, so that nobody waits for it.
        """
        circles: list[tuple[set[str], list[Plan]]] = []
        for plan in plans:
            mine: tuple[set[str], list[Plan]] = (set(self._parts(plan).metrics()), [plan])
            for circle in [each for each in circles if each[0] & mine[0]]:
                circles.remove(circle)
                mine = (circle[0] | mine[0], circle[1] + mine[1])
            circles.append(mine)
        large = [members for _, members in circles if self._size(members) >= LARGE]
        small = [plan for _, members in circles if self._size(members) < LARGE for plan in members]
        return [*large, *([small] if small else [])]

    def _size(self, plans: Sequence[Plan]) -> int:
        texts = {leaf.text for plan in plans for leaf in self._parts(plan).leaves.values()}
        return sum(self._sizes.get(text, 0) for text in texts)

    def _parts(self, plan: Plan) -> Inventory:
        return self._inventory(_ById(plan))

    async def results(self, plans: Sequence[Plan], now: Round) -> list[Outcome]:
        """Return each plan's result or its error, in order.

        When all together cost too much, they are evaluated in parts.

        Raises:
            QvmonError: TIMEOUT.
        """
        try:
            return await self._results(plans, now)
        except QvmonError as error:
            if error.kind is not ErrorKind.EXHAUSTED:
                raise
            if len(plans) == 1:
                return [error]
        now.budget.has_read(0, 0, 0)
        half = len(plans) // 2
        return [*await self.results(plans[:half], now), *await self.results(plans[half:], now)]

    async def _results(self, plans: Sequence[Plan], now: Round) -> list[Outcome]:
        parts = [self._parts(plan) for plan in plans]
        used = [each for each in covers(parts) if await self._is_worth(each, now.grid)]
        covered = {leaf.text for cover in used for leaf in cover.leaves}
        unread = {
            id(leaf.selector)
            for each in parts
            for leaf in each.leaves.values()
            if leaf.text in covered
        }
        everything = [*(cover.plan for cover in used), *plans]
        needs = [list(plan.needs(now.grid)) for plan in everything]
        read = [need for each in needs for need in each if id(need.selector) not in unread]
        columns = iter(await now.fetch(read))
        found = [
            [_NOTHING if id(need.selector) in unread else next(columns) for need in each]
            for each in needs
        ]
        self._learn(parts, needs[len(used) :], found[len(used) :], unread)
        sharing = Sharing(parts, used)
        outcomes = await now.in_thread(lambda: _evaluated(everything, found, sharing, used, now))
        self._shared.add(sharing.hits)
        return outcomes

    async def _is_worth(self, cover: Cover, grid: Grid) -> bool:
        """Return whether the leaves are many of the cover's series."""
        if cover.exists:
            return True
        needed = sum(self._sizes.get(leaf.text, 0) for leaf in cover.leaves)
        if not needed:
            return False
        size = self._sizes.get(cover.plan.text)
        if size is None:
            (selection,) = cover.plan.selections(grid)
            span = selection.start_ms, selection.end_ms
            size = len(await self._source.series([selection.matchers], *span))
            self._sizes[cover.plan.text] = size
        return needed >= size * WORTH

    def _learn(
        self,
        parts: Sequence[Inventory],
        needs: Sequence[Sequence[Need]],
        found: Sequence[Sequence[SeriesColumns]],
        unread: set[int],
    ) -> None:
        if len(self._sizes) > _MOST_SIZES:
            self._sizes.clear()
        for part, wanted, columns in zip(parts, needs, found, strict=True):
            sizes = {
                id(need.selector): len(each)
                for need, each in zip(wanted, columns, strict=True)
                if id(need.selector) not in unread
            }
            for leaf in part.leaves.values():
                if id(leaf.selector) in sizes:
                    self._sizes[leaf.text] = sizes[id(leaf.selector)]


class _ById:
    """A plan that is equal to itself alone: comparing trees would take longer than walking one."""

    __slots__ = ("plan",)

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __hash__(self) -> int:
        return id(self.plan)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.plan is self.plan


def _inventory(of: _ById) -> Inventory:
    return inventory(of.plan)


def _evaluated(
    plans: Sequence[Plan],
    columns: Sequence[Sequence[SeriesColumns]],
    sharing: Sharing,
    used: Sequence[Cover],
    now: Round,
) -> list[Outcome]:
    watch = Watch(now.budget.check, shared=sharing)
    late = now.drop_names_late
    for cover, of in zip(used, columns, strict=False):
        sheet = evaluate_sheet(
            cover.plan, of, now.grid, drop_names_late=late, watch=Watch(now.budget.check)
        )
        sharing.put(cover.plan.text, sheet)
    outcomes: list[Outcome] = []
    for plan, of in zip(plans[len(used) :], columns[len(used) :], strict=True):
        now.budget.check()
        try:
            outcomes.append(evaluate(plan, of, now.grid, drop_names_late=late, watch=watch))
        except QvmonError as error:
            outcomes.append(error)
    now.budget.check()
    return outcomes
