"""The scripts' cases put to a running ``qvmon serve``: samples in by remote write, JSON out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import promqltest
from promqltest import Clear, Eval, Load, Loaded, Storage, Verdict

from tests.differential.sender import HEADERS, write_request
from tests.differential.series import Series


@dataclass
class Served:
    """A qvmon that holds what a script has loaded."""

    client: httpx.Client
    known: Storage = field(default_factory=Storage)
    names: set[str] = field(default_factory=set)

    def load(self, command: Load) -> None:
        """Send the series of a ``load``."""
        self.known.load(command)
        last = {each.labels: each for each in command.series}  # of equal series only one counts
        series = [
            Series(dict(each.labels.pairs()), _samples(each, command.step_ms))
            for each in last.values()
        ]
        series = [each for each in series if each.samples]
        self.names |= {_selector(each.labels) for each in series}
        if series:
            answer = self.client.post(
                "/api/v1/write", content=write_request(series), headers=HEADERS
            )
            assert answer.is_success, answer.text

    def clear(self) -> None:
        """Delete everything."""
        if self.names:
            answer = self.client.post(
                "/api/v1/admin/tsdb/delete_series", params={"match[]": sorted(self.names)}
            )
            assert answer.is_success, answer.text
        self.names, self.known = set(), Storage()

    def ask(self, case: Eval, at: tuple[int, int, int] | None = None) -> dict[str, Any]:
        """Return the answer to a case, or to the same expression over other steps."""
        if at is None and case.instant:
            form = {"query": case.expression, "time": _seconds(case.start_ms)}
            return self._answer("/api/v1/query", form)
        start, end, step = at or (case.start_ms, case.end_ms, case.step_ms)
        form = {
            "query": case.expression,
            "start": _seconds(start),
            "end": _seconds(end),
            "step": _seconds(step),
        }
        return self._answer("/api/v1/query_range", form)

    def _answer(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        answer = self.client.post(path, data=form)
        assert answer.status_code in (200, 400, 422), answer.text
        said: dict[str, Any] = json.loads(answer.content)
        return said


def _samples(series: Loaded, step_ms: int) -> list[tuple[int, float]]:
    return [
        (index * step_ms, value)
        for index, value in enumerate(series.values)
        if isinstance(value, float)
    ]


def _selector(labels: dict[str, str]) -> str:
    if "__name__" in labels:
        return f"{{__name__={json.dumps(labels['__name__'], ensure_ascii=False)}}}"
    pairs = (
        f"{json.dumps(k, ensure_ascii=False)}={json.dumps(v, ensure_ascii=False)}"
        for k, v in labels.items()
    )
    return f"{{{', '.join(pairs)}}}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"


def run(text: str, client: httpx.Client) -> Iterator[Verdict]:
    """Yield the verdict on every case of a script."""
    served = Served(client)
    for command in promqltest.commands(text):
        match command:
            case Clear():
                served.clear()
            case Load():
                served.load(command)
            case Eval():
                yield Verdict(command.line, command.expression, failure(command, served))
    served.clear()


def failure(case: Eval, served: Served) -> str | None:
    """Return what is wrong with the answer to a case, none when it is right."""
    if left_out := served.known.left_out(case):
        return left_out
    said = served.ask(case)
    if said["status"] == "error":
        return _judged_error(case, said["error"])
    if case.fails:
        return "it should fail and does not"
    problem = _compared(case, said["data"]) or _noted(case, said)
    if problem or not promqltest.is_same_in_a_range(case) or said["data"]["resultType"] == "matrix":
        return problem
    at, step = case.start_ms, 60_000
    around = served.ask(case, (at - step, at + step, step))
    if around["status"] == "error":
        return f"as the middle of a range: {around['error']}"
    middle = {
        labels: {at: points[at]}
        for labels, points in _points(around["data"]).items()
        if at in points
    }
    problem = promqltest.difference(promqltest.wanted(case, [at]), middle)
    return f"as the middle of a range: {problem}" if problem else None


def _judged_error(case: Eval, error: str) -> str | None:
    return promqltest.judged_error(case, error.removeprefix('invalid parameter "query": '))


def _noted(case: Eval, said: dict[str, Any]) -> str | None:
    found = {"warn": said.get("warnings", []), "info": said.get("infos", [])}
    return promqltest.noted(case.notes, found)


def _compared(case: Eval, data: dict[str, Any]) -> str | None:
    result = data["result"]
    if data["resultType"] == "string":
        return None if result[1] == case.text else f"string {result[1]!r}"
    if data["resultType"] == "scalar":
        expected, found = case.expected[0].values[0], float(result[1])
        same = isinstance(expected, float) and promqltest.close(expected, found)
        return None if same else f"scalar {found}, expected {expected}"
    found_points = _points(data)
    wanted = promqltest.wanted(case)
    if case.ordered and list(wanted) != list(found_points):
        return f"order {list(found_points)}"
    return promqltest.difference(wanted, found_points)


def _points(data: dict[str, Any]) -> dict[promqltest.Labels, dict[int, float]]:
    return {
        promqltest.Labels(each["metric"]): dict(_pairs(each.get("values") or [each["value"]]))
        for each in data["result"]
    }


def _pairs(values: Sequence[tuple[float, str]]) -> Iterator[tuple[int, float]]:
    for seconds, value in values:
        yield math.floor(seconds * 1000 + 0.5), float(value)
