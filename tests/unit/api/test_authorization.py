"""Every route against every role: the one table of permissions decides, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.api.http.authentication import Needs
from qvmon.model.access import ROLE_PERMISSIONS, Permission, Role

from .conftest import PREFIX, House

PUBLIC = {"/-/healthy", "/-/ready", "/-/reload", "/-/quit", "/{path:path}"}
LOG_IN = ("POST", f"{PREFIX}/session")
NEEDED: dict[tuple[str, str], Permission | None] = {
    ("GET", "/metrics"): Permission.READ_TELEMETRY,
    ("GET", f"{PREFIX}/openapi.json"): None,
    ("GET", f"{PREFIX}/session"): None,
    ("DELETE", f"{PREFIX}/session"): None,
    ("POST", f"{PREFIX}/session/password"): None,
    ("GET", f"{PREFIX}/users"): Permission.ADMINISTER,
    ("POST", f"{PREFIX}/users"): Permission.ADMINISTER,
    ("PATCH", f"{PREFIX}/users/{{login}}"): Permission.ADMINISTER,
    ("GET", f"{PREFIX}/tokens"): None,
    ("POST", f"{PREFIX}/tokens"): None,
    ("DELETE", f"{PREFIX}/tokens/{{token_id}}"): None,
    ("GET", f"{PREFIX}/overview"): Permission.READ_ALERTS,
    ("GET", f"{PREFIX}/alerts"): Permission.READ_ALERTS,
    ("GET", f"{PREFIX}/alerts/{{alert_id}}"): Permission.READ_ALERTS,
    ("GET", f"{PREFIX}/incidents"): Permission.READ_INCIDENTS,
    ("GET", f"{PREFIX}/incidents/{{incident_id}}"): Permission.READ_INCIDENTS,
    ("GET", f"{PREFIX}/incidents/{{incident_id}}/timeline"): Permission.READ_INCIDENTS,
    ("POST", f"{PREFIX}/incidents/{{incident_id}}/acknowledge"): Permission.RESPOND_INCIDENTS,
    ("POST", f"{PREFIX}/incidents/{{incident_id}}/assign"): Permission.RESPOND_INCIDENTS,
    ("POST", f"{PREFIX}/incidents/{{incident_id}}/comment"): Permission.RESPOND_INCIDENTS,
    ("POST", f"{PREFIX}/incidents/{{incident_id}}/severity"): Permission.COMMAND_INCIDENTS,
    ("POST", f"{PREFIX}/incidents/{{incident_id}}/resolve"): Permission.COMMAND_INCIDENTS,
    ("POST", f"{PREFIX}/incidents/{{incident_id}}/reopen"): Permission.COMMAND_INCIDENTS,
    ("GET", f"{PREFIX}/deliveries"): Permission.READ_ALERTS,
    ("POST", f"{PREFIX}/deliveries/{{delivery_id}}/redrive"): Permission.OPERATE,
    ("GET", f"{PREFIX}/facts"): Permission.READ_AUDIT,
    ("GET", f"{PREFIX}/queries"): Permission.READ_TELEMETRY,
    ("DELETE", f"{PREFIX}/queries/{{number}}"): Permission.ADMINISTER,
    ("GET", f"{PREFIX}/events"): None,
    ("POST", f"{PREFIX}/peer/select"): Permission.READ_TELEMETRY,
    ("POST", f"{PREFIX}/peer/series"): Permission.READ_TELEMETRY,
    ("POST", f"{PREFIX}/peer/unknown"): Permission.READ_TELEMETRY,
    ("GET", f"{PREFIX}/senders"): Permission.READ_TELEMETRY,
    ("GET", f"{PREFIX}/unknown"): Permission.READ_TELEMETRY,
    ("GET", f"{PREFIX}/peer/metadata"): Permission.READ_TELEMETRY,
    ("GET", "/federate"): Permission.READ_TELEMETRY,
    ("GET", "/version"): Permission.READ_TELEMETRY,
    ("POST", "/api/v1/read"): Permission.READ_TELEMETRY,
    ("POST", "/api/v1/write"): Permission.WRITE_TELEMETRY,
    ("GET", "/api/v1/alerts"): Permission.READ_ALERTS,
    ("GET", "/api/v1/rules"): Permission.READ_ALERTS,
    ("GET", "/api/v1/status/config"): Permission.READ_CONFIGURATION,
    ("GET", "/api/v1/status/flags"): Permission.READ_CONFIGURATION,
    **{
        (method, f"/api/v1/admin/tsdb/{act}"): Permission.ADMINISTER
        for act in ("delete_series", "clean_tombstones", "snapshot")
        for method in ("POST", "PUT")
    },
    **{
        (method, f"/api/v1/{name}"): Permission.READ_TELEMETRY
        for name in (
            "query",
            "query_range",
            "series",
            "labels",
            "format_query",
            "parse_query",
            "query_exemplars",
            "search/metric_names",
            "search/label_names",
            "search/label_values",
        )
        for method in ("GET", "POST")
    },
    **{
        ("GET", f"/api/v1/{name}"): Permission.READ_TELEMETRY
        for name in (
            "label/{name}/values",
            "metadata",
            "targets",
            "targets/metadata",
            "targets/relabel_steps",
            "scrape_pools",
            "features",
            "alertmanagers",
            "notifications",
            "status/buildinfo",
            "status/runtimeinfo",
            "status/tsdb",
            "status/tsdb/blocks",
            "status/walreplay",
        )
    },
}
"""What each operation needs: None for anybody who has logged in. A new route needs a line here."""


def all_routes(router) -> Iterator[APIRoute]:
    """Every route, those of included routers too."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from all_routes(route.original_router)


def operations(app) -> dict[tuple[str, str], APIRoute]:
    """Every operation of the application but the public ones."""
    return {
        (method, route.path): route
        for route in all_routes(app)
        if route.path not in PUBLIC
        for method in route.methods
        if (method, route.path) != LOG_IN
    }


async def test_the_table_names_every_route_and_each_declares_what_the_table_says(
    house: House,
) -> None:
    found = operations(create_app(house.ports(), ApiConfig()))
    declared = {
        operation: [
            each.call for each in route.dependant.dependencies if isinstance(each.call, Needs)
        ]
        for operation, route in found.items()
    }
    assert {operation for operation, needs in declared.items() if len(needs) != 1} == set()
    assert {operation: needs[0].permission for operation, needs in declared.items()} == NEEDED


async def test_nobody_in_particular_gets_401_everywhere(house: House) -> None:
    app = create_app(house.ports(), ApiConfig())
    client = house.client(app)
    for method, path in operations(app):
        answer = await client.request(method, path)
        assert answer.status_code == 401, (method, path, answer.text)
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_what_is_public_is_public(house: House) -> None:
    client = house.client()
    for path in ("/-/healthy", "/-/ready"):
        assert (await client.get(path)).status_code == 200
    house.is_ready = False
    assert (await client.get("/-/ready")).status_code == 503
    assert (await client.get("/-/healthy")).status_code == 200


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_exactly_what_the_table_says(house: House, role: Role) -> None:
    app = create_app(house.ports(), ApiConfig())
    client = await house.program(role.value, app)
    for (method, path), permission in NEEDED.items():
        if path == f"{PREFIX}/events":
            continue  # streams for ever; it has tests of its own
        answer = await client.request(method, path)
        allowed = permission is None or permission in ROLE_PERMISSIONS[role]
        refused = answer.status_code == 403 and "lacks" in answer.text
        assert refused is not allowed, (role, method, path, answer.text)


async def test_ingest_and_metrics_open_to_anybody_only_where_configured(house: House) -> None:
    closed = house.client()
    assert (await closed.post("/api/v1/write")).status_code == 401
    assert (await closed.get("/metrics")).status_code == 401
    config = ApiConfig(anonymous_ingest=True, anonymous_metrics=True)
    opened = house.client(create_app(house.ports(), config))
    assert (await opened.get("/metrics")).status_code == 200
    assert (await opened.post("/api/v1/write", content=b"")).status_code == 400
    assert (await opened.get("/api/v1/query?query=1")).status_code == 401
