"""Fetching what a target says: over HTTP, or from a source in this process."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.ports import OutboundClient, OutboundRequest, OutboundResponse
from qvmon.services.collection.ports import FileStore, LocalMetrics
from qvmon.services.collection.target import Target
from qvmon.wire.prometheus_scrape import BasicAuth, ScrapeConfig, ScrapeProtocol

BODY_SIZE_LIMIT = "body_size_limit"

_MEDIA_TYPES = {
    ScrapeProtocol.OPEN_METRICS_1_0_0: "application/openmetrics-text;version=1.0.0",
    ScrapeProtocol.OPEN_METRICS_0_0_1: "application/openmetrics-text;version=0.0.1",
    ScrapeProtocol.TEXT_1_0_0: "text/plain;version=1.0.0",
    ScrapeProtocol.TEXT_0_0_4: "text/plain;version=0.0.4",
}
_ESCAPABLE = (ScrapeProtocol.OPEN_METRICS_1_0_0, ScrapeProtocol.TEXT_1_0_0)
_HIGHEST_WEIGHT = 6
_OPEN_METRICS = "application/openmetrics-text"
_PROTOBUF = "application/vnd.google.protobuf"
_READABLE = frozenset({"text/plain", _OPEN_METRICS, _PROTOBUF})
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf';\s*({_WORD})=({_WORD}|"(?:[^"\\]|\\.)*")\s*')
_CONTENT_TYPE = re.compile(rf"({_WORD}(?:/{_WORD})?)\s*((?:{_PARAMETER.pattern})*)(?:;\s*)?")


@dataclass(frozen=True, slots=True)
class Page:
    """What a target said."""

    body: bytes
    content_type: str


class PageSource(Protocol):
    """Where the pages of one target come from."""

    async def page(self) -> Page:
        """Return the next page.

        Raises:
            QvmonError: The target did not answer, or not as it should.
        """
        ...


class HttpPages:
    """The pages of a target over HTTP."""

    def __init__(
        self,
        target: Target,
        job: ScrapeConfig,
        client: OutboundClient,
        files: FileStore,
        max_body_bytes: int,
    ) -> None:
        self._target = target
        self._job = job
        self._client = client
        self._files = files
        # a body of exactly the limit is refused, as in Prometheus
        limit = job.body_size_limit_bytes - 1 if job.body_size_limit_bytes else max_body_bytes
        self._max_body_bytes = min(limit, max_body_bytes)
        self._fixed: OutboundRequest | None = None

    async def page(self) -> Page:
        """Return the answer to one GET."""
        response = await self._answer()
        if response.status != HTTPStatus.OK:
            reason = _reason(response.status)
            raise QvmonError(
                ErrorKind.UNAVAILABLE,
                f"server returned HTTP status {response.status} {reason}",
                status=response.status,
            )
        given = _header(response.headers, "content-type")
        return Page(response.body, _content_type(given, self._job.fallback_scrape_protocol))

    async def _answer(self) -> OutboundResponse:
        try:
            return await self._client.send(await self._request())
        except QvmonError as error:
            if error.kind is ErrorKind.EXHAUSTED:
                message = f"body size limit exceeded ({error.message})"
                raise QvmonError(error.kind, message, limit=BODY_SIZE_LIMIT) from None
            raise

    async def _request(self) -> OutboundRequest:
        """Return the request; it is made anew only where files hold a part of it."""
        request = self._fixed or await self._new_request()
        if not self._reads_files():
            self._fixed = request
        return request

    def _reads_files(self) -> bool:
        job = self._job
        basic, authorization = job.basic_auth, job.authorization
        return bool(
            job.bearer_token_file
            or (basic and (basic.username_file or basic.password_file))
            or (authorization and authorization.credentials_file)
            or any(each.files for each in job.http_headers.values())
        )

    async def _new_request(self) -> OutboundRequest:
        timeout = self._target.timeout_ms / 1000
        headers = {
            "Accept": accept_header(self._job.scrape_protocols),
            "Accept-Encoding": "gzip" if self._job.enable_compression else "identity",
            "User-Agent": "qvmon",
            "X-Prometheus-Scrape-Timeout-Seconds": f"{timeout:.15g}",
            **await self._credentials(),
            **await self._extra_headers(),
        }
        return OutboundRequest(
            "GET",
            self._target.url,
            headers,
            timeout_seconds=timeout,
            max_response_bytes=self._max_body_bytes,
            follow_redirects=self._job.follow_redirects,
            tls=self._job.tls_config.options(),
        )

    async def _credentials(self) -> dict[str, str]:
        job = self._job
        if job.basic_auth is not None:
            return {"Authorization": f"Basic {await self._basic(job.basic_auth)}"}
        if job.authorization is not None:
            given, file = job.authorization.credentials, job.authorization.credentials_file
            return {
                "Authorization": f"{job.authorization.type} {await self._either(given.value, file)}"
            }
        if job.bearer_token or job.bearer_token_file:
            token = await self._either(job.bearer_token.value, job.bearer_token_file)
            return {"Authorization": f"Bearer {token}"}
        return {}

    async def _basic(self, auth: BasicAuth) -> str:
        user = await self._either(auth.username, auth.username_file)
        password = await self._either(auth.password.value, auth.password_file)
        return base64.b64encode(f"{user}:{password}".encode()).decode()

    async def _extra_headers(self) -> dict[str, str]:
        return {
            name: ", ".join(
                [
                    *each.values,
                    *(secret.value for secret in each.secrets),
                    *[await self._either("", file) for file in each.files],
                ]
            )
            for name, each in self._job.http_headers.items()
        }

    async def _either(self, given: str, file: str) -> str:
        if not file:
            return given
        try:
            return (await self._files.read(file)).decode().strip()
        except UnicodeDecodeError:
            raise invalid(f"{file}: not UTF-8", file=file) from None


class LocalPages:
    """The pages of a source in this process."""

    def __init__(self, source: LocalMetrics, timeout_seconds: float) -> None:
        self._source = source
        self._timeout_seconds = timeout_seconds
        self._collecting: asyncio.Future[bytes] | None = None

    async def page(self) -> Page:
        """Return what the source says; one that is still busy is waited for, not asked again."""
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.ensure_future(asyncio.to_thread(self._source.collect))
        try:
            async with asyncio.timeout(self._timeout_seconds):
                body = await asyncio.shield(self._collecting)
        except TimeoutError:
            raise QvmonError(
                ErrorKind.TIMEOUT, f"{self._source.name} did not answer in time"
            ) from None
        return Page(body, "text/plain;version=0.0.4")


def accept_header(protocols: tuple[ScrapeProtocol, ...]) -> str:
    """Return the ``Accept`` header that asks for ``protocols``, the most wanted first.

    Source: Prometheus, scrape/scrape.go (acceptHeader).
    """
    wanted, weight = [], _HIGHEST_WEIGHT
    for protocol in protocols:
        if protocol in _MEDIA_TYPES:
            escaping = ";escaping=allow-utf-8" if protocol in _ESCAPABLE else ""
            wanted.append(f"{_MEDIA_TYPES[protocol]}{escaping};q=0.{weight}")
            weight -= 1
    return ",".join([*wanted, f"*/*;q=0.{weight}"])


@lru_cache(maxsize=1024)
def _content_type(given: str, fallback: ScrapeProtocol | None) -> str:
    """Return what a page is read as: what its target says, else the job's fallback.

    Raises:
        QvmonError: INVALID for a target that says nothing readable, where the job has no fallback.

    Source: Prometheus, model/textparse/interface.go (extractMediaType).
    """
    complaint = _complaint(given)
    if not complaint:
        return given
    if fallback is None:
        message = f"{complaint} and no fallback_scrape_protocol specified for target"
        raise QvmonError(ErrorKind.INVALID, message, cause="content_type")
    return _MEDIA_TYPES.get(fallback, _PROTOBUF)


def _complaint(given: str) -> str:
    """Return what is wrong with a content type; empty when it can be read."""
    if not given:
        return "non-compliant scrape target sending blank Content-Type"
    found = _CONTENT_TYPE.fullmatch(given.strip())
    if found is None:
        return f"cannot parse Content-Type {_quoted(given)}"
    media_type = found[1].lower()
    parameters = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(found[2])}
    if media_type == _OPEN_METRICS and parameters.get("version") == "2.0.0":
        return (
            f"received OpenMetrics 2.0 Content-Type {_quoted(given)}, but the openmetrics2 feature "
            "flag is not enabled"
        )
    if media_type not in _READABLE:
        return f"received unsupported Content-Type {_quoted(given)}"
    return ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
