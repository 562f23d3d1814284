"""Large answers are sent in pieces, each rendered when it is its turn; the bytes are the same."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import cramjam
import numpy as np
import pytest
from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from qvmon.api.http.prometheus import rendering
from qvmon.api.http.prometheus.answers import success
from qvmon.api.http.prometheus.rendering import Json, render_result
from qvmon.model.labels import Labels
from qvmon.model.series import LabelFrame
from qvmon.promql import Matrix


def matrix(series: int, steps: int) -> Matrix:
    rng = np.random.default_rng(series)
    frame = LabelFrame.from_labels([Labels(number=str(number)) for number in range(series)])
    values = rng.normal(size=(series, steps))
    present = rng.random((series, steps)) < 0.8
    return Matrix(frame, np.arange(steps) * 15_000, values, present)


def asked(encoding: str = "identity") -> Request:
    return Request({"type": "http", "headers": [(b"accept-encoding", encoding.encode())]})


async def body(answer: Response) -> bytes:
    if not isinstance(answer, StreamingResponse):
        return bytes(answer.body)
    return b"".join([bytes(piece) async for piece in answer.body_iterator])  # type: ignore[arg-type]


@pytest.mark.parametrize(("series", "at_once"), [(1, 1), (7, 1), (7, 30), (40, 45)])
async def test_an_answer_in_pieces_is_the_answer_in_one(
    series: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = matrix(series, 15)
    whole = await body(await success(asked(), lambda: render_result(found), ["careful"]))
    monkeypatch.setattr(rendering, "_SAMPLES_AT_ONCE", at_once)
    answer = await success(asked(), lambda: render_result(found), ["careful"])
    assert isinstance(answer, StreamingResponse)
    assert await body(answer) == whole
    assert whole.endswith(b',"warnings":["careful"]}')
    packed = await success(asked("gzip"), lambda: render_result(found), ["careful"])
    if packed.headers.get("content-encoding") == "gzip":
        assert bytes(cramjam.gzip.decompress(packed.body)) == whole
    else:
        assert packed.body == whole
        assert len(whole) < 1024


async def test_pieces_come_in_order_whichever_is_ready_first() -> None:
    """The first piece is ready only once the second is."""
    second_is_there = threading.Event()

    def first() -> memoryview:
        assert second_is_there.wait(10)
        return memoryview(b"1")

    def second() -> memoryview:
        second_is_there.set()
        return memoryview(b"2")

    pieces: Json = [b"[", first, b",", second, b"]"]
    answer = await success(asked(), lambda: pieces)
    assert await body(answer) == b'{"status":"success","data":[1,2]}'


async def test_what_nobody_waits_for_is_not_rendered() -> None:
    """Pieces far ahead are begun only when those before them are sent."""
    begun: list[int] = []

    def piece(number: int) -> memoryview:
        begun.append(number)
        return memoryview(b"x")

    pieces: Json = [partial(piece, number) for number in range(100)]
    answer = await success(asked(), lambda: pieces)
    assert isinstance(answer, StreamingResponse)
    sent = answer.body_iterator
    await anext(sent)  # type: ignore[call-overload]
    await asyncio.sleep(0)
    await sent.aclose()  # type: ignore[attr-defined]
    assert len(begun) < 20
