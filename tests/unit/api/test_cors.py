"""Pages of other sites read the Prometheus API where the operator allows it, and not elsewhere."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app

from .conftest import House

DESK = "https://desk.example.com"


def client_of(house: House, cors_origin: str):
    config = ApiConfig(no_auth=True, cors_origin=cors_origin)
    return house.client(create_app(house.ports(access=None), config), Origin=DESK)


async def test_no_origin_is_allowed_unless_configured(house: House) -> None:
    answer = await client_of(house, "").get("/api/v1/query?query=1")
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        (".*", "*"),
        (r"https://(desk|risk)\.example\.com", DESK),
        (r"https://desk", None),
        (r"https://risk\.example\.com", None),
    ],
)
async def test_the_whole_origin_must_match(house: House, expression: str, allowed: str) -> None:
    answer = await client_of(house, expression).get("/api/v1/query?query=1")
    assert answer.headers.get("access-control-allow-origin") == allowed
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_preflight_request_needs_no_token(house: House) -> None:
    app = create_app(house.ports(), ApiConfig(cors_origin=".*"))
    answer = await house.client(app, Origin=DESK).options("/api/v1/query_range")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert "Authorization" in answer.headers["access-control-allow-headers"]


async def test_qvmons_own_api_is_for_its_own_pages(house: House) -> None:
    answer = await client_of(house, ".*").get("/api/qvmon/v1/session")
    assert "access-control-allow-origin" not in answer.headers


def test_a_wrong_expression_is_refused() -> None:
    with pytest.raises(ValidationError, match="bad regular expression"):
        ApiConfig(cors_origin="(")
