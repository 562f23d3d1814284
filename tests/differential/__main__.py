"""``python -m tests.differential``: look for a query that qvmon answers otherwise."""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tests.differential.accepted import reason_for
from tests.differential.answers import (
    RELATIVE,
    Difference,
    Order,
    compare,
    identical,
    largest,
    tied,
)
from tests.differential.datasets import dataset, metrics
from tests.differential.dressing import dressed
from tests.differential.findings import Finding, Findings
from tests.differential.grammar import Grammar, broken
from tests.differential.moments import moments, seconds
from tests.differential.series import BEGIN_MS
from tests.differential.servers import Server, Setting, answer, both
from tests.differential.syntax_tree import Kind, Node, fixed, smaller, vector

_ROUND = 2000
"""Queries asked of one data set, before the next is made."""

_SHRINKING = 150
"""How many smaller queries are tried for a failing one."""

_ASKED_AGAIN = 4
"""How often a choice among equals is looked for: Prometheus' changes from one time to the next."""

RESULTS = frozenset({"type", "series", "times", "value", "order"})
"""Differences of results, as against those of errors and notes."""

_CHOOSING = re.compile("topk|bottomk|limitk", re.IGNORECASE)
_VARIANCE = re.compile(r"(stddev|stdvar)\b(?!_over)")
_SORTING = re.compile("sort[a-z_]*")
_SUBQUERY = re.compile(r"\[[^\]]*:[^\]]*\]")
_LONGEST_WINDOW = 3600.0


def _is_one_call(query: str) -> bool:
    """Return whether the first parenthesis closes at the end of the query."""
    depth = 0
    for at, letter in enumerate(query):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            return at == len(query) - 1
    return False


@dataclass(frozen=True, slots=True)
class Question:
    """A query and when it is asked.

    Attributes:
        query: The query.
        parameters: What else goes with it: ``time``, or ``start``, ``end`` and ``step``, first.
        by_get: Whether it stands in the address, not in a form.
        plain: The query before it was dressed.
    """

    query: Node
    parameters: tuple[tuple[str, str], ...]
    by_get: bool = False
    plain: Node | None = None

    @property
    def path(self) -> str:
        return "/api/v1/query" if self.parameters[0][0] == "time" else "/api/v1/query_range"

    @property
    def form(self) -> dict[str, str]:
        return {"query": str(self.query), **dict(self.parameters)}

    @property
    def tree(self) -> Node:
        """The query with its parts."""
        return self.plain or self.query

    def of(self, part: Node) -> Question:
        """Return the question of a part; of one in a subquery, over its windows too."""
        if not _SUBQUERY.search(str(self.query)):
            return replace(self, query=part, plain=None)
        times = [seconds(v) for n, v in self.parameters if n in {"time", "start", "end"}]
        begin, end = times[0] - _LONGEST_WINDOW, times[-1] + _LONGEST_WINDOW
        step = max(0.25, (end - begin) / 2000)
        return Question(part, (("start", str(begin)), ("end", str(end)), ("step", f"{step:.3f}")))

    @property
    def order(self) -> Order:
        sort = _SORTING.match(str(self.query))
        if self.path != "/api/v1/query" or sort is None or not _is_one_call(str(self.query)):
            return Order.NOTHING
        return Order.LABELS if sort[0].startswith("sort_by_label") else Order.VALUES


@dataclass(frozen=True, slots=True)
class Pair:
    """The two that are asked."""

    peer: Server
    ours: Server

    def difference(self, question: Question) -> Difference | None:
        """Ask both; return what their answers do not share, but for what is accepted."""
        found = compare(*self._answers(question), question.order)
        if found is None or reason_for(str(question.query), found):
            return None
        return None if self._is_excused(question, found) else found

    def _answers(self, question: Question) -> tuple[dict[str, Any], dict[str, Any]]:
        path, form = question.path, question.form
        how = "GET" if question.by_get else "POST"
        return answer(self.peer, path, form, how), answer(self.ours, path, form, how)

    def _is_excused(self, question: Question, found: Difference) -> bool:
        """Return whether a part of the query differs in an accepted way, or in its last digits.

        What comes first among equals changes in Prometheus from one time to the next: asked
        again, the two may agree.
        """
        chooses = _CHOOSING.search(str(question.query))
        for _ in range(_ASKED_AGAIN if chooses else 1):
            if chooses and compare(*self._answers(question), question.order) is None:
                return True
            if any(
                self._excuses(question, part) for part in (question.tree, *question.tree.below())
            ):
                return True
        return False

    def _excuses(self, question: Question, part: Node) -> bool:
        if part.kind not in {Kind.VECTOR, Kind.SCALAR}:
            return False
        answers = self._answers(question.of(part))
        differ = compare(*answers)
        if differ is None:
            return part is not question.tree and not identical(*answers)
        if reason_for(str(part), differ):
            return True
        if self._cancelled(question, part, differ):
            return True
        operator = _CHOOSING.match(str(part))
        return bool(operator and differ.sort in RESULTS and tied(operator[0].lower(), *answers))

    def _cancelled(self, question: Question, part: Node, differ: Difference) -> bool:
        """Return whether a variance differs by no more than its numbers' size explains."""
        variance = _VARIANCE.match(str(part))
        operands = [each for each in part.parts if isinstance(each, Node)]
        if variance is None or differ.sort != "value" or not operands:
            return False
        operand = next((each for each in operands if each.kind is Kind.VECTOR), operands[0])
        size = largest(self._answers(question.of(vector("max(abs(", operand, "))")))[0])
        left, right = map(float, differ.values)
        return abs(left - right) <= RELATIVE * size ** (1 if variance[1] == "stddev" else 2)

    def shrunk(self, question: Question, found: Difference) -> tuple[Question, Difference]:
        """Return the smallest question found that differs in the same way."""
        left = _SHRINKING
        while left > 0:
            for tree in smaller(question.query):
                left -= 1
                tried = replace(question, query=tree, plain=None)
                other = self.difference(tried)
                if other and (other.sort == found.sort or {other.sort, found.sort} <= RESULTS):
                    question, found = tried, other
                    break
                if left <= 0:
                    break
            else:
                break
        return question, found


def _questions(seed: int, count: int) -> Iterator[Question]:
    rng = random.Random(seed)
    grammar = Grammar(rng, metrics(dataset(seed)))
    for _ in range(count):
        query, plain = grammar.query(), None
        if rng.random() < 0.04:
            query = fixed(broken(rng, str(query)))
        elif rng.random() < 0.05:
            query, plain = fixed(dressed(rng, str(query))), query
        yield Question(query, moments(rng), by_get=rng.random() < 0.1, plain=plain)


def _search(seed: int, count: int, findings: Findings) -> None:
    """Ask ``count`` queries of one data set; start both again when a query has ended one."""
    questions = list(_questions(seed, count))
    while questions:
        questions = _asked(seed, questions, findings)


def _asked(seed: int, questions: list[Question], findings: Findings) -> list[Question]:
    """Ask until all are asked or one of the two is gone; return those not asked."""
    setting = Setting.of(seed)
    with (
        tempfile.TemporaryDirectory(prefix="qvmon-differential-") as folder,
        both(Path(folder), setting, dataset(seed)) as servers,
    ):
        pair = Pair(*servers)
        for number, question in enumerate(questions, 1):
            found = pair.difference(question)
            findings.asked += 1
            if found is None:
                continue
            gone = not all(server.lives() for server in servers)
            small, cause = (question, found) if gone else pair.shrunk(question, found)
            findings.add(Finding(seed, str(question.query), str(small.query), small.form, cause))
            if gone:
                return questions[number:]
    return []


def _once(seed: int, query: str, at: str) -> None:
    """Ask both one query and print their answers."""
    names = ("start", "end", "step") if "," in at else ("time",)
    question = Question(fixed(query), tuple(zip(names, at.split(","), strict=True)))
    setting = Setting.of(seed)
    with (
        tempfile.TemporaryDirectory(prefix="qvmon-differential-") as folder,
        both(Path(folder), setting, dataset(seed)) as pair,
    ):
        for server in pair:
            print(server.name, answer(server, question.path, question.form))


def _hold(seed: int) -> None:
    """Keep both running, for asking by hand."""
    setting = Setting.of(seed)
    with (
        tempfile.TemporaryDirectory(prefix="qvmon-differential-") as folder,
        both(Path(folder), setting, dataset(seed)) as pair,
    ):
        for server in pair:
            print(server.name, server.url, flush=True)
        while True:
            time.sleep(60)


def main(
    queries: Annotated[int, typer.Option(help="How many to ask.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Where the data and the queries begin.")] = 1,
    report: Annotated[Path | None, typer.Option(help="Where differences are written.")] = None,
    query: Annotated[str, typer.Option(help="Ask only this, of the data of the seed.")] = "",
    at: Annotated[str, typer.Option(help="TIME, or START,END,STEP.")] = str(
        BEGIN_MS // 1000 + 3600
    ),
    hold: Annotated[bool, typer.Option(help="Only run both with the data of the seed.")] = False,
) -> None:
    """Ask Prometheus 3.16 and qvmon the same; exit with 1 when they differ."""
    if hold:
        return _hold(seed)
    if query:
        return _once(seed, query, at)
    findings = Findings()
    for begun in range(0, queries, _ROUND):
        _search(seed + begun // _ROUND, min(_ROUND, queries - begun), findings)
        print(findings.summary(), flush=True)
        if report:
            report.write_text(findings.markdown())
    if not report:
        print(findings.markdown())
    sys.exit(bool(findings.found))


if __name__ == "__main__":
    typer.run(main)
