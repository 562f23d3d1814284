"""Which routes of the Prometheus API there are, given what this process has.

Where another process of a split scrapes and evaluates, ``rules`` and ``targets`` answer as a
Prometheus does that has none: clients such as Grafana take that better than a 404.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter

from qvmon.api.config import ApiConfig
from qvmon.api.http.prometheus.administration import administration_routes
from qvmon.api.http.prometheus.alerts import active_alert_routes
from qvmon.api.http.prometheus.exemplars import exemplar_routes
from qvmon.api.http.prometheus.features import feature_routes
from qvmon.api.http.prometheus.federation import federation_routes
from qvmon.api.http.prometheus.labels import label_routes
from qvmon.api.http.prometheus.language import language_routes
from qvmon.api.http.prometheus.query import query_routes
from qvmon.api.http.prometheus.read import read_routes
from qvmon.api.http.prometheus.relabelling import relabelling_routes
from qvmon.api.http.prometheus.rules import rule_routes
from qvmon.api.http.prometheus.search import search_routes
from qvmon.api.http.prometheus.status import (
    status_routes,
    store_status_routes,
    version_routes,
)
from qvmon.api.http.prometheus.targets import target_routes
from qvmon.api.http.prometheus.write import write_routes
from qvmon.api.ports import ApiPorts
from qvmon.services.collection import TargetsView


def prometheus_routes(services: ApiPorts, config: ApiConfig) -> Iterator[APIRouter]:
    """Yield the routes of everything that ``services`` has."""
    if services.ingest is not None:  # first, as every router before the right one costs time
        yield write_routes(services.ingest, config, services.registry)
    yield from _reading(services, config)
    yield status_routes(services.build, services.clock, services.registry)
    yield version_routes(services.build)
    yield feature_routes(receives=services.ingest is not None)
    yield target_routes(services.targets or TargetsView)
    yield relabelling_routes(services.targets or TargetsView)
    yield rule_routes(services.rules or tuple)
    if services.ledger is not None:
        yield active_alert_routes(services.ledger, services.rules)
    yield from _keeping(services)


def _reading(services: ApiPorts, config: ApiConfig) -> Iterator[APIRouter]:
    if services.queries is None:
        return
    yield query_routes(services.queries, services.clock)
    yield label_routes(services.queries.catalogue)
    yield search_routes(services.queries.catalogue, services.clock)
    yield language_routes()
    yield exemplar_routes(services.exemplars)
    yield read_routes(services.queries, services.build.external_labels, config)
    yield federation_routes(services.queries, services.build, services.clock)


def _keeping(services: ApiPorts) -> Iterator[APIRouter]:
    if services.telemetry is None:
        return
    yield store_status_routes(services.telemetry)
    if services.ledger is not None:
        yield administration_routes(services.telemetry, services.ledger, services.clock)
