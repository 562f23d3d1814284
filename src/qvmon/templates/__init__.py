"""Go's text/template as far as Prometheus and Alertmanager use it: sandboxed, bounded, pure."""

from qvmon.templates.errors import QueryNeeded, TemplateError
from qvmon.templates.prometheus import (
    AlertTemplate,
    QueryRows,
    Surroundings,
    expand,
    graph_link,
    table_link,
)

__all__ = [
    "AlertTemplate",
    "QueryNeeded",
    "QueryRows",
    "Surroundings",
    "TemplateError",
    "expand",
    "graph_link",
    "table_link",
]
