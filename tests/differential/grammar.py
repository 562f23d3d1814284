"""Random queries over the whole language, most of them valid, each a tree that can shrink."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from tests.differential import vocabulary as words
from tests.differential.series import BEGIN_MS, SPAN_MS, Metric
from tests.differential.syntax_tree import Node, fixed, matrix, optional, scalar, string, vector

_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NOT_BARE = {"inf", "nan", "on"}

Rule = Callable[[int], Node]


class Grammar:
    """Makes queries about some metrics; the same random state makes the same query."""

    def __init__(self, rng: random.Random, metrics: Sequence[Metric]) -> None:
        self._rng = rng
        self._metrics = metrics
        self._counters = [m for m in metrics if m.counter] or list(metrics)
        self._histograms = [m for m in metrics if m.histogram] or list(metrics)

    def query(self) -> Node:
        """Return a query."""
        depth = self._rng.choice((1, 2, 2, 3, 3, 4))
        rules: list[tuple[int, Rule]] = [
            (90, self.vector),
            (4, self.scalar),
            (1, lambda _: self.string()),
            (3, self.matrix),
            (3, self._mistyped),
        ]
        return self._pick(rules)(depth)

    # -- instant vectors -----------------------------------------------------------------

    def vector(self, depth: int) -> Node:
        """Return a piece that yields an instant vector."""
        if depth <= 0:
            return self._selected()
        rules: list[tuple[int, Rule]] = [
            (8, lambda _: self._selected()),
            (22, self._over_time),
            (16, self._aggregated),
            (16, self._binary),
            (8, self._of_vector),
            (4, self._ranked),
            (4, self._quantiles),
            (5, self._histogram),
            (4, self._labelled),
            (3, self._clamped),
            (2, self._info),
            (2, self._sorted),
            (2, self._negated),
            (1, self._dated),
            (1, lambda d: vector("vector(", self.scalar(d - 1), ")")),
            (1, lambda d: vector("(", self.vector(d - 1), ")")),
        ]
        return self._pick(rules)(depth)

    def _mistyped(self, depth: int) -> Node:
        """Return a call whose arguments may be of another kind, too few or too many."""
        rng = self._rng
        rules: list[tuple[int, Rule]] = [
            (6, self.vector),
            (4, self.matrix),
            (4, self.scalar),
            (2, lambda _: self.string()),
        ]
        arguments = [self._pick(rules)(depth - 2) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 5)))]
        parts = [part for argument in arguments for part in (argument, ", ")][:-1]
        return vector(rng.choice(words.CALLABLE), "(", *parts, ")")

    def _selected(self) -> Node:
        metric = self._metric()
        moved = self._moved()
        return vector(self._selector(metric), optional(moved) if moved else "")

    def _metric(self) -> Metric:
        return self._rng.choice(self._metrics)

    def _selector(self, metric: Metric) -> Node:
        """Return a selector of ``metric``, or now and then of several."""
        rng = self._rng
        if rng.random() < 0.05:
            several = rng.choice(
                ("load|up", "requests.*", ".*_info", "l.*", ".+_bucket", "wild|up", ".*", ".+total")
            )
            return vector(f'{{__name__=~"{several}"', *self._matchers(metric, ", "), "}")
        quoted = '"' + metric.name + '"'
        if _PLAIN_NAME.fullmatch(metric.name) and metric.name not in _NOT_BARE:
            if rng.random() < 0.93:
                inside = self._matchers(metric, "")
                return vector(metric.name, "{", *inside, "}") if inside else vector(metric.name)
            if rng.random() < 0.5:
                return vector("{__name__=", quoted, *self._matchers(metric, ","), "}")
        return vector("{", quoted, *self._matchers(metric, ", "), "}")

    def _matchers(self, metric: Metric, before: str) -> list[Node | str]:
        rng = self._rng
        count = rng.choice((0, 0, 0, 1, 1, 2))
        out: list[Node | str] = []
        for _ in range(count):
            name = rng.choice([*metric.labels, *metric.labels, rng.choice(words.LABELS)])
            out.append(optional(before, self._matcher(name, metric.labels.get(name, ("",)))))
            before = ","
        return out

    def _matcher(self, name: str, values: Sequence[str]) -> str:
        rng = self._rng
        spelled = name if _PLAIN_NAME.fullmatch(name) and ":" not in name else f'"{name}"'
        op = rng.choice(("=", "=", "!=", "=~", "!~"))
        value = rng.choice(values) if op in {"=", "!="} else rng.choice(words.PATTERNS)
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{spelled}{op}"{escaped}"'

    def _moved(self) -> str:
        """Return an offset, an ``@``, both or, mostly, nothing."""
        rng = self._rng
        parts = []
        if rng.random() < 0.12:
            parts.append(f" offset {self._offset()}")
        if rng.random() < 0.07:
            parts.append(f" @ {self._at()}")
        rng.shuffle(parts)
        return "".join(parts)

    def _offset(self) -> str:
        rng = self._rng
        if rng.random() < 0.8:
            return rng.choice(words.OFFSETS)
        return rng.choice(words.OFFSET_EXPRESSIONS)

    def _at(self) -> str:
        if self._rng.random() < 0.3:
            return self._rng.choice(("start()", "end()"))
        if self._rng.random() < 0.1:
            return self._rng.choice(words.MOMENTS)
        return f"{(BEGIN_MS + self._rng.randrange(SPAN_MS)) / 1000:.{self._rng.choice((0, 0, 3))}f}"

    def _of_vector(self, depth: int) -> Node:
        return vector(self._rng.choice(words.OF_VECTOR), "(", self.vector(depth - 1), ")")

    def _over_time(self, depth: int) -> Node:
        rng = self._rng
        name = rng.choice([*words.OF_MATRIX, *words.COUNTING])
        inner = self._range_for(name, depth)
        special = rng.random()
        if special < 0.08:
            return vector("quantile_over_time(", self._quantile(), ", ", inner, ")")
        if special < 0.14:
            return vector("predict_linear(", inner, ", ", self.scalar(depth - 2), ")")
        if special < 0.18:
            factors = rng.choice(("0.5, 0.5", "0.1, 0.9", "1, 0.3", "0, 0.5", "0.9, 0.1"))
            return vector("double_exponential_smoothing(", inner, f", {factors})")
        if name == "integral" and rng.random() < 0.5:
            return vector("integral(", inner, ", ", self.scalar(0), ")")
        return vector(name, "(", inner, ")")

    def _range_for(self, name: str, depth: int) -> Node:
        """Return a range vector that suits the function, counters to rates above all."""
        rng = self._rng
        if name in words.COUNTING and rng.random() < 0.6:
            inner = self._ranged(rng.choice(self._counters))
        else:
            inner = self.matrix(depth)
        able = [m for m, names in words.EXTENDED.items() if name in names]
        if able and rng.random() < 0.3 and ":" not in str(inner).rpartition("[")[2]:
            return matrix(inner, optional(" ", rng.choice(able)))
        return inner

    def _aggregated(self, depth: int) -> Node:
        rng = self._rng
        inner, name = self.vector(depth - 1), rng.choice(words.AGGREGATIONS)
        if rng.random() < 0.06:
            return self._grouped("count_values", ['"', rng.choice(words.COUNTED), '", '], inner)
        if rng.random() < 0.1:
            return self._grouped("quantile", [self._quantile(), ", "], inner)
        return self._grouped(name, [], inner)

    def _grouped(self, name: str, arguments: Sequence[Node | str], inner: Node) -> Node:
        rng = self._rng
        if rng.random() < 0.4:
            return vector(name, "(", *arguments, inner, ")")
        names = ", ".join(rng.sample(words.GROUPING, rng.choice((0, 1, 1, 2, 3))))
        clause = optional(" ", rng.choice(("by", "by", "without")), f" ({names})")
        if rng.random() < 0.5:
            return vector(name, clause, " (", *arguments, inner, ")")
        return vector(name, "(", *arguments, inner, ")", clause)

    def _ranked(self, depth: int) -> Node:
        rng = self._rng
        inner = self.vector(depth - 1)
        if rng.random() < 0.2:
            ratio = rng.choice(("0.5", "-0.5", "0.1", "1", "0", "-0.9", "1.1", "NaN"))
            return self._grouped("limit_ratio", [f"{ratio}, "], inner)
        limit = rng.choice(("1", "2", "3", "5", "0", "-1", "100", "1.9"))
        if rng.random() < 0.1:
            return self._grouped(rng.choice(words.RANKING), [self.scalar(1), ", "], inner)
        return self._grouped(rng.choice(words.RANKING), [f"{limit}, "], inner)

    def _quantiles(self, depth: int) -> Node:
        return self._grouped("quantile", [self._quantile(), ", "], self.vector(depth - 1))

    def _quantile(self) -> Node:
        if self._rng.random() < 0.9:
            return scalar(self._rng.choice(words.QUANTILES))
        return self.scalar(1)

    def _histogram(self, depth: int) -> Node:
        rng = self._rng
        inner = self._buckets(depth)
        shape = rng.random()
        if shape < 0.6:
            return vector("histogram_quantile(", self._quantile(), ", ", inner, ")")
        if shape < 0.8:
            low, high = (
                rng.choice(("0", "-Inf", "0.2", "1")),
                rng.choice(("1", "+Inf", "0.1", "NaN")),
            )
            return vector(f"histogram_fraction({low}, {high}, ", inner, ")")
        wanted = ", ".join(rng.sample(words.QUANTILES, rng.randint(1, 3)))
        return vector("histogram_quantiles(", inner, f', "q", {wanted})')

    def _buckets(self, depth: int) -> Node:
        rng = self._rng
        metric = rng.choice(self._histograms)
        if rng.random() < 0.15:
            return self.vector(depth - 1)
        inner = self._selected_of(metric)
        if rng.random() < 0.6:
            inner = vector(rng.choice(("rate", "increase")), "(", self._ranged(metric), ")")
        if rng.random() < 0.4:
            by = rng.choice(("le", "le, job", "job", "le, kind"))
            inner = vector("sum by (", by, ") (", inner, ")")
        return inner

    def _selected_of(self, metric: Metric) -> Node:
        return vector(self._selector(metric))

    def _labelled(self, depth: int) -> Node:
        rng = self._rng
        inner = self.vector(depth - 1)
        if rng.random() < 0.5:
            target = rng.choice((*words.LABELS, "new", "__name__", "with.dot", ""))
            value = rng.choice(("$1", "x-$1", "", "${1}_$2", "$0", "fixed", "$named"))
            source = rng.choice((*words.LABELS, "__name__", "missing"))
            pattern = rng.choice(("(.*)", "(a)(.*)", "", "i(.)", "(?P<named>.+)", "x", "(.+)_(.+)"))
            return vector(
                "label_replace(", inner, f', "{target}", "{value}", "{source}", "{pattern}")'
            )
        names = rng.sample((*words.LABELS, "__name__"), rng.randint(0, 3))
        sources = "".join(f', "{name}"' for name in names)
        target = rng.choice(("new", "job", "__name__", "instance"))
        return vector("label_join(", inner, f', "{target}", "{rng.choice("-,_")}"{sources})')

    def _clamped(self, depth: int) -> Node:
        rng = self._rng
        inner, name = (
            self.vector(depth - 1),
            rng.choice(("clamp", "clamp_min", "clamp_max", "round")),
        )
        bounds = [self.scalar(depth - 2) for _ in range(2 if name == "clamp" else 1)]
        if name == "round" and rng.random() < 0.5:
            bounds = []
        return vector(name, "(", inner, *(part for b in bounds for part in (", ", b)), ")")

    def _info(self, depth: int) -> Node:
        selector = self._rng.choice(words.INFO_SELECTORS)
        return vector("info(", self.vector(depth - 1), optional(selector), ")")

    def _sorted(self, depth: int) -> Node:
        rng = self._rng
        inner = self.vector(depth - 1)
        if rng.random() < 0.4:
            return vector(rng.choice(("sort", "sort_desc")), "(", inner, ")")
        labels = "".join(f', "{n}"' for n in rng.sample(words.LABELS, rng.randint(1, 2)))
        return vector(rng.choice(("sort_by_label", "sort_by_label_desc")), "(", inner, labels, ")")

    def _negated(self, depth: int) -> Node:
        return vector(self._rng.choice("--+"), self.vector(depth - 1))

    def _dated(self, depth: int) -> Node:
        name = self._rng.choice(words.DATES)
        if self._rng.random() < 0.5:
            return vector(name, "()")
        return vector(name, "(", self.vector(depth - 1), ")")

    # -- binary operators ----------------------------------------------------------------

    def _binary(self, depth: int) -> Node:
        rng = self._rng
        shape = rng.random()
        if shape < 0.35:
            number, other = self.scalar(depth - 2), self.vector(depth - 1)
            sides = [number, other] if rng.random() < 0.4 else [other, number]
            return self._joined(sides[0], self._scalar_operator(), sides[1])
        left, right = self._pair(depth)
        if shape < 0.55:
            clause = self._matching(grouping=False, fill=False)
            return self._joined(left, fixed(rng.choice(words.SETS), clause), right)
        clause = self._matching(grouping=True, fill=True)
        return self._joined(left, fixed(self._operator(), clause), right)

    def _pair(self, depth: int) -> tuple[Node, Node]:
        """Return two sides that often have the same labels, so that something matches."""
        if self._rng.random() < 0.5:
            names = self._rng.sample(("load", "up", "requests_total", "errors_total"), 2)
            chosen = [m for name in names for m in self._metrics if m.name == name]
            if len(chosen) == 2:
                return self._selected_of(chosen[0]), self._selected_of(chosen[1])
        return self.vector(depth - 1), self.vector(depth - 1)

    def _joined(self, left: Node, operator: Node, right: Node) -> Node:
        if self._rng.random() < 0.6:
            return vector("(", left, " ", operator, " ", right, ")")
        return vector(left, " ", operator, " ", right)

    def _scalar_operator(self) -> Node:
        rng = self._rng
        if rng.random() < 0.07:
            return fixed(rng.choice(words.TRIMMING))
        return fixed(self._operator())

    def _operator(self) -> Node:
        rng = self._rng
        if rng.random() < 0.6:
            return fixed(rng.choice(words.ARITHMETIC))
        comparing = rng.choice(words.COMPARING)
        return fixed(comparing, optional(" bool")) if rng.random() < 0.4 else fixed(comparing)

    def _matching(self, *, grouping: bool, fill: bool) -> Node:
        rng = self._rng
        parts = ""
        if rng.random() < 0.6:
            likely = (*words.LABELS[:5], *words.LABELS[:5], *words.GROUPING)
            names = ", ".join(rng.sample(likely, rng.choice((0, 1, 1, 2))))
            parts = f" {rng.choice(('on', 'on', 'ignoring'))} ({names})"
            if grouping and rng.random() < 0.5:
                extra = ", ".join(rng.sample(words.GROUPING, rng.choice((0, 0, 1, 2))))
                side = rng.choice(("group_left", "group_right"))
                parts += f" {side}" + (f" ({extra})" if extra or rng.random() < 0.3 else "")
        if fill and rng.random() < 0.15:
            parts += rng.choice(words.FILLS)
        return optional(parts)

    # -- range vectors -------------------------------------------------------------------

    def matrix(self, depth: int) -> Node:
        """Return a piece that yields a range vector."""
        if depth > 1 and self._rng.random() < 0.25:
            return self._subquery(depth)
        return self._ranged(self._metric())

    def _ranged(self, metric: Metric) -> Node:
        moved = self._moved()
        tail = optional(moved) if moved else ""
        return matrix(self._selector(metric), "[", self._duration(), "]", tail)

    def _duration(self) -> str:
        rng = self._rng
        if rng.random() < 0.92:
            return rng.choice(words.RANGES)
        return rng.choice(words.RANGE_EXPRESSIONS)

    def _subquery(self, depth: int) -> Node:
        rng = self._rng
        inner = self.vector(depth - 1)
        if rng.random() < 0.7:
            inner = vector("(", inner, ")")
        span = rng.choice(("5m", "10m", "3m", "30m", "1m", "7m30s"))
        moved = self._moved()
        tail = optional(moved) if moved else ""
        return matrix(inner, f"[{span}:{rng.choice(words.STEPS)}]", tail)

    # -- scalars and strings -------------------------------------------------------------

    def scalar(self, depth: int) -> Node:
        """Return a piece that yields a scalar."""
        if depth <= 0 or self._rng.random() < 0.5:
            return scalar(self._rng.choice(words.NUMBERS))
        rules: list[tuple[int, Rule]] = [
            (3, lambda _: scalar("time()")),
            (1, lambda _: scalar("pi()")),
            (2, lambda _: scalar(self._rng.choice(("start()", "end()", "step()", "range()")))),
            (4, lambda d: scalar("scalar(", self.vector(d - 1), ")")),
            (3, self._computed),
            (1, lambda d: scalar("-", self.scalar(d - 1))),
            (1, lambda d: scalar("(", self.scalar(d - 1), ")")),
            (1, lambda d: scalar("max_of(", self.scalar(d - 1), ", ", self.scalar(d - 1), ")")),
            (1, lambda d: scalar("min_of(", self.scalar(d - 1), ", ", self.scalar(d - 1), ")")),
        ]
        return self._pick(rules)(depth)

    def _computed(self, depth: int) -> Node:
        rng = self._rng
        operator = rng.choice((*words.ARITHMETIC, *(f"{c} bool" for c in words.COMPARING)))
        return scalar("(", self.scalar(depth - 1), f" {operator} ", self.scalar(depth - 1), ")")

    def string(self) -> Node:
        """Return a string."""
        return string(self._rng.choice(words.TEXTS))

    def _pick(self, rules: Sequence[tuple[int, Rule]]) -> Rule:
        weights = [weight for weight, _ in rules]
        return self._rng.choices([rule for _, rule in rules], weights)[0]


_TOKEN = re.compile(r'"[^"]*"|[a-zA-Z_:][\w:.]*|\d[\w.]*|\s+|.', re.DOTALL)
_INTRUDERS = (
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "by",
    "5m",
    "1",
    '"x"',
    "offset",
    "@",
    "==",
    "bool",
)


def broken(rng: random.Random, query: str) -> str:
    """Return ``query`` with a word lost, doubled, swapped or put in: mostly no query any more."""
    tokens = _TOKEN.findall(query)
    at = rng.randrange(len(tokens))
    how = rng.randrange(4)
    if how == 0:
        del tokens[at]
    elif how == 1:
        tokens.insert(at, rng.choice(_INTRUDERS))
    elif how == 2:
        tokens[at] = rng.choice(_INTRUDERS)
    else:
        other = rng.randrange(len(tokens))
        tokens[at], tokens[other] = tokens[other], tokens[at]
    return "".join(tokens)
