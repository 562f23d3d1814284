"""Random series of every shape that has ever made a query engine stumble.

Times begin at a fixed moment, an hour before a year ends, so that a seed says everything.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

from tests.differential.hard_series import hard_series
from tests.differential.series import BEGIN_MS, SPAN_MS, STALE, Metric, Sample, Series

Shape = Callable[[random.Random, list[int]], list[float]]


def _plain(rng: random.Random) -> str:
    return rng.choice(("a", "b", "c", "dd"))


def dataset(seed: int) -> list[Series]:
    """Return the series of ``seed``, sorted by their labels (the order both stores keep)."""
    rng = random.Random(seed)
    made = [*_counters(rng), *_gauges(rng), *_histograms(rng), *_broken_histograms(rng)]
    made += [*_infos(rng), *_odd_names(rng), *_sparse(rng), *hard_series(rng)]
    return sorted((s for s in made if s.samples), key=lambda s: sorted(s.labels.items()))


def metrics(series: list[Series]) -> list[Metric]:
    """Return every metric of ``series`` with the values its labels take."""
    values: dict[str, dict[str, set[str]]] = {}
    for each in series:
        of_name = values.setdefault(each.labels["__name__"], {})
        for name, value in each.labels.items():
            if name != "__name__":
                of_name.setdefault(name, set()).add(value)
    return [
        Metric(
            name,
            {label: tuple(sorted(found)) for label, found in sorted(labels.items())},
            counter=name.endswith(("_total", "_count", "_sum")),
            histogram=name.endswith("_bucket"),
        )
        for name, labels in sorted(values.items())
    ]


def _times(rng: random.Random, step_ms: int) -> list[int]:
    """Return scrape times: even or jittered, with gaps, a late start or an early end."""
    jitter = rng.choice((0, 0, 1, 700))
    begin = BEGIN_MS + rng.choice((0, 0, 0, SPAN_MS // 3, rng.randrange(step_ms)))
    end = BEGIN_MS + rng.choice((SPAN_MS, SPAN_MS, SPAN_MS * 2 // 3))
    gaps = [rng.randrange(begin, end) for _ in range(rng.choice((0, 0, 1, 3)))]
    times = [t + rng.randint(0, jitter) for t in range(begin, end + 1, step_ms)]
    long = rng.choice((120_000, 400_000, 900_000))
    return [t for t in times if not any(gap <= t < gap + long for gap in gaps)]


def _series(rng: random.Random, labels: dict[str, str], shape: Shape, step_ms: int = 0) -> Series:
    times = _times(rng, step_ms or rng.choice((15_000, 15_000, 30_000, 60_000, 67_001)))
    values = shape(rng, times)
    samples = list(zip(times, values, strict=True))
    if rng.random() < 0.2:
        for at in range(rng.randrange(len(samples) + 1), len(samples), rng.randint(5, 60)):
            samples[at] = (samples[at][0], STALE)
    return Series(labels, samples)


def _counting(rng: random.Random, times: list[int]) -> list[float]:
    """Count up by whole or odd amounts, now and then beginning again."""
    value, out = rng.choice((0.0, 0.0, 17.0, 1e9)), []
    most, resets = rng.choice((1, 5, 1000)), rng.choice((0.0, 0.01, 0.1))
    whole = rng.random() < 0.7
    for _ in times:
        value += rng.randint(0, most) if whole else rng.random() * most
        if rng.random() < resets:
            value = rng.choice((0.0, 1.0, value / 2))
        out.append(value)
    return out


def _walking(rng: random.Random, times: list[int]) -> list[float]:
    value, out = rng.uniform(-50, 50), []
    digits = rng.choice((0, 1, 3, 17))
    for _ in times:
        value += rng.gauss(0, 3)
        out.append(round(value, digits))
    return out


def _constant(rng: random.Random, times: list[int]) -> list[float]:
    return [rng.choice((0.0, 1.0, -0.0, 42.0, 0.1))] * len(times)


def _wild(rng: random.Random, times: list[int]) -> list[float]:
    """Give numbers at the edges of what a float64 can be."""
    edges = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, 0.1, 2**53)
    few = rng.sample(edges, 4)
    return [rng.choice(few) for _ in times]


def _small_choice(rng: random.Random, times: list[int]) -> list[float]:
    return [float(rng.randint(-2, 3)) for _ in times]


def _counters(rng: random.Random) -> Iterator[Series]:
    for job in ("api", "db"):
        for instance in ("i1", "i2", "i3"):
            for code in rng.sample(("200", "404", "500"), rng.randint(1, 3)):
                labels = {"job": job, "instance": instance, "code": code}
                yield _series(rng, {"__name__": "requests_total", **labels}, _counting)
    for instance in ("i1", "i2"):
        labels = {"job": "api", "instance": instance}
        yield _series(rng, {"__name__": "errors_total", **labels}, _counting)
        yield _series(rng, {"__name__": "bytes_sum", **labels}, _counting)
        yield _series(rng, {"__name__": "bytes_count", **labels}, _counting)


def _gauges(rng: random.Random) -> Iterator[Series]:
    shapes = (_walking, _constant, _small_choice)
    for job in ("api", "db", "web"):
        for instance in ("i1", "i2", "i3", "i4"):
            if rng.random() < 0.8:
                labels = {"job": job, "instance": instance}
                yield _series(rng, {"__name__": "load", **labels}, rng.choice(shapes))
                yield _series(rng, {"__name__": "up", **labels}, _small_choice, 15_000)
    for number in range(rng.randint(2, 5)):
        labels = {"instance": f"i{number}"}
        yield _series(rng, {"__name__": "wild", **labels}, _wild)
    for value in ("x", "y", 'quo"te', "back\\slash", "new\nline", "é", "10", "9"):
        if rng.random() < 0.6:
            labels = {"path": value, "job": _plain(rng)}
            yield _series(rng, {"__name__": "depth", **labels}, rng.choice(shapes))
    yield _series(rng, {"__name__": "lonely"}, _walking)


_BOUNDS = ("0.1", "0.5", "1", "2.5", "+Inf")


def _histograms(rng: random.Random) -> Iterator[Series]:
    for job in ("api", "db"):
        for instance in rng.sample(("i1", "i2", "i3"), 2):
            labels = {"job": job, "instance": instance}
            times = _times(rng, rng.choice((15_000, 60_000)))
            counts = [0] * len(_BOUNDS)
            columns: list[list[Sample]] = [[] for _ in _BOUNDS]
            for t in times:
                for _ in range(rng.randint(0, 6)):
                    least = rng.randrange(len(_BOUNDS))
                    counts = [c + (at >= least) for at, c in enumerate(counts)]
                for column, count in zip(columns, counts, strict=True):
                    column.append((t, float(count)))
            for bound, column in zip(_BOUNDS, columns, strict=True):
                yield Series({"__name__": "latency_bucket", **labels, "le": bound}, column)
            yield Series({"__name__": "latency_count", **labels}, columns[-1])
            totals = [(t, v * 0.7) for t, v in columns[-1]]
            yield Series({"__name__": "latency_sum", **labels}, totals)


def _broken_histograms(rng: random.Random) -> Iterator[Series]:
    """Give histograms that lack buckets, go down, repeat a bound or have none that is a number."""
    for number in range(6):
        bounds = list(rng.sample(("-1", "0", "0.5", "1", "1.0", "2", "+Inf", "Inf", "x", ""), 4))
        if rng.random() < 0.7 and "+Inf" not in bounds:
            bounds.append("+Inf")
        shape = rng.choice((_small_choice, _counting, _wild, _constant))
        for bound in bounds:
            labels = {"__name__": "broken_bucket", "kind": f"k{number}"}
            if bound:
                labels["le"] = bound
            yield _series(rng, labels, shape, 30_000)


def _infos(rng: random.Random) -> Iterator[Series]:
    for job in ("api", "db"):
        for instance in ("i1", "i2", "i3"):
            if rng.random() < 0.85:
                base = {"job": job, "instance": instance}
                for version in rng.sample(("1.0", "1.1"), rng.choice((1, 1, 2))):
                    yield _ones(rng, {"__name__": "target_info", **base, "version": version})
                yield _ones(rng, {"__name__": "build_info", **base, "os": _plain(rng)})


def _ones(rng: random.Random, labels: dict[str, str]) -> Series:
    return _series(rng, labels, lambda _, times: [1.0] * len(times), 30_000)


def _odd_names(rng: random.Random) -> Iterator[Series]:
    yield _series(rng, {"__name__": "my.dotted.metric", "a.b": "x", "job": "api"}, _walking)
    yield _series(rng, {"__name__": "my.dotted.metric", "a.b": "y", "job": "api"}, _walking)
    yield _series(rng, {"__name__": "température", "où": "ici"}, _walking)
    yield _series(rng, {"__name__": "rule:load:sum", "job": "api"}, _walking)
    yield _series(rng, {"__name__": "on", "by": "x"}, _small_choice)
    yield _series(rng, {"__name__": "inf", "instance": "i1"}, _small_choice)


def _sparse(rng: random.Random) -> Iterator[Series]:
    for number in range(4):
        times = sorted(BEGIN_MS + rng.randrange(SPAN_MS) for _ in range(rng.choice((1, 2, 4, 12))))
        samples = [(t, float(rng.randint(0, 5))) for t in dict.fromkeys(times)]
        yield Series({"__name__": "sparse", "n": str(number)}, samples)
