"""The overview: how the platform stands, worst first, with reasons in words."""

from __future__ import annotations

import json

import pytest

from qvmon.api.http.overview_status import (
    Firing,
    OpenIncident,
    Place,
    ServiceView,
    Standing,
    overall,
    worst_first,
)
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import AlertFiring

from .conftest import PREFIX, House

ROUTER = Place("trade-execution", "order-router")


def up(instance: str, **labels: str) -> str:
    return json.dumps({"__name__": "up", "instance": instance, **labels})


@pytest.mark.parametrize(
    ("view", "standing", "reason"),
    [
        (ServiceView(ROUTER), Standing.UNKNOWN, "no instance of it is watched"),
        (ServiceView(ROUTER, 1, 1), Standing.HEALTHY, "1 instance is up and nothing is firing"),
        (ServiceView(ROUTER, 2, 2), Standing.HEALTHY, "2 instances are up and nothing is firing"),
        (ServiceView(ROUTER, 0, 1), Standing.CRITICAL, "the only instance is down"),
        (ServiceView(ROUTER, 0, 3), Standing.CRITICAL, "all 3 instances are down"),
        (ServiceView(ROUTER, 2, 3), Standing.DEGRADED, "1 of 3 instances is down"),
        (ServiceView(ROUTER, 1, 3), Standing.DEGRADED, "2 of 3 instances are down"),
        (
            ServiceView(ROUTER, 2, 3, [Firing("a", "LatencyHigh", "critical", 0)]),
            Standing.CRITICAL,
            "1 critical alert is firing: LatencyHigh",
        ),
        (
            ServiceView(ROUTER, 2, 2, [Firing("a", "B", "warning", 0), Firing("b", "A", "odd", 0)]),
            Standing.DEGRADED,
            "2 warning alerts are firing: A, B",
        ),
        (
            ServiceView(ROUTER, 2, 2, [Firing("a", "Fyi", "info", 0)]),
            Standing.HEALTHY,
            "2 instances are up and nothing but information is firing: Fyi",
        ),
        (
            ServiceView(ROUTER, 2, 2, [], [OpenIncident("i", 7, "late fills", "critical")]),
            Standing.DEGRADED,
            "incident 7 is open: late fills",
        ),
    ],
)
def test_a_service_stands_as_its_worst_finding(
    view: ServiceView, standing: Standing, reason: str
) -> None:
    assert view.standing() == (standing, reason)


def test_the_worst_comes_first_and_names_the_service() -> None:
    workflows = worst_first(
        [
            ServiceView(Place("a", "x"), 1, 1),
            ServiceView(Place("b", "y"), 1, 1),
            ServiceView(Place("b", "z"), 0, 1),
            ServiceView(Place("", "node"), 1, 1),
        ]
    )
    assert [(view.name, view.standing.value) for view in workflows] == [
        ("b", "critical"),
        ("a", "healthy"),
        ("", "healthy"),
    ]
    assert workflows[0].reason == "z: the only instance is down"
    assert workflows[1].reason == "1 service is healthy"
    assert [each.place.service for each in workflows[0].services] == ["z", "y"]
    assert overall(workflows) is Standing.CRITICAL
    assert overall([]) is Standing.UNKNOWN


async def test_series_alerts_and_incidents_make_one_picture(house: House) -> None:
    client = await house.browser("ada", "viewer")
    at = house.now_ms
    labels = {"workflow": "trade-execution", "service": "order-router", "job": "sim"}
    await house.write(
        {
            up("a", **labels): [(at, 1.0)],
            up("b", **labels): [(at, 0.0)],
            up("c", workflow="market-data-ingestion", service="feed", job="sim"): [(at, 1.0)],
            up("d", job="node"): [(at, 1.0)],
        }
    )
    await house.alert(AlertFiring, service="order-router", workflow="trade-execution")
    shown = (await client.get(f"{PREFIX}/overview")).json()
    assert (shown["status"], shown["firing_alerts"], shown["open_incidents"]) == ("critical", 1, 1)
    names = [workflow["name"] for workflow in shown["workflows"]]
    assert names == ["trade-execution", "market-data-ingestion", ""]
    (service,) = shown["workflows"][0]["services"]
    assert service["instances"] == {"up": 1, "total": 2}
    assert service["firing"][0]["rule"] == "LatencyHigh"
    assert service["open_incidents"][0]["number"] == 1
    assert shown["workflows"][2]["services"][0]["name"] == "node"
    assert [change["type"] for change in shown["recent"]] == ["incident.opened", "alert.firing"]
    assert shown["problem"] is None


async def test_without_series_the_picture_says_so_and_shows_the_rest(house: House) -> None:
    """A failed query must not look like health."""
    client = await house.browser("ada", "viewer")
    await house.alert(AlertFiring, service="order-router", workflow="trade-execution")

    async def away(*_, **__):
        raise QvmonError(ErrorKind.UNAVAILABLE, "the peer is away")

    house.store.select = away
    shown = (await client.get(f"{PREFIX}/overview")).json()
    assert shown["problem"] == "instances cannot be counted: the peer is away"
    assert shown["status"] == "critical"


async def test_what_happened_long_ago_is_not_recent(house: House) -> None:
    client = await house.browser("ada", "viewer")
    await house.alert(AlertFiring)
    await house.clock.advance(31 * 60)
    assert (await client.get(f"{PREFIX}/overview")).json()["recent"] == []
