"""The web client's files; any other page the browser asks for is the client too."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

STATIC = Path(__file__).parents[1] / "static"

_FOREVER = "public, max-age=31536000, immutable"
_HASHED_FOLDER = "assets"
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>qvmon</title></head>
<body><h1>qvmon is running; its web client has not been built</h1>
<p>Run <code>make ui</code> in the source tree and reload this page.</p>
<p>The API is at <code>/api/qvmon/v1</code> and <code>/api/v1</code>.</p></body></html>
"""


def static_routes(folder: Path = STATIC) -> APIRouter:
    """Return the routes of the web client that was built into ``folder``."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/{path:path}", methods=["GET", "HEAD"])
    async def client_file(path: str, request: Request) -> Response:
        """Send a file of the web client, or the client itself for its pages."""
        if path.startswith(("api/", "-/")):
            raise _nothing_there(request)
        found = _file(folder, path)
        if found is not None:
            hashed = path.startswith(f"{_HASHED_FOLDER}/")
            return FileResponse(
                found, headers={"Cache-Control": _FOREVER if hashed else "no-cache"}
            )
        if path and "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(404, "no such file")
        return _client(folder)

    return router


def _nothing_there(request: Request) -> HTTPException:
    """Return 405 where a route of another method has the path, 404 where none has."""
    routes = request.app.router.routes
    known = any(route.matches(request.scope)[0] is Match.PARTIAL for route in routes)
    return HTTPException(405) if known else HTTPException(404, "no such resource")


def _file(folder: Path, path: str) -> Path | None:
    if "\0" in path:
        return None
    wanted = (folder / path).resolve()
    inside = wanted.is_relative_to(folder.resolve())
    return wanted if inside and wanted.is_file() else None


def _client(folder: Path) -> Response:
    index = folder / "index.html"
    if index.is_file():
        return FileResponse(index, headers={"Cache-Control": "no-cache"})
    return HTMLResponse(_NOT_BUILT, 503)
