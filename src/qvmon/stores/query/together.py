"""Many expressions at one instant: what they have in common is read and computed once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

import numpy as np
import structlog

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
_MOST_DEFECTS = 100
_NOTHING = SeriesColumns(
    LabelFrame.from_labels([]), np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0)
)

log = structlog.get_logger("qvmon.query")

Outcome = Result | QvmonError
Answer = TypeVar("Answer")
Fetch = Callable[[Sequence[Need]], Awaitable[list[SeriesColumns]]]


class InThread(Protocol):
    """Runs work in a thread of the query's."""

    async def __call__(self, work: Callable[[], Answer], /) -> Answer:
        """Return what ``work`` returns."""
        ...


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
        self._defects: set[str] = set()

    def parted(self, plans: Sequence[Plan]) -> list[list[Plan]]:
        """Return plans in batches that share nothing worth sharing with one another.

        What reads many series is a batch of its own, so that nobody waits for it.
        """
        large, small = [], list[Plan]()
        for circle in self._circles(plans):
            if self._size(circle) >= LARGE:
                large.append(circle)
            else:
                small += circle
        return [*large, *([small] if small else [])]

    def _circles(self, plans: Sequence[Plan]) -> list[list[Plan]]:
        """Return plans so that those which read a metric in common, or through others, are one."""
        above: dict[str, str] = {}

        def top(name: str) -> str:
            while (next_one := above.setdefault(name, name)) != name:
                name = next_one
            return name

        firsts = []
        for plan in plans:
            first, *rest = sorted(self._parts(plan).metrics()) or [""]
            for name in rest:
                above[top(name)] = top(first)
            firsts.append(first)
        circles: dict[str, list[Plan]] = {}
        for plan, first in zip(plans, firsts, strict=True):
            circles.setdefault(top(first), []).append(plan)
        return list(circles.values())

    def _size(self, plans: Sequence[Plan]) -> int:
        texts = {leaf.text for plan in plans for leaf in self._parts(plan).leaves.values()}
        return sum(self._sizes.get(text, 0) for text in texts)

    def _parts(self, plan: Plan) -> Inventory:
        return self._inventory(_ById(plan))

    async def results(self, plans: Sequence[Plan], now: Round) -> list[Outcome]:
        """Return each plan's result or its error, in order.

        When all together cost too much, they are evaluated in parts; so they are when a defect
        shows, which then is the error of those alone that have it by themselves, too.

        Raises:
            QvmonError: TIMEOUT.
        """
        try:
            return await self._results(plans, now)
        except QvmonError as error:
            if error.kind is not ErrorKind.EXHAUSTED:
                raise
            failure = error
        except Exception as defect:  # noqa: BLE001 - one expression's; the others go on
            failure = self._defect(defect)
        if len(plans) == 1:
            return [failure]
        now.budget.has_read(0, 0, 0)
        half = len(plans) // 2
        return [*await self.results(plans[:half], now), *await self.results(plans[half:], now)]

    def _defect(self, defect: Exception) -> QvmonError:
        """Return the error that a defect is to whoever asked; the log is told once of each."""
        error = QvmonError(ErrorKind.INTERNAL, f"{type(defect).__name__}: {defect}")
        if error.message not in self._defects and len(self._defects) < _MOST_DEFECTS:
            self._defects.add(error.message)
            log.error("expressions are evaluated apart for a defect", exc_info=defect)
        return error

    async def _results(self, plans: Sequence[Plan], now: Round) -> list[Outcome]:
        parts, possible = await now.in_thread(lambda: self._inspected(plans))
        used = [each for each in possible if await self._is_worth(each, now.grid)]
        wanted = await now.in_thread(lambda: _wanted(parts, used, now.grid))
        columns = await now.fetch(wanted.read)
        sharing = Sharing(parts, used)

        def computed() -> list[Outcome]:
            found = wanted.found(columns)
            self._learn(parts, wanted, found[len(used) :])
            return _evaluated(wanted, found, sharing, used, now)

        outcomes = await now.in_thread(computed)
        self._shared.add(sharing.hits)
        return outcomes

    def _inspected(self, plans: Sequence[Plan]) -> tuple[list[Inventory], list[Cover]]:
        parts = [self._parts(plan) for plan in plans]
        return parts, list(covers(parts))

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
        wanted: _Wanted,
        found: Sequence[Sequence[SeriesColumns]],
    ) -> None:
        if len(self._sizes) > _MOST_SIZES:
            self._sizes.clear()
        needs = wanted.needs[len(wanted.needs) - len(parts) :]
        for part, each, columns in zip(parts, needs, found, strict=True):
            sizes = {
                id(need.selector): len(of)
                for need, of in zip(each, columns, strict=True)
                if id(need.selector) not in wanted.unread
            }
            for leaf in part.leaves.values():
                if id(leaf.selector) in sizes:
                    self._sizes[leaf.text] = sizes[id(leaf.selector)]


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """What a batch reads.

    Attributes:
        plans: Covers, then those that were asked for.
        needs: What each needs; nothing where that is an error.
        errors: Why a plan cannot be evaluated, by its place.
        unread: Identities of selectors whose rows come from a cover.
        read: The needs whose samples are to be fetched.
    """

    plans: list[Plan]
    needs: list[list[Need]]
    errors: dict[int, QvmonError]
    unread: set[int]
    read: list[Need]

    def found(self, columns: Sequence[SeriesColumns]) -> list[list[SeriesColumns]]:
        """Return the samples of each plan's needs, given those of ``read``."""
        fetched = iter(columns)
        return [
            [_NOTHING if id(need.selector) in self.unread else next(fetched) for need in each]
            for each in self.needs
        ]


def _wanted(parts: Sequence[Inventory], used: Sequence[Cover], grid: Grid) -> _Wanted:
    covered = {leaf.text for cover in used for leaf in cover.leaves}
    leaves = [leaf for each in parts for leaf in each.leaves.values()]
    unread = {id(leaf.selector) for leaf in leaves if leaf.text in covered}
    plans = [*(cover.plan for cover in used), *(each.plan for each in parts)]
    needs: list[list[Need]] = []
    errors: dict[int, QvmonError] = {}
    for place, plan in enumerate(plans):
        try:
            needs.append(list(plan.needs(grid)))
        except QvmonError as error:
            needs.append([])
            errors[place] = error
    read = [need for each in needs for need in each if id(need.selector) not in unread]
    return _Wanted(plans, needs, errors, unread, read)


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
    wanted: _Wanted,
    found: Sequence[Sequence[SeriesColumns]],
    sharing: Sharing,
    used: Sequence[Cover],
    now: Round,
) -> list[Outcome]:
    check, late = now.budget.check, now.drop_names_late
    for cover, of in zip(used, found, strict=False):
        sheet = evaluate_sheet(cover.plan, of, now.grid, drop_names_late=late, watch=Watch(check))
        sharing.put(cover.plan.text, sheet)
    outcomes: list[Outcome] = []
    watch = Watch(check, shared=sharing)
    for place in range(len(used), len(found)):
        check()
        if place in wanted.errors:
            outcomes.append(wanted.errors[place])
            continue
        try:
            plan, of = wanted.plans[place], found[place]
            outcomes.append(evaluate(plan, of, now.grid, drop_names_late=late, watch=watch))
        except QvmonError as error:
            outcomes.append(error)
    check()
    return outcomes
