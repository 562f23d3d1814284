"""``python -m tests.differential.api_calls``: the HTTP API, call by call, beside Prometheus."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from tests.differential.accepted_deviations import why_deviates
from tests.differential.answers import same
from tests.differential.asking import Call, Sameness
from tests.differential.calls import calls
from tests.differential.datasets import dataset
from tests.differential.exporter import configuration, exporter
from tests.differential.sender import read_response
from tests.differential.series import Sample, Series
from tests.differential.servers import Server, Setting, both

VARYING = {
    "timestamp",
    *(
        "lastScrape",
        "lastScrapeDuration",
        "lastEvaluation",
        "evaluationTime",
        "activeAt",
        "timings",
    ),
    *("lastError", "generatorURL", "startTime", "CWD", "hostname", "serverTime", "globalUrl"),
}
"""Fields of which only the type is compared: times, durations, words for a refused connection."""

HEADERS = ("content-type", "content-encoding", "access-control-allow-origin", "allow")

SMALL = 1024
"""Bytes below which compressing an answer would not pay, and qvmon does not."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A call both answer, but not alike."""

    call: Call
    what: str
    peer: str
    ours: str


def _sent(server: Server, call: Call) -> httpx.Response:
    form = call.method in {"POST", "PUT"} and call.body is None
    values: dict[str, list[str]] = {}
    for name, value in call.form:
        values.setdefault(name, []).append(value)
    request = server.client.build_request(
        call.method,
        f"{server.url}{call.path}",
        params=values if values and not form else None,
        data=values if form else None,
        content=call.body,
        headers=dict(call.headers),
    )
    try:
        return server.client.send(request)
    except httpx.TransportError:  # a server may close a connection whose body it has not read
        return server.client.send(request)


def deviation(call: Call, peer: httpx.Response, ours: httpx.Response) -> Deviation | None:
    """Return how two responses to ``call`` are not alike, or None."""
    if peer.status_code != ours.status_code:
        return Deviation(call, "status", _told(peer), _told(ours))
    if call.like is Sameness.STATUS:
        return None
    if found := _unlike_headers(call, peer, ours):
        return found
    if call.like is Sameness.READ:
        left, right = (_readable(r.content) for r in (peer, ours))
        return None if left == right else Deviation(call, "series", left, right)
    if call.like is Sameness.TEXT:
        left, right = ("\n".join(sorted(_untimed(r.text))) for r in (peer, ours))
        return None if left == right else Deviation(call, "text", left, right)
    if not peer.content and not ours.content:
        return None
    try:
        place = _unlike(_content(peer), _content(ours), call.like is Sameness.SHAPE, "")
    except ValueError:
        return None if peer.text == ours.text else Deviation(call, "body", _told(peer), _told(ours))
    return Deviation(call, *place) if place else None


def _content(response: httpx.Response) -> Any:
    """Return the JSON of a response; of lines of JSON each as a text, as their order counts."""
    if not response.headers.get("content-type", "").startswith("application/x-ndjson"):
        return response.json()
    return [json.dumps(json.loads(line)) for line in response.text.rstrip("\n").split("\n")]


def _unlike_headers(call: Call, peer: httpx.Response, ours: httpx.Response) -> Deviation | None:
    for name in HEADERS:
        left, right = (r.headers.get(name, "").replace(" ", "") for r in (peer, ours))
        if left != right and not (name == "content-encoding" and _is_free(call, ours)):
            return Deviation(call, f"header {name}", left, right)
    return None


def _is_free(call: Call, ours: httpx.Response) -> bool:
    """Return whether a response may be compressed otherwise: a small one, or one in lines.

    Prometheus sends lines as it finds them; qvmon has them all by then, and compresses them.
    """
    return len(ours.content) < SMALL or call.path.startswith("/api/v1/search/")


def _readable(body: bytes) -> str:
    """Return a remote-read response as text, series and samples in their order."""
    return "\n".join(f"{sorted(s.labels.items())} {_unsigned(s)}" for s in read_response(body))


def _unsigned(series: Series) -> list[Sample]:
    """Return its samples, zeros without a sign: Prometheus leaves every zero out of its message."""
    return [(t, value + 0.0) for t, value in series.samples]


def _told(response: httpx.Response) -> str:
    return f"{response.status_code} {response.text}"


_TIMES = ("scrape_duration_seconds{", "ALERTS_FOR_STATE{")


def _untimed(text: str) -> Iterator[str]:
    """Yield the lines of an exposition without their timestamps, and without values that are."""
    for line in text.splitlines():
        head, _, last = line.rpartition(" ")
        if line.startswith(_TIMES):
            head = head.rpartition(" ")[0]
        yield head if last.isdigit() and len(last) == 13 else line


def _unlike(peer: Any, ours: Any, shape: bool, at: str) -> tuple[str, str, str] | None:
    """Return where two JSON values are not alike and both values, or None."""
    if isinstance(peer, dict) and isinstance(ours, dict):
        return _unlike_objects(peer, ours, shape, at)
    if isinstance(peer, list) and isinstance(ours, list):
        return _unlike_lists(peer, ours, shape, at)
    if type(peer) is not type(ours) and not (_number(peer) and _number(ours)):
        return f"type at {at}", json.dumps(peer), json.dumps(ours)
    if shape or peer == ours or (_number(peer) and same(str(peer), str(ours))):
        return None
    if isinstance(peer, str) and not at.endswith("error") and same(peer, ours):
        return None
    return f"value at {at}", json.dumps(peer), json.dumps(ours)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unlike_objects(
    peer: Mapping[str, Any], ours: Mapping[str, Any], shape: bool, at: str
) -> tuple[str, str, str] | None:
    if peer.keys() != ours.keys():
        lacking, beyond = sorted(peer.keys() - ours.keys()), sorted(ours.keys() - peer.keys())
        return f"keys at {at or '/'}", f"only {lacking}", f"only {beyond}"
    for key in peer:
        found = _unlike(peer[key], ours[key], shape or key in VARYING, f"{at}/{key}")
        if found:
            return found
    return None


def _unlike_lists(
    peer: list[Any], ours: list[Any], shape: bool, at: str
) -> tuple[str, str, str] | None:
    if shape:
        return _unlike(peer[0], ours[0], True, f"{at}/0") if peer and ours else None
    if len(peer) != len(ours):
        return f"length at {at}", json.dumps(peer), json.dumps(ours)
    if all(isinstance(each, dict) for each in (*peer, *ours)):
        peer, ours = sorted(peer, key=_identity), sorted(ours, key=_identity)
    for number, (left, right) in enumerate(zip(peer, ours, strict=True)):
        if found := _unlike(left, right, shape, f"{at}/{number}"):
            return found
    return None


def _identity(each: Mapping[str, Any]) -> str:
    """Return what names an element of a list, whatever its order."""
    named = {k: v for k, v in each.items() if k not in {"value", "values", *VARYING}}
    return json.dumps(named, sort_keys=True)


def _markdown(asked: int, found: list[Deviation]) -> str:
    lines = ["# API differences", "", f"{asked} calls, {len(found)} differ", ""]
    for each in found:
        lines += [f"- `{each.call}`: {each.what}"]
        lines += [f"    - Prometheus: {each.peer[:400]}", f"    - qvmon: {each.ours[:400]}"]
    return "\n".join(lines) + "\n"


def _compared(seed: int) -> tuple[int, list[Deviation]]:
    with tempfile.TemporaryDirectory(prefix="qvmon-api-") as place, exporter() as port:
        folder = Path(place)
        setting = Setting(prometheus_yml=configuration(folder, port))
        with both(folder, setting, dataset(seed)) as (peer, ours):
            time.sleep(5)
            table = list(calls())
            found = [deviation(call, _sent(peer, call), _sent(ours, call)) for call in table]
    return len(table), [each for each in found if each and not _is_accepted(each)]


def _is_accepted(found: Deviation) -> bool:
    reason = why_deviates(found.call.path, str(found.call), found.what, found.peer, found.ours)
    if reason:
        print(f"accepted: {found.call}: {reason}")
    return reason is not None


def main(
    seed: Annotated[int, typer.Option(help="Of the data both hold.")] = 2,
    report: Annotated[Path | None, typer.Option(help="Where differences are written.")] = None,
) -> None:
    """Ask Prometheus 3.16 and qvmon every call; exit with 1 when one is answered otherwise."""
    asked, found = _compared(seed)
    text = _markdown(asked, found)
    if report:
        report.write_text(text)
    print(text if not report else f"{asked} calls, {len(found)} differ")
    sys.exit(bool(found))


if __name__ == "__main__":
    typer.run(main)
