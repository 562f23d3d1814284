"""Queries: planned, admitted, fetched and evaluated under limits."""

from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.engine import QueryEngine
from qvmon.stores.query.statistics import QueryStatistics

__all__ = ["QueryConfig", "QueryEngine", "QueryStatistics"]
