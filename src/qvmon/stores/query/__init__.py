"""Queries: planned, admitted, fetched and evaluated under limits."""

from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.engine import QueryEngine

__all__ = ["QueryConfig", "QueryEngine"]
