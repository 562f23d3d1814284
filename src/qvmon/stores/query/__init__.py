"""Queries: planned, admitted, fetched and evaluated under limits."""

from typing import TYPE_CHECKING

from qvmon.model.front_door import opens_when_used
from qvmon.stores.query.config import QueryConfig

if TYPE_CHECKING:
    from qvmon.stores.query.admission import Priority
    from qvmon.stores.query.catalogue import Catalogue
    from qvmon.stores.query.engine import QueryEngine
    from qvmon.stores.query.limits import QueryLimits
    from qvmon.stores.query.running import RunningQueries
    from qvmon.stores.query.statistics import QueryStatistics
else:
    __getattr__ = opens_when_used(
        __name__,
        admission=("Priority",),
        catalogue=("Catalogue",),
        engine=("QueryEngine",),
        limits=("QueryLimits",),
        running=("RunningQueries",),
        statistics=("QueryStatistics",),
    )

__all__ = [
    "Catalogue",
    "Priority",
    "QueryConfig",
    "QueryEngine",
    "QueryLimits",
    "QueryStatistics",
    "RunningQueries",
]
