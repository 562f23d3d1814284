"""The HTTP application: which routes there are, given what this process has."""

from __future__ import annotations

from fastapi import FastAPI

from qvmon.api.config import ApiConfig
from qvmon.api.http.alerts import alert_routes
from qvmon.api.http.around import application_without_routes
from qvmon.api.http.authentication import Gate
from qvmon.api.http.deliveries import delivery_routes
from qvmon.api.http.event_hub import EventHub
from qvmon.api.http.events import event_routes
from qvmon.api.http.facts import fact_routes
from qvmon.api.http.health import health_routes
from qvmon.api.http.incidents import incident_routes
from qvmon.api.http.openapi import openapi_routes
from qvmon.api.http.overview import overview_routes
from qvmon.api.http.own_metrics import own_metrics_routes
from qvmon.api.http.peer import peer_routes
from qvmon.api.http.prometheus.routes import prometheus_routes
from qvmon.api.http.queries import running_query_routes
from qvmon.api.http.senders import sender_routes
from qvmon.api.http.session import session_routes
from qvmon.api.http.static import static_routes
from qvmon.api.http.tokens import token_routes
from qvmon.api.http.unknown import unknown_routes
from qvmon.api.http.users import user_routes
from qvmon.api.ports import ApiPorts


def create_app(services: ApiPorts, config: ApiConfig) -> FastAPI:
    """Return the application that serves what ``services`` has."""
    app = application_without_routes(config, services.clock, services.registry)
    app.version = services.build.version
    app.state.gate = Gate(config, services.access)
    _add_routes(app, services, config)
    return app


def _add_routes(app: FastAPI, services: ApiPorts, config: ApiConfig) -> None:
    for router in prometheus_routes(services, config):
        app.include_router(router)
    app.include_router(health_routes(services.ready))
    app.include_router(own_metrics_routes(services.registry))
    app.include_router(openapi_routes(app))
    app.include_router(session_routes(config, services.access))
    if services.access is not None:
        app.include_router(user_routes(services.access))
        app.include_router(token_routes(services.access))
    if services.ledger is not None:
        app.include_router(alert_routes(services.ledger, services.rules))
        app.include_router(incident_routes(services.ledger, services.incidents))
        app.include_router(delivery_routes(services.ledger, services.distribution))
        app.include_router(fact_routes(services.ledger))
        hub = EventHub(services.ledger, config, services.clock, services.registry)
        app.state.close_streams = hub.close
        app.include_router(event_routes(hub, config))
    if services.ledger is not None and services.running_queries is not None:
        app.include_router(
            running_query_routes(services.running_queries, services.ledger, services.clock)
        )
    if services.ledger is not None and services.queries is not None:
        overview = overview_routes(services.ledger, services.queries, services.clock)
        app.include_router(overview)
    if services.ingest is not None:
        app.include_router(sender_routes(services.ingest))
    if services.unknown is not None:
        app.include_router(unknown_routes(services.unknown))
    if services.series is not None and services.unknown is not None:
        app.include_router(peer_routes(services.series, services.unknown, services.queries))
    app.include_router(static_routes())
