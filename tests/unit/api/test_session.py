"""Log-in by browser, and what keeps other sites out."""

from __future__ import annotations

from pathlib import Path

import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app

from .conftest import CSRF, OWN_PASSWORD, PASSWORD, PREFIX, ROOT, House


async def test_log_in_gives_a_cookie_that_pages_cannot_read(house: House) -> None:
    await house.person("ada", "viewer")
    client = house.client()
    answer = await client.post(
        f"{PREFIX}/session", json={"username": "ada", "password": OWN_PASSWORD}
    )
    assert answer.status_code == 200
    user = answer.json()["user"]
    assert (user["login"], user["roles"]) == ("ada", ["viewer"])
    assert "telemetry:read" in user["permissions"]
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert (await client.get(f"{PREFIX}/session")).json()["user"] == user


@pytest.mark.parametrize("setting", ["tls", "behind_tls"])
async def test_a_secure_server_gives_a_secure_cookie(
    house: House, tmp_path: Path, setting: str
) -> None:
    tls = {"certificate_file": tmp_path / "c.pem", "key_file": tmp_path / "k.pem"}
    config = ApiConfig(**{setting: tls if setting == "tls" else True})
    app = create_app(house.ports(), config)
    await house.person("ada", "viewer")
    answer = await house.client(app).post(
        f"{PREFIX}/session", json={"username": "ada", "password": OWN_PASSWORD}
    )
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


async def test_log_out_ends_the_session_and_takes_the_cookie(house: House) -> None:
    client = await house.browser("ada", "viewer")
    assert (await client.delete(f"{PREFIX}/session")).status_code == 204
    assert (await client.get(f"{PREFIX}/session")).status_code == 401


async def test_wrong_passwords_get_401_then_429_with_retry_after(house: House) -> None:
    client = house.client()
    wrong = {"username": "ada", "password": "guess"}
    answers = [await client.post(f"{PREFIX}/session", json=wrong) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].json()["error"]["kind"] == "unauthenticated"
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["error"]["retry_after_seconds"] == 1


async def test_a_one_time_password_allows_nothing_but_changing_it(house: House) -> None:
    await house.access.create_user(ROOT, "ada", PASSWORD, ["administrator"])
    client = house.client(**CSRF)
    credentials = {"username": "ada", "password": PASSWORD}
    answer = await client.post(f"{PREFIX}/session", json=credentials)
    assert answer.json()["user"]["must_change_password"] is True
    assert (await client.get(f"{PREFIX}/session")).status_code == 200
    for path in (f"{PREFIX}/incidents", "/api/v1/query?query=1", f"{PREFIX}/users"):
        refused = await client.get(path)
        assert refused.status_code == 403
    refused = (await client.get(f"{PREFIX}/users")).json()["error"]
    assert refused["reason"] == "must_change_password"
    assert "/session/password" in refused["hint"]
    change = {"current": PASSWORD, "new": OWN_PASSWORD}
    changed = await client.post(f"{PREFIX}/session/password", json=change)
    assert changed.json()["user"]["must_change_password"] is False
    assert (await client.get(f"{PREFIX}/users")).status_code == 200


async def test_a_change_by_cookie_needs_the_header_other_sites_cannot_send(house: House) -> None:
    client = await house.browser("ada", "responder")
    del client.headers["X-Qvmon-Request"]
    refused = await client.post(f"{PREFIX}/tokens", json={"name": "x", "roles": ["viewer"]})
    assert refused.status_code == 403
    assert "X-Qvmon-Request" in refused.json()["error"]["message"]
    allowed = await client.post(
        f"{PREFIX}/tokens", json={"name": "x", "roles": ["viewer"]}, headers=CSRF
    )
    assert allowed.status_code == 201


async def test_reading_by_post_needs_no_header(house: House) -> None:
    client = await house.browser("ada", "viewer")
    del client.headers["X-Qvmon-Request"]
    answer = await client.post("/api/v1/query", data={"query": "1"})
    assert answer.status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "basic", "basic-any-user"])
async def test_a_token_is_taken_as_bearer_or_as_basic_password(house: House, scheme: str) -> None:
    owner = await house.person("ada", "viewer")
    secret, _ = await house.access.create_token(owner, "ci", ["viewer"])
    client = house.client()
    match scheme:
        case "bearer":
            answer = await client.get(
                f"{PREFIX}/session", headers={"Authorization": f"Bearer {secret}"}
            )
        case "basic":
            answer = await client.get(f"{PREFIX}/session", auth=("ada", secret))
        case _:
            answer = await client.get(f"{PREFIX}/session", auth=("grafana", secret))
    assert answer.json()["user"]["login"] == "ada"


@pytest.mark.parametrize(
    "header", ["Bearer qvm_unknown", "Basic !!!", "Basic YWRhOndyb25n", "Digest x", "Bearer"]
)
async def test_bad_credentials_get_401_even_beside_a_good_cookie(house: House, header: str) -> None:
    client = await house.browser("ada", "viewer")
    answer = await client.get(f"{PREFIX}/incidents", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_users_and_tokens_are_administered_over_rest(house: House) -> None:
    root = await house.browser("root2", "administrator")
    new = {"login": "bob", "password": PASSWORD, "roles": ["viewer"]}
    created = await root.post(f"{PREFIX}/users", json=new)
    assert created.status_code == 201
    assert (await root.post(f"{PREFIX}/users", json=new)).status_code == 409
    changed = await root.patch(f"{PREFIX}/users/bob", json={"roles": ["responder"]})
    assert changed.json()["roles"] == ["responder"]
    assert (await root.patch(f"{PREFIX}/users/bob", json={"role": []})).status_code == 400
    assert (await root.patch(f"{PREFIX}/users/eve", json={})).status_code == 404
    listed = (await root.get(f"{PREFIX}/users")).json()["users"]
    assert [user["login"] for user in listed] == ["bob", "root2"]
    assert "password" not in str(listed).replace("must_change_password", "")
    token = {"name": "ci", "roles": ["viewer"], "lifetime_seconds": 3600}
    made = (await root.post(f"{PREFIX}/tokens", json=token)).json()
    assert made["secret"].startswith("qvm_")
    assert "secret" not in (await root.get(f"{PREFIX}/tokens")).json()["tokens"][0]
    assert (await root.delete(f"{PREFIX}/tokens/{made['token_id']}")).status_code == 204
    assert (await root.delete(f"{PREFIX}/tokens/{made['token_id']}")).status_code == 404


async def test_without_authentication_everybody_is_an_administrator(house: House) -> None:
    app = create_app(house.ports(access=None), ApiConfig(no_auth=True))
    client = house.client(app)
    user = (await client.get(f"{PREFIX}/session")).json()["user"]
    assert user["login"] == "anonymous-admin"
    assert (await client.get("/api/v1/query", params={"query": "1"})).status_code == 200


async def test_without_authentication_other_names_and_pages_are_kept_out(house: House) -> None:
    """A foreign page may point a name at 127.0.0.1, or post a form to it."""
    client = house.client(create_app(house.ports(access=None), ApiConfig(no_auth=True)))
    rebound = await client.get("/api/v1/query?query=1", headers={"Host": "evil.example:9090"})
    assert rebound.status_code == 403
    foreign = await client.post(
        f"{PREFIX}/incidents/x/resolve", json={}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    local = await client.post(f"{PREFIX}/incidents/x/resolve", json={})
    assert local.status_code == 404


def test_switching_authentication_off_is_refused_off_loopback() -> None:
    with pytest.raises(ValueError, match="no_auth is refused"):
        ApiConfig(no_auth=True, host="0.0.0.0")


async def test_every_answer_carries_security_headers_and_is_not_cached(house: House) -> None:
    client = house.client()
    for path in ("/", "/-/healthy", f"{PREFIX}/session", "/api/v1/query"):
        headers = (await client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert (await client.get(f"{PREFIX}/session")).headers["cache-control"] == "no-store"
