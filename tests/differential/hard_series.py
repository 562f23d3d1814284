"""Series that are harder to hold and to compute with than those of an orderly target."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from tests.differential.series import BEGIN_MS, SPAN_MS, STALE, Sample, Series

_END_MS = BEGIN_MS + SPAN_MS


def hard_series(rng: random.Random) -> Iterator[Series]:
    """Yield series of every kind below; each has at least a sample."""
    yield from _huge_counters(rng)
    yield from _spoilt_gauges(rng)
    yield from _irregular(rng)
    yield from _churning(rng)
    yield from _dense(rng)
    yield from _incomplete_histograms(rng)
    yield from _odd_labels(rng)


def _scraped(rng: random.Random, step_ms: int = 15_000) -> list[int]:
    """Return times a step apart, of which a few are lost."""
    begin = BEGIN_MS + rng.randrange(step_ms)
    return [t for t in range(begin, _END_MS, step_ms) if rng.random() > 0.02]


def _huge_counters(rng: random.Random) -> Iterator[Series]:
    """Count in amounts beyond a float's whole numbers, or so small that they are lost in it."""
    for number, (begin, most) in enumerate(
        ((2.0**53, 3), (1e15, 1e12), (1e300, 1e299), (0, 1e-300), (1e16, 1), (-1e6, 2e3))
    ):
        value, samples = float(begin), []
        for t in _scraped(rng):
            value = value + rng.random() * most if rng.random() > 0.02 else begin / 2
            samples.append((t, value))
        yield Series({"__name__": "huge_total", "n": str(number)}, samples)


def _spoilt_gauges(rng: random.Random) -> Iterator[Series]:
    """Give ordinary numbers, now and then one that is none."""
    spoils = (math.nan, math.inf, -math.inf, -0.0, STALE)
    for number, share in enumerate((0.002, 0.01, 0.05, 0.3)):
        few = rng.sample(spoils, rng.randint(1, 3))
        samples: list[Sample] = []
        for t in _scraped(rng):
            ordinary = round(rng.gauss(10, 5), 2)
            samples.append((t, rng.choice(few) if rng.random() < share else ordinary))
        yield Series({"__name__": "spoilt", "n": str(number), "job": "api"}, samples)


def _irregular(rng: random.Random) -> Iterator[Series]:
    """Come in bursts a millisecond apart, with minutes of nothing between."""
    for number in range(4):
        t = BEGIN_MS + rng.randrange(60_000)
        samples: list[Sample] = []
        while t < _END_MS and len(samples) < 2000:
            samples.append((t, float(rng.randint(0, 9))))
            t += rng.choice((1, 2, 999, 1000, int(rng.expovariate(1 / 20_000)) + 1, 290_000))
        yield Series({"__name__": "irregular", "n": str(number), "job": "db"}, samples)


def _churning(rng: random.Random) -> Iterator[Series]:
    """Follow one another as pods do, a few of them with a marker at their end."""
    begin, number = BEGIN_MS - 120_000, 0
    while begin < _END_MS:
        end = begin + rng.randrange(60_000, 1_200_000)
        value, samples = 0.0, []
        for t in range(begin, end, 10_000):
            value += rng.randint(0, 4)
            samples.append((t, value))
        if rng.random() < 0.5:
            samples.append((end, STALE))
        labels = {"__name__": "pod_requests_total", "pod": f"p-{number}", "job": "api"}
        yield Series(labels, samples)
        begin, number = end - rng.choice((0, 30_000, -400_000)), number + 1


def _dense(rng: random.Random) -> Iterator[Series]:
    """Come each second or ten times a second for some minutes."""
    for number, step in enumerate((1000, 1000, 100)):
        begin = BEGIN_MS + rng.randrange(SPAN_MS // 2)
        times = range(begin, begin + 1500 * step, step)
        samples = [(t, math.sin(at / 50) * 100 + rng.random()) for at, t in enumerate(times)]
        yield Series({"__name__": "dense", "n": str(number), "instance": "i1"}, samples)


_BOUNDS = (
    ("0.1", "0.5", "1"),
    ("+Inf",),
    ("-5", "-1", "0", "+Inf"),
    ("1e-3", "1e3", "1_000", "+Inf"),
    ("0.5", "1", "1.0", "1e0", "+Inf"),
    ("NaN", "1", "+Inf"),
    ("1", "2", "inf"),
    ("0.1", "0.2", "0.30000000000000004", "0.4", "0.5", "1", "10", "100", "+Inf"),
)


def _incomplete_histograms(rng: random.Random) -> Iterator[Series]:
    """Lack the last bucket or all but it, count NaN, fall a little or much, repeat bounds."""
    for number, bounds in enumerate(_BOUNDS):
        labels = {"__name__": "odd_bucket", "kind": f"h{number}", "job": "api"}
        times, total = _scraped(rng, 30_000), [0.0] * len(bounds)
        columns: list[list[Sample]] = [[] for _ in bounds]
        wrong = rng.choice((0.0, 1e-13, 1e-3, 2.0, math.nan))
        for t in times:
            least = rng.randrange(len(bounds))
            total = [v + (at >= least) * 3 for at, v in enumerate(total)]
            for at, column in enumerate(columns):
                mistaken = rng.random() < 0.1
                column.append((t, total[at] - wrong * total[at] if mistaken else total[at]))
        for bound, column in zip(bounds, columns, strict=True):
            yield Series({**labels, "le": bound}, column)


def _odd_labels(rng: random.Random) -> Iterator[Series]:
    """Have many labels, long ones, empty ones, names that are words of the language or no words."""
    wide = {f"label_{at:02d}": rng.choice("abc") for at in range(40)}
    for instance in ("i1", "i2"):
        yield _walk(rng, {"__name__": "wide", "instance": instance, **wide})
    yield _walk(rng, {"__name__": "long", "path": "/x" * 500, "job": "api"})
    yield _walk(rng, {"__name__": "empty", "job": "api", "code": ""})
    yield _walk(rng, {"__name__": "empty", "job": "", "code": "200"})
    for name in (
        "http.server.duration",
        "with space",
        "日本",
        'quo"ted',
        "back\\slash",
        "😀",
        "0x",
    ):
        yield _walk(rng, {"__name__": name, "service.name": "s", "with space": "v", "job": "api"})
    for name in ("sum", "by", "offset", "bool", "start", "step", "fill", "anchored", "and", "rate"):
        yield _walk(rng, {"__name__": name, "job": "api", "by": "x", "on": "y"})


def _walk(rng: random.Random, labels: dict[str, str]) -> Series:
    value, samples = rng.uniform(0, 100), []
    for t in _scraped(rng, 60_000):
        value += rng.gauss(0, 1)
        samples.append((t, value))
    return Series(labels, samples)
