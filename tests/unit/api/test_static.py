"""The web client's files, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from qvmon.api.http.static import static_routes

from .conftest import House

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>client</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-Ab12.js").write_text("let a = 1;")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def client_of(folder: Path) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(static_routes(folder))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_files_are_served_and_hashed_ones_kept_for_ever(built: Path) -> None:
    async with client_of(built) as client:
        hashed = await client.get("/assets/index-Ab12.js")
        assert hashed.text == "let a = 1;"
        assert "immutable" in hashed.headers["cache-control"]
        assert "javascript" in hashed.headers["content-type"]
        icon = await client.get("/favicon.svg")
        assert icon.headers["cache-control"] == "no-cache"
        assert (await client.get("/")).text == "<title>client</title>"


async def test_every_page_of_the_client_is_the_client(built: Path) -> None:
    async with client_of(built) as client:
        page = await client.get("/incidents/123", headers=HTML)
        assert page.text == "<title>client</title>"
        assert (await client.get("/assets/gone.js")).status_code == 404
        assert (await client.get("/api/nothing", headers=HTML)).status_code == 404
        assert (await client.get("/-/nothing", headers=HTML)).status_code == 404


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/%00"]
)
async def test_nothing_outside_the_folder_is_served(built: Path, path: str) -> None:
    async with client_of(built) as client:
        answer = await client.get(path)
        assert answer.status_code in (404, 200)
        assert "secret" not in answer.text


async def test_without_a_client_the_page_says_how_to_build_it(tmp_path: Path) -> None:
    async with client_of(tmp_path / "absent") as client:
        answer = await client.get("/", headers=HTML)
        assert answer.status_code == 503
        assert "make ui" in answer.text


async def test_unknown_resources_answer_in_the_shape_of_their_api(house: House) -> None:
    client = house.client()
    ours = await client.get("/api/qvmon/v1/nothing")
    assert (ours.status_code, ours.json()["error"]["kind"]) == (404, "not_found")
    theirs = await client.get("/api/v1/nothing")
    assert (theirs.status_code, theirs.text) == (404, "404 page not found\n")
    by_another = await client.put("/api/v1/labels")
    assert (by_another.status_code, by_another.text) == (405, "Method Not Allowed\n")
    assert by_another.headers["allow"] == "GET, OPTIONS, POST"
    wrong = await client.put("/api/qvmon/v1/incidents")
    assert (wrong.status_code, wrong.json()["error"]["kind"]) == (405, "unsupported")
