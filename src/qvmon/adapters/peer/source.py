"""Series that live in another qvmon process, read over its peer endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec

from qvmon.adapters.peer.config import PeerConfig
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher
from qvmon.model.ports import Allowance, OutboundClient, OutboundRequest
from qvmon.model.series import LabelFrame, MetricMetadata, Selection, SeriesColumns
from qvmon.model.unknown import UnknownInterval
from qvmon.wire import series_stream

_PATH = "/api/qvmon/v1/peer"
_TELLING = frozenset(
    {ErrorKind.INVALID, ErrorKind.EXHAUSTED, ErrorKind.TIMEOUT, ErrorKind.UNSUPPORTED}
)


class PeerSource:
    """A ``SeriesSource`` and ``UnknownSource`` of what another process keeps.

    Args:
        config: Where the peer is and what it may take.
        token: An API token there that may read telemetry.
        client: The door through which requests leave.
    """

    def __init__(self, config: PeerConfig, token: str, client: OutboundClient) -> None:
        self._config = config
        self._url = config.url.rstrip("/") + _PATH
        self._headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"}
        self._client = client

    async def select(
        self,
        selections: Sequence[Selection],
        allowance: Allowance | None = None,
        *,
        in_parts: bool = False,  # noqa: ARG002 - a peer sends all of it at once
    ) -> list[SeriesColumns]:
        """Return the samples of each selection, series with none left out.

        The peer has limits of its own; its answer is not unpacked once nobody waits for it, and
        always as a whole, ``in_parts`` or not.

        Raises:
            QvmonError: UNAVAILABLE when the peer does not answer, or not as a peer should; its own
                INVALID, EXHAUSTED and TIMEOUT; CORRUPT for an answer that cannot be read.
        """
        if not selections:
            return []
        request = series_stream.encode_select_request(selections)
        body = await self._ask("POST", "/select", request)
        if allowance is not None:
            allowance.check()
        return await asyncio.to_thread(series_stream.decode_columns, body, len(selections))

    async def series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> LabelFrame:
        """Return the distinct series that match any set; errors as for ``select``."""
        request = series_stream.encode_series_request(matcher_sets, start_ms, end_ms)
        body = await self._ask("POST", "/series", request)
        return await asyncio.to_thread(series_stream.decode_frame, body)

    async def unknown(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> list[UnknownInterval]:
        """Return the unknown intervals that match any set; errors as for ``select``."""
        request = series_stream.encode_series_request(matcher_sets, start_ms, end_ms)
        return series_stream.decode_unknown(await self._ask("POST", "/unknown", request))

    async def metadata(self, metric: str | None = None) -> list[MetricMetadata]:
        """Return what targets said about one metric, or about all; errors as for ``select``."""
        query = "" if metric is None else "?" + urlencode({"metric": metric})
        return series_stream.decode_metadata(await self._ask("GET", f"/metadata{query}", b""))

    async def _ask(self, method: str, path: str, body: bytes) -> bytes:
        content = {"Content-Type": "application/json"} if body else {}
        answer = await self._client.send(
            OutboundRequest(
                method=method,
                url=self._url + path,
                headers={**self._headers, **content},
                body=body,
                timeout_seconds=self._config.timeout_seconds,
                max_response_bytes=self._config.answer_bytes,
            )
        )
        if answer.status != 200:
            raise self._refusal(answer.status, answer.body)
        return answer.body

    def _refusal(self, status: int, body: bytes) -> QvmonError:
        kind, message = _told(body)
        told = f"peer {self._config.url} answered {status}: {message}"
        return QvmonError(kind if kind in _TELLING else ErrorKind.UNAVAILABLE, told)


def _told(body: bytes) -> tuple[ErrorKind, str]:
    try:
        error = msgspec.json.decode(body)["error"]
        return ErrorKind(error["kind"]), str(error["message"])
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        return ErrorKind.UNAVAILABLE, body[:200].decode(errors="replace")
