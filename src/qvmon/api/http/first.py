"""The application that answers until the whole one is there; it needs little, so it is soon there.

It has health and, where senders need not say who they are, the route that takes samples.
"""

from __future__ import annotations

from fastapi import FastAPI

from qvmon.api.config import ApiConfig
from qvmon.api.http.around import application_without_routes
from qvmon.api.http.authentication import Gate
from qvmon.api.http.health import health_routes
from qvmon.api.http.prometheus.write import write_routes
from qvmon.api.ingest import Ingest
from qvmon.model.clock import Clock
from qvmon.model.metrics import Registry


def create_first_app(
    ingest: Ingest | None, config: ApiConfig, clock: Clock, registry: Registry
) -> FastAPI:
    """Return an application whose ``state.paths`` are all it has answers for.

    Args:
        ingest: Takes samples; None where this process takes none.
        config: Says whether senders have to say who they are.
        clock: Measures requests.
        registry: The process' own metrics.
    """
    app = application_without_routes(config, clock, registry)
    routers = [health_routes(lambda: False)]
    if ingest is not None and (config.no_auth or config.anonymous_ingest):
        app.state.gate = Gate(config.model_copy(update={"no_auth": True}), None)
        routers.append(write_routes(ingest, config, registry))
    for router in routers:
        app.include_router(router)
    app.state.paths = {getattr(each, "path", "") for router in routers for each in router.routes}
    return app
