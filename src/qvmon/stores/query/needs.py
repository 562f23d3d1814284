"""What the selectors of a query read: each selection once, and accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from qvmon.model.series import Selection, SeriesColumns
from qvmon.promql.plan import Need
from qvmon.stores.query.budget import Budget


def selections(needs: Sequence[Need], budget: Budget) -> list[Selection]:
    """Return what is to be read for a query, identical selections once.

    Raises:
        QvmonError: EXHAUSTED, when computing with it would cost too much whatever is found.
    """
    budget.computing(max((need.steps for need in needs), default=0))
    return list(dict.fromkeys(need.selection for need in needs))


def samples_in(columns: Iterable[SeriesColumns]) -> int:
    """Return how many samples there are, or a few more."""
    return sum(int(each.sizes.sum()) for each in columns)


def samples_of(
    needs: Sequence[Need], found: Mapping[Selection, SeriesColumns], budget: Budget
) -> list[SeriesColumns]:
    """Return the samples each selector needs.

    Raises:
        QvmonError: EXHAUSTED, when they are too many, or the values to be computed with them.
    """
    samples = samples_in(found.values())
    values = sum(len(found[need.selection]) * need.steps for need in needs)
    budget.has_read(sum(map(len, found.values())), samples, values)
    return [found[need.selection] for need in needs]
