"""Prometheus' promqltest scripts: ``load``, ``clear`` and ``eval`` commands, read and run.

The language is described in Prometheus' ``promql/promqltest/README.md``. Native histograms are
read as such and left out: cases that touch them are reported as ``native``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from qvmon.model.errors import QvmonError
from qvmon.model.labels import METRIC_NAME, Labels, Matcher
from qvmon.model.series import STALE, LabelFrame, Selection, SeriesColumns
from qvmon.promql import Grid, Matrix, Result, Scalar, Text, Vector, evaluate, parse_duration, plan
from qvmon.promql.lexer import Lexer
from qvmon.promql.quoting import unquote

NATIVE = "native"
STARTS = "start timestamps"  # cannot be sent to a server
OMITTED = None
Value = float | str | None  # a float, NATIVE or OMITTED


@dataclass
class Loaded:
    """One series of a ``load``; its first value stands at time 0."""

    labels: Labels
    values: list[Value]
    starts: list[int | None] = field(default_factory=list)
    """Start timestamps, in milliseconds from each sample's own time."""


@dataclass
class Load:
    """Add series to the test storage."""

    step_ms: int
    series: list[Loaded] = field(default_factory=list)
    as_native: bool = False


@dataclass
class Clear:
    """Empty the test storage."""


@dataclass
class Eval:
    """Run a query and compare."""

    line: int
    expression: str
    start_ms: int
    end_ms: int
    step_ms: int
    instant: bool
    fails: bool = False
    ordered: bool = False
    message: str | None = None
    message_pattern: str | None = None
    text: str | None = None
    range: tuple[int, int, int] | None = None
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    expected: list[Loaded] = field(default_factory=list)


_INSTANT = re.compile(r"eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(\S+)\s+)?(.+)")
_RANGE = re.compile(
    r"eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)"
)
_EXPECT = re.compile(r"expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.*))?")
_EXPECT_RANGE = re.compile(r"expect range vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)")
_ITEM = re.compile(
    r"(?P<native>\{\{.*?\}\})(?:[+-]\{\{.*?\}\})?(?:x\d+)?"
    r"|_(?:x(?P<omitted>\d+))?"
    r"|(?P<value>stale|[+-]?(?:inf|nan|[0-9.][0-9.eE]*(?:(?<=[eE])[+-]\d+)?))"
    r"(?:(?P<by>[+-](?:inf|nan|[0-9.][0-9.eE]*(?:(?<=[eE])[+-]\d+)?))?x(?P<times>\d+))?",
    re.IGNORECASE,
)


def commands(text: str) -> Iterator[Load | Clear | Eval]:
    """Yield the commands of a script."""
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    lines = ["" if line.startswith("#") else line for line in lines]
    raw = text.splitlines()
    at = 0
    while at < len(lines):
        head = lines[at]
        at += 1
        if not head:
            continue
        body_start = at
        while at < len(lines) and lines[at] and not head.startswith("clear"):
            at += 1
        body = [raw[i].strip() for i in range(body_start, at)]
        if head == "clear":
            yield Clear()
        elif head.startswith("load"):
            loaded = list(_loaded(body))
            yield Load(parse_duration(head.split()[1]), loaded, head.startswith("load_with_nhcb"))
        else:
            yield _eval(raw[body_start - 1].strip(), body, body_start)


_START_LINE = re.compile(r"(?P<series>\S+)@st\s(?P<starts>.*)")
_START = re.compile(
    r"_(?:x(?P<omitted>\d+))?"
    r"|(?P<first>[+-]?\d+[a-wyz]*)(?:(?P<by>[+-]\d+[a-wyz]*))?(?:x(?P<times>\d+))?"
)


def _loaded(body: list[str]) -> Iterator[Loaded]:
    """Yield the series of a ``load``, each with the start timestamps of an ``@st`` line before."""
    pending: list[int | None] = []
    for line in body:
        if line.startswith("@"):
            continue
        if match := _START_LINE.fullmatch(line):
            pending = _starts(match["starts"])
            continue
        each = series(line)
        each.starts, pending = pending, []
        yield each


def _starts(text: str) -> list[int | None]:
    out: list[int | None] = []
    for match in _START.finditer(text):
        if match["first"] is None:
            out += [None] * int(match["omitted"] or 1)
            continue
        first = _milliseconds(match["first"].removeprefix("+"))
        by = _milliseconds(match["by"].removeprefix("+")) if match["by"] else 0
        out += [first + by * i for i in range(int(match["times"] or 0) + 1)]
    return out


def _milliseconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("-")
    return sign * (round(float(text) * 1000) if _is_number(text) else parse_duration(text))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9.]+", text) is not None


def _eval(head: str, body: list[str], line: int) -> Eval:
    if match := _RANGE.match(head):
        kind, start, end, step, expression = match.groups()
        out = Eval(
            line, expression, _milliseconds(start), _milliseconds(end), _milliseconds(step), False
        )
    else:
        match = _INSTANT.match(head)
        assert match, f"line {line}: {head}"
        kind, time, expression = match.groups()
        at = _milliseconds(time or "0")
        out = Eval(line, expression, at, at, 0, True)
    out.fails, out.ordered = kind == "fail", kind == "ordered"
    if kind in ("warn", "info"):
        out.notes.append((kind, "", ""))
    for each in body:
        _expectation(out, each)
    return out


def _expectation(out: Eval, line: str) -> None:
    if match := _EXPECT_RANGE.match(line):
        start, end, step = map(_milliseconds, match.groups())
        out.range = (start, end, step)
    elif line.startswith("expect string"):
        out.text = unquote(line.removeprefix("expect string").strip())
    elif match := _EXPECT.match(line):
        _expect(out, *match.groups())
    elif match := re.match(r"expected_fail_(message|regexp)\s+(.+)", line):
        if match[1] == "message":
            out.message = match[2]
        else:
            out.message_pattern = match[2]
    elif not line.startswith("@"):
        out.expected.append(series(line))


def _expect(out: Eval, kind: str, how: str | None, what: str | None) -> None:
    if kind not in ("ordered", "fail"):
        out.notes.append((kind, how or "", (what or "").strip()))
    if kind == "ordered":
        out.ordered = True
    if kind == "fail":
        out.fails = True
        what = (what or "").strip()
        what = unquote(what) if what[:1] in ('"', "`") and what[-1:] == what[:1] else what
        if how == "msg":
            out.message = what
        elif how == "regex":
            out.message_pattern = what


def series(line: str) -> Loaded:
    """Return a series and its values, such as ``up{job="a"} 0+1x3 _ stale``."""
    tokens = Lexer(line).tokens()
    metric_end = 0
    if tokens[0].kind == "{":
        metric_end = _brace_end(line, 0)
    elif tokens[0].is_word:
        metric_end = tokens[0].span.end
        if line[metric_end:].lstrip()[:1] == "{" and not line[metric_end:].lstrip().startswith(
            "{{"
        ):
            metric_end = _brace_end(line, metric_end)
    return Loaded(_labels(line[:metric_end]), values(line[metric_end:]))


def _brace_end(line: str, at: int) -> int:
    quoted = ""
    for i in range(at, len(line)):
        char = line[i]
        if quoted:
            if char == quoted and line[i - 1] != "\\":
                quoted = ""
        elif char in "\"'`":
            quoted = char
        elif char == "}":
            return i + 1
    raise AssertionError(line)


_LABEL = re.compile(
    r"""\s*(?P<name>[^\W\d][\w.]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*"""
    r"""(?:=\s*(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))?\s*,?"""
)


def _labels(text: str) -> Labels:
    name, _, rest = text.strip().partition("{")
    pairs = {METRIC_NAME: name.strip()} if name.strip() else {}
    for match in _LABEL.finditer(rest.removesuffix("}")):
        key = match["name"]
        key = unquote(key) if key[0] in "\"'`" else key
        if match["value"] is None:
            pairs[METRIC_NAME] = key
        else:
            pairs[key] = unquote(match["value"])
    return Labels(pairs)


def values(text: str) -> list[Value]:
    """Return the points that ``1 2+3x2 _ stale`` stands for."""
    out: list[Value] = []
    for match in _ITEM.finditer(text):
        if match["native"]:
            times = re.search(r"x(\d+)$", match.group())
            out += [NATIVE] * (int(times[1]) + 1 if times else 1)
        elif match["value"] is None:
            out += [OMITTED] * int(match["omitted"] or 1)
        elif match["value"] == "stale":
            out += [float(STALE)] * (int(match["times"] or 0) + 1)
        else:
            out += _progression(float(match["value"]), match["by"], match["times"])
    return out


def _progression(first: float, by: str | None, times: str | None) -> list[Value]:
    out: list[Value] = [first]
    for _ in range(int(times or 0)):
        first += float(by) if by else 0.0
        out.append(first)
    return out


class Storage:
    """The series a script has loaded so far."""

    def __init__(self) -> None:
        self._samples: dict[Labels, dict[int, float]] = {}
        self._starts: dict[Labels, dict[int, int]] = {}
        self.native: set[Labels] = set()

    def load(self, command: Load) -> None:
        """Add the series of a ``load``."""
        for each in command.series:
            if command.as_native and "le" in each.labels:
                name = each.labels[METRIC_NAME].removesuffix("_bucket")
                self.native.add(each.labels.without("le").merged({METRIC_NAME: name}))
            for index, value in enumerate(each.values):
                if value == NATIVE and isinstance(value, str):
                    self.native.add(each.labels)
                elif isinstance(value, float):
                    samples = self._samples.setdefault(each.labels, {})
                    samples[index * command.step_ms] = value
            self._add_starts(each, command.step_ms)

    def _add_starts(self, loaded: Loaded, step_ms: int) -> None:
        starts = self._starts.setdefault(loaded.labels, {})
        for index, start in enumerate(loaded.starts):
            if start is not None:
                starts[index * step_ms] = index * step_ms + start

    def select(self, selection: Selection) -> SeriesColumns:
        """Return the samples of a selection."""
        chosen, times, values, starts = [], [], [], []
        for labels, samples in self._samples.items():
            at = [t for t in sorted(samples) if selection.start_ms <= t <= selection.end_ms]
            if at and matches(labels, selection.matchers):
                chosen.append(labels)
                times.append(np.array(at, np.int64))
                values.append(_bits([samples[t] for t in at]))
                known = self._starts.get(labels, {})
                starts += [known.get(t, 0) for t in at]
        offsets = np.concatenate(([0], np.cumsum([len(t) for t in times]))).astype(np.int64)
        return SeriesColumns(
            LabelFrame.from_labels(chosen),
            offsets,
            np.concatenate([np.zeros(0, np.int64), *times]),
            np.concatenate([np.zeros(0), *values]),
            np.array(starts, np.int64),
        )

    def touches_native(self, selections: Sequence[Selection]) -> bool:
        """Return whether a native histogram could be among the selected series."""
        return _touch(self.native, selections)

    def left_out(self, case: Eval) -> str | None:
        """Return why a case cannot be put to a server, if it cannot."""
        if any(isinstance(v, str) for each in case.expected for v in each.values):
            return NATIVE
        try:
            selections = plan(case.expression).selections(grid_of(case))
        except QvmonError:
            return None
        if self.touches_native(selections):
            return NATIVE
        started = [labels for labels, starts in self._starts.items() if starts]
        return STARTS if _touch(started, selections) else None


def _touch(series: Iterable[Labels], selections: Sequence[Selection]) -> bool:
    return any(matches(labels, each.matchers) for labels in series for each in selections)


def grid_of(case: Eval) -> Grid:
    """Return the steps of a case."""
    return Grid(case.start_ms, case.end_ms, case.step_ms)


def _bits(values: list[float]) -> np.ndarray:
    out = np.array(values)
    out[[math.isnan(v) and math.copysign(1, v) > 0 and _is_stale(v) for v in values]] = STALE
    return out


def _is_stale(value: float) -> bool:
    return np.float64(value).view(np.uint64) == STALE.view(np.uint64)


def matches(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    """Return whether every matcher holds."""
    return all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)


def failure(case: Eval, storage: Storage) -> str | None:
    """Return what is wrong with the answer to a case, NATIVE when it is left out, else none."""
    if any(isinstance(v, str) for each in case.expected for v in each.values):
        return NATIVE
    try:
        planned = plan(case.expression)
        grid = grid_of(case)
        if storage.touches_native(planned.selections(grid)):
            return NATIVE
        result = _run(case.expression, grid, storage, as_matrix=not case.instant)
    except QvmonError as error:
        return _judged_error(case, error)
    if case.fails:
        return "it should fail and does not"
    problem = _compared(case, result) or _noted(case, result)
    if problem or isinstance(result, SeriesColumns | Text) or not is_same_in_a_range(case):
        return problem
    around = Grid(case.start_ms - 60_000, case.start_ms + 60_000, 60_000)
    middle = _run(case.expression, around, storage, as_matrix=True)
    assert isinstance(middle, Matrix | Scalar)
    problem = _compared(case, _column(middle, 1))
    return f"as the middle of a range: {problem}" if problem else None


def is_same_in_a_range(case: Eval) -> bool:
    """Return whether an instant query has the same result as a step of a range query."""
    varying = any(f"{word}()" in case.expression for word in ("start", "end", "range", "step"))
    return case.instant and not case.ordered and not varying and case.text is None


def _noted(case: Eval, result: Result) -> str | None:
    if isinstance(result, Text):
        return None
    return noted(case.notes, {"warn": result.notes.warnings, "info": result.notes.infos})


def noted(
    expectations: Sequence[tuple[str, str, str]], found: Mapping[str, Sequence[str]]
) -> str | None:
    """Return which expectation about warnings and infos is not met."""
    for kind, how, what in expectations:
        texts = found[kind.removeprefix("no_")]
        if kind.startswith("no_"):
            met = not texts
        elif how == "msg":
            met = what in texts
        else:
            met = any(re.search(what, text) for text in texts)
        if not met:
            return f"{kind} {what}: {found}"
    return None


def _column(result: Matrix | Scalar, at: int) -> Vector | Scalar:
    if isinstance(result, Scalar):
        return Scalar(result.times[at : at + 1], result.values[at : at + 1])
    there = result.present[:, at]
    return Vector(result.labels.take(there), result.values[there, at], int(result.times[at]))


def _run(text: str, grid: Grid, storage: Storage, *, as_matrix: bool) -> Result:
    planned = plan(text)
    columns = [storage.select(each) for each in planned.selections(grid)]
    return evaluate(planned, columns, grid, as_matrix=as_matrix, drop_names_late=True)


def _judged_error(case: Eval, error: QvmonError) -> str | None:
    return judged_error(case, error.message)


def judged_error(case: Eval, error: str) -> str | None:
    """Return what is wrong with an error as the answer to a case."""
    if not case.fails:
        return f"error: {error}"
    if case.message not in (None, error):
        return f"wrong error: {error}"
    if case.message_pattern and not re.search(case.message_pattern, error):
        return f"wrong error: {error}"
    return None


def wanted(case: Eval, times: Sequence[int] | None = None) -> dict[Labels, dict[int, Value]]:
    """Return the points a case expects, at the times of its steps where no others are given."""
    if case.range is not None:
        start, end, step = case.range
        times = range(start, end + 1, step)
    elif times is None:
        times = grid_of(case).times().tolist()
    points = {
        each.labels: {t: v for t, v in zip(times, each.values, strict=False) if v is not None}
        for each in case.expected
    }
    return {labels: each for labels, each in points.items() if each}


def _compared(case: Eval, result: Result) -> str | None:
    if isinstance(result, Text):
        return None if result.value == case.text else f"string {result.value!r}"
    if isinstance(result, Scalar) and case.instant:
        expected = case.expected[0].values[0]
        same = isinstance(expected, float) and close(expected, float(result.values[0]))
        return None if same else f"scalar {result.values[0]}, expected {expected}"
    expected, found_points = wanted(case), dict(_points(result))
    if case.ordered and list(expected) != list(found_points):
        return f"order {list(found_points)}"
    return difference(expected, found_points)


def _points(result: Result) -> Iterator[tuple[Labels, dict[int, float]]]:
    match result:
        case Vector():
            for row in range(len(result)):
                yield result.labels.labels(row), {result.time_ms: float(result.values[row])}
        case Scalar():
            yield Labels(), dict(zip(result.times.tolist(), result.values.tolist(), strict=True))
        case Matrix():
            for row in range(len(result)):
                there = result.present[row]
                pairs = zip(
                    result.times[there].tolist(), result.values[row, there].tolist(), strict=True
                )
                yield result.labels.labels(row), dict(pairs)
        case SeriesColumns():
            for row in range(len(result)):
                rows = slice(result.offsets[row], result.offsets[row + 1])
                pairs = zip(
                    result.timestamps[rows].tolist(), result.values[rows].tolist(), strict=True
                )
                yield result.labels.labels(row), dict(pairs)


def difference(
    wanted: dict[Labels, dict[int, Value]], found: dict[Labels, dict[int, float]]
) -> str | None:
    """Return what makes the points found others than those wanted."""
    if missing := wanted.keys() - found.keys():
        return f"missing {missing}; found {list(found)[:3]}"
    if extra := found.keys() - wanted.keys():
        return f"unexpected {extra}"
    for labels, points in wanted.items():
        if points.keys() != found[labels].keys():
            return f"{labels}: {found[labels]}, expected {points}"
        for time, value in points.items():
            assert isinstance(value, float)
            if not close(value, found[labels][time]):
                return f"{labels} at {time}: {found[labels][time]}, expected {value}"
    return None


def close(expected: float, actual: float) -> bool:
    """Return whether two values agree to a millionth, as Prometheus' own runner asks."""
    if math.isnan(expected) or math.isnan(actual):
        return math.isnan(expected) and math.isnan(actual)
    if expected == actual:
        return True
    total, difference = abs(expected) + abs(actual), abs(expected - actual)
    if expected == 0 or actual == 0 or total < 2.2250738585072014e-308:
        return difference < 1e-6 * 2.2250738585072014e-308
    return difference / min(total, 1.7976931348623157e308) < 1e-6


@dataclass(frozen=True)
class Verdict:
    """What became of one case of a script."""

    line: int
    expression: str
    problem: str | None


def run(text: str) -> list[Verdict]:
    """Return the verdict on every case of a script."""
    storage, verdicts = Storage(), []
    for command in commands(text):
        match command:
            case Clear():
                storage = Storage()
            case Load():
                storage.load(command)
            case Eval():
                problem = failure(command, storage)
                verdicts.append(Verdict(command.line, command.expression, problem))
    return verdicts
