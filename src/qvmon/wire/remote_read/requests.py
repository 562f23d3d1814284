"""What a remote reader asks."""

from __future__ import annotations

from dataclasses import dataclass

from qvmon.model.errors import invalid
from qvmon.model.labels import Matcher, MatchOp
from qvmon.wire.compression import decompress
from qvmon.wire.protobuf.messages import fields, inner, signed, text

SAMPLES, STREAMED_XOR_CHUNKS = 0, 1
_OPERATORS = (MatchOp.EQUAL, MatchOp.NOT_EQUAL, MatchOp.REGEX, MatchOp.NOT_REGEX)


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """Samples of the series that fulfil every matcher, both ends in milliseconds and inclusive."""

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Queries, and whether their answers are streamed as chunks or sent at once as samples."""

    queries: tuple[ReadQuery, ...]
    as_chunks: bool


def decode_request(body: bytes, *, max_bytes: int) -> ReadRequest:
    """Return the queries in a snappy-compressed ``prometheus.ReadRequest``.

    Raises:
        QvmonError: INVALID when it is damaged, when a regular expression is wrong or when only
            unknown kinds of answers are accepted; EXHAUSTED beyond ``max_bytes``.
    """
    message = decompress(body, "snappy", max_bytes)
    queries: list[ReadQuery] = []
    accepted: list[int] = []
    for number, content in fields(message):
        if number == 1:
            queries.append(_query(inner(content)))
        elif number == 2:
            accepted += _response_types(content)
    return ReadRequest(tuple(queries), _as_chunks(accepted))


def _as_chunks(accepted: list[int]) -> bool:
    known = [each for each in accepted or [SAMPLES] if each in (SAMPLES, STREAMED_XOR_CHUNKS)]
    if not known:
        raise invalid(f"server does not support any of the requested response types: {accepted}")
    return known[0] == STREAMED_XOR_CHUNKS


def _response_types(content: int | bytes) -> list[int]:
    """Return one number, or those packed into bytes, each below 128."""
    return [content] if isinstance(content, int) else list(content)


def _query(message: bytes) -> ReadQuery:
    start_ms = end_ms = 0
    matchers: list[Matcher] = []
    for number, content in fields(message):
        if number == 1:
            start_ms = signed(content)
        elif number == 2:
            end_ms = signed(content)
        elif number == 3:
            matchers.append(_matcher(inner(content)))
    return ReadQuery(tuple(matchers), start_ms, end_ms)


def _matcher(message: bytes) -> Matcher:
    operator, name, value = 0, "", ""
    for number, content in fields(message):
        if number == 1:
            operator = signed(content)
        elif number == 2:
            name = text(content)
        elif number == 3:
            value = text(content)
    if not 0 <= operator < len(_OPERATORS):
        raise invalid(f"invalid matcher type {operator}")
    return Matcher(name, _OPERATORS[operator], value)
