"""Whatever a target exposes, scrape after scrape, yields what Prometheus' rules say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.labels import Labels
from qvmon.model.series import STALE_BITS, SampleBatch
from qvmon.services.collection.harvest import Harvest, Harvester, stale_batch
from qvmon.services.collection.page import Page
from qvmon.services.collection.sample_labels import LabelPath
from qvmon.services.collection.series_cache import SeriesCache
from tests.unit.services.collection.memory import MemorySink, config, job

DROP_BAD = "metric_relabel_configs: [{source_labels: [__name__], regex: bad, action: drop}]"

Series = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Line:
    """One sample line: its text, and what it means."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: int
    time: int | None

    @property
    def text(self) -> str:
        return self.name + "{" + ",".join(f'{k}="{v}"' for k, v in self.labels) + "}"

    @property
    def written(self) -> str:
        return f"{self.text} {self.value}" + ("" if self.time is None else f" {self.time}") + "\n"

    @property
    def series(self) -> Series:
        stored = {"__name__": self.name, "job": "j", "instance": "a:1", **dict(self.labels)}
        return frozenset(stored.items())


@dataclass
class Model:
    """Prometheus' scrape cache as its rules are told in words: an oracle in plain Python."""

    tracked: set[Series] = field(default_factory=set)
    last_good: set[str] = field(default_factory=set)

    def scrape(self, lines: list[Line], at: int):
        seen: set[str] = set()
        samples, tracked, added = [], set(), 0
        kept = [line for line in lines if line.name != "bad"]
        for line in kept:
            if line.text in seen and line.time is None:
                continue
            added += line.text not in seen and line.text not in self.last_good
            seen.add(line.text)
            samples.append((line.series, at if line.time is None else line.time, line.value))
            if line.time is None:
                tracked.add(line.series)
        stale = self.tracked - tracked
        self.tracked, self.last_good = tracked, seen
        return samples, stale, (len(lines), len(kept), added)

    def fail(self) -> set[Series]:
        stale, self.tracked = self.tracked, set()
        return stale


LINES = st.builds(
    Line,
    name=st.sampled_from(["m", "n", "bad"]),
    labels=st.sampled_from([(), (("a", "1"),), (("a", "1"), ("b", "2")), (("b", "2"), ("a", "1"))]),
    value=st.integers(0, 5),
    time=st.none() | st.none() | st.integers(1, 3),
)
ROUNDS = st.lists(st.none() | st.lists(LINES, max_size=12), min_size=1, max_size=12)


def told(sink: MemorySink, batch: SampleBatch):
    """Split a batch into samples and the series marked stale."""
    samples, stale = [], set()
    for row in range(len(batch)):
        series = frozenset(sink.labels[batch.series[row]].items())
        if batch.values.view(np.uint64)[row] == STALE_BITS:
            assert series not in stale
            stale.add(series)
        else:
            samples.append((series, int(batch.timestamps[row]), batch.values[row]))
    return samples, stale


def harvested(harvester: Harvester, sink: MemorySink, lines: list[Line], at: int) -> Harvest:
    """Go the way of ``ScrapeLoop``: a page like the last one is not parsed again."""
    page = Page("".join(line.written for line in lines).encode(), "text/plain")
    known = harvester.repeat(page, at)
    if known is not None:
        return known
    reading = harvester.read(page)
    return harvester.settle(reading, sink.series_ids(reading.new.keys), at)


def repeated(rounds: list[list[Line] | None], times: int) -> list[list[Line] | None]:
    """Return the rounds, each several times with other values."""
    return [
        lines and [replace(line, value=line.value + turn) for line in lines]
        for lines in rounds
        for turn in range(times)
    ]


@settings(max_examples=200, deadline=None)
@given(st.builds(repeated, ROUNDS, st.integers(1, 4)))
def test_scrapes_agree_with_prometheus_rules_in_words(rounds: list[list[Line] | None]) -> None:
    rules = config(job(DROP_BAD)).jobs[0]
    harvester = Harvester(LabelPath(Labels(job="j", instance="a:1"), rules), SeriesCache())
    sink, model = MemorySink(), Model()
    for at, lines in enumerate(rounds, start=1000):
        if lines is None:
            harvest, expected = harvester.fail(at), ([], model.fail(), (0, 0, 0))
        else:
            harvest = harvested(harvester, sink, lines, at)
            expected = model.scrape(lines, at)
        samples, stale = told(sink, harvest.batch)
        counts = harvest.scraped, harvest.kept, harvest.series_added
        assert (samples, stale, counts) == expected
        assert harvest.stale == len(stale)


def test_a_staleness_marker_keeps_its_bits() -> None:
    assert stale_batch(np.array([1, 2]), 5).values.view(np.uint64).tolist() == [STALE_BITS] * 2


def test_a_page_like_the_last_one_is_recognised_until_it_changes() -> None:
    rules = config(job(DROP_BAD)).jobs[0]
    harvester = Harvester(LabelPath(Labels(job="j", instance="a:1"), rules), SeriesCache())
    sink = MemorySink()
    lines = [Line(name, (), 1, None) for name in ("m", "bad", "n")]
    page = Page("".join(line.written for line in lines).encode(), "text/plain")
    for at in (1, 2):
        assert harvester.repeat(page, at) is None  # unseen, then known for the first time
        harvested(harvester, sink, lines, at)
    known = harvester.repeat(page, 3)
    assert known is not None
    assert (known.batch.values.tolist(), known.batch.timestamps.tolist()) == ([1, 1], [3, 3])
    assert harvester.repeat(Page(page.body, "application/openmetrics-text"), 4) is None
    harvester.fail(5)
    assert harvester.repeat(page, 6) is None
