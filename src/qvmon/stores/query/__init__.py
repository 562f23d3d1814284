"""Queries: planned, admitted, fetched and evaluated under limits."""

from qvmon.stores.query.admission import Priority
from qvmon.stores.query.catalogue import Catalogue
from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.engine import QueryEngine
from qvmon.stores.query.limits import QueryLimits
from qvmon.stores.query.running import RunningQueries
from qvmon.stores.query.statistics import QueryStatistics

__all__ = [
    "Catalogue",
    "Priority",
    "QueryConfig",
    "QueryEngine",
    "QueryLimits",
    "QueryStatistics",
    "RunningQueries",
]
