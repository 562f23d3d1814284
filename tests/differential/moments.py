"""When queries are asked, and with which other parameters."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from tests.differential.series import BEGIN_MS, SPAN_MS

Parameters = tuple[tuple[str, str], ...]

_STEPS = ("15", "30", "60", "60", "300", "7", "0.5", "61.7", "600", "1m30s", "1h", "0.001", "3h")
_FAR = (-86_400_000, 7 * 86_400_000, -BEGIN_MS, -BEGIN_MS - 5000, 10**12, -SPAN_MS)
_LOOKBACKS = ("1s", "15s", "1m", "10m", "2h", "30", "0.5", "1ms", "5m")


def moments(rng: random.Random) -> Parameters:
    """Return when to ask: at one time or over a range, on scrape times or between them."""
    if rng.random() < 0.5:
        return (("time", _written(rng, _moment(rng))), *_beside(rng))
    step = rng.choice(_STEPS)
    start = _moment(rng)
    length = {"1m30s": 90.0, "1h": 3600.0, "3h": 10_800.0}.get(step) or float(step)
    end = start + int(1000 * length * rng.randint(0, 40)) + rng.choice((0, 0, 1, 499))
    times = (("start", _written(rng, start)), ("end", _written(rng, end)), ("step", step))
    return (*times, *_beside(rng), *_limited(rng))


def seconds(text: str) -> float:
    """Return the seconds since the epoch of a time as ``moments`` writes it."""
    return datetime.fromisoformat(text).timestamp() if "T" in text else float(text)


def _moment(rng: random.Random) -> int:
    """Return a time, mostly within the data; now and then days, or half a century, off."""
    if rng.random() < 0.03:
        return BEGIN_MS + rng.choice(_FAR)
    t = BEGIN_MS + rng.randrange(-300_000, SPAN_MS + 600_000)
    return t if rng.random() < 0.3 else t - t % 15_000


def _written(rng: random.Random, time_ms: int) -> str:
    if rng.random() < 0.05 and 0 <= time_ms < 2 * BEGIN_MS:
        return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return f"{time_ms / 1000:.3f}"


def _beside(rng: random.Random) -> Parameters:
    return (("lookback_delta", rng.choice(_LOOKBACKS)),) if rng.random() < 0.06 else ()


def _limited(rng: random.Random) -> Parameters:
    """Return how many series are wanted: of a range only, as a vector's are in no order."""
    return (("limit", str(rng.randint(1, 5))),) if rng.random() < 0.03 else ()
