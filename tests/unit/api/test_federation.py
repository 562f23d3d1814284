"""What another Prometheus gets when it scrapes ``/federate``."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.model.series import STALE

from .conftest import House


def name_of(**labels: str) -> str:
    return json.dumps(labels)


async def federated(house: House, selectors: list[str], accept: str = "") -> str:
    ports = house.ports(access=None)
    ports = replace(ports, build=replace(ports.build, external_labels={"region": "eu"}))
    client = house.client(create_app(ports, ApiConfig(no_auth=True)))
    answer = await client.get(
        "/federate", params={"match[]": selectors}, headers={"Accept": accept}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


async def test_newest_samples_come_with_their_times_and_external_labels(house: House) -> None:
    now = house.now_ms
    await house.write(
        {
            name_of(__name__="up", job="b", instance="i:1"): [(now - 60_000, 0.0), (now, 1.0)],
            name_of(__name__="up", job="a", region="us"): [(now - 1000, 1.5e6)],
            name_of(__name__="orders_total", job="a"): [(now - 299_000, 0.25)],
        }
    )
    assert await federated(house, ["up", '{job="a"}']) == (
        "# TYPE orders_total untyped\n"
        f'orders_total{{job="a",instance="",region="eu"}} 0.25 {now - 299_000}\n'
        "# TYPE up untyped\n"
        f'up{{instance="i:1",job="b",region="eu"}} 1 {now}\n'
        f'up{{job="a",region="us",instance=""}} 1.5e+06 {now - 1000}\n'
    )


async def test_series_that_are_old_or_have_ended_are_left_out(house: House) -> None:
    now = house.now_ms
    await house.write(
        {
            name_of(__name__="old"): [(now - 301_000, 1.0)],
            name_of(__name__="ended"): [(now - 2000, 1.0), (now - 1000, STALE)],
        }
    )
    assert await federated(house, ["old", "ended"]) == ""


async def test_no_selector_and_an_empty_one_select_nothing(house: House) -> None:
    await house.write({name_of(__name__="up"): [(house.now_ms, 1.0)]})
    assert await federated(house, []) == ""
    assert await federated(house, ["{}"]) == ""


async def test_a_wrong_selector_is_told_in_plain_text(house: House) -> None:
    client = house.client(create_app(house.ports(access=None), ApiConfig(no_auth=True)))
    answer = await client.get("/federate", params={"match[]": "{"})
    assert (answer.status_code, answer.text) == (
        400,
        "1:2: parse error: unexpected end of input inside braces\n",
    )


@pytest.mark.parametrize(
    ("escaping", "line"),
    [
        ("allow-utf-8", '{"http.status",instance="","region"="eu","ü b"="x"}'),
        ("underscores", 'http_status{__b="x",instance="",region="eu"}'),
        ("dots", 'http_dot_status{____b="x",instance="",region="eu"}'),
        ("values", 'U__http_2e_status{U___fc__20_b="x",instance="",region="eu"}'),
    ],
)
async def test_names_are_escaped_as_the_reader_asks(house: House, escaping: str, line: str) -> None:
    now = house.now_ms
    await house.write({name_of(__name__="http.status", **{"ü b": "x"}): [(now, 1.0)]})
    text = await federated(
        house, ['{"http.status"}'], f"text/plain;version=0.0.4;escaping={escaping};q=0.5,*/*;q=0.1"
    )
    assert sorted_pairs(text.splitlines()[1]) == sorted_pairs(f"{line} 1 {now}")


def sorted_pairs(line: str) -> tuple[str, list[str], str]:
    """A line with its labels in a fixed order, quotes around names apart."""
    before, _, rest = line.partition("{")
    inner, _, after = rest.partition("}")
    return before, sorted(part.replace('"region"', "region") for part in inner.split(",")), after
