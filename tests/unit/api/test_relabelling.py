"""The steps of relabelling are what a real Prometheus 3.16 answers for the same rules."""

from __future__ import annotations

import json

import httpx
import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.relabel import Action, RelabelRule
from qvmon.services.collection import TargetsView

from .conftest import House

RULES = (
    RelabelRule(source_labels=("zone", "job"), target_label="place"),
    RelabelRule(source_labels=("place",), regex="de;.*", action=Action.DROP),
    RelabelRule(source_labels=("place",), modulus=3, action=Action.HASHMOD, target_label="part"),
)
SHOWN = (
    {
        "source_labels": ["zone", "job"],
        "separator": ";",
        "regex": "(.*)",
        "target_label": "place",
        "replacement": "$1",
        "action": "replace",
    },
    {
        "source_labels": ["place"],
        "separator": ";",
        "regex": "de;.*",
        "replacement": "$1",
        "action": "drop",
    },
    {
        "source_labels": ["place"],
        "separator": ";",
        "regex": "(.*)",
        "modulus": 3,
        "target_label": "part",
        "replacement": "$1",
        "action": "hashmod",
    },
)


async def asked(house: House, **parameters: str) -> httpx.Response:
    ports = house.ports(access=None, targets=lambda: TargetsView(relabelling={"a": RULES}))
    client = house.client(create_app(ports, ApiConfig(no_auth=True)))
    return await client.get("/api/v1/targets/relabel_steps", params=parameters)


async def test_each_rule_shows_what_it_leaves(house: House) -> None:
    answer = await asked(house, scrapePool="a", labels=json.dumps({"zone": "ch", "job": "a"}))
    placed = {"job": "a", "place": "ch;a", "zone": "ch"}
    assert answer.json()["data"]["steps"] == [
        {"rule": SHOWN[0], "output": placed, "keep": True},
        {"rule": SHOWN[1], "output": placed, "keep": True},
        {"rule": SHOWN[2], "output": {**placed, "part": "2"}, "keep": True},
    ]


async def test_after_the_rule_that_drops_nothing_is_left(house: House) -> None:
    answer = await asked(house, scrapePool="a", labels=json.dumps({"zone": "de"}))
    assert answer.json()["data"]["steps"] == [
        {"rule": SHOWN[0], "output": {"place": "de;", "zone": "de"}, "keep": True},
        {"rule": SHOWN[1], "output": {}, "keep": False},
        {"rule": SHOWN[2], "output": {}, "keep": False},
    ]


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"labels": "{}"}, "no scrapePool parameter provided"),
        ({"scrapePool": "a"}, "no labels parameter provided"),
        (
            {"scrapePool": "b", "labels": "{}"},
            'error retrieving scrape config: scrape pool "b" not found',
        ),
        ({"scrapePool": "a", "labels": "["}, "error parsing labels: "),
    ],
)
async def test_a_wrong_question_is_told_so(
    house: House, parameters: dict[str, str], error: str
) -> None:
    answer = await asked(house, **parameters)
    assert answer.status_code == 400
    assert answer.json()["errorType"] == "bad_data"
    assert answer.json()["error"].startswith(error)
