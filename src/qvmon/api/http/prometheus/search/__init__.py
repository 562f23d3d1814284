"""``search/metric_names``, ``label_names`` and ``label_values``: what completes a word.

Source: Prometheus web/api/v1/search.go, where its feature flag ``search-api`` is set.
"""

from qvmon.api.http.prometheus.search.routes import search_routes

__all__ = ["search_routes"]
