"""``python -m tests.differential.grafana``: what users of Grafana see, with each behind it."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tests.differential.asking import NOON
from tests.differential.datasets import dataset
from tests.differential.exporter import configuration, exporter
from tests.differential.grafana.seeing import Seen, differences, grafana, unseen
from tests.differential.series import Series
from tests.differential.servers import Setting, both

_SCRAPING = 5.0
"""Seconds in which both scrape a few times and evaluate their rules."""

_OF_TARGETS = ("open", "open the editor", "search: metrics by a word", "variable: label_names()")
"""What is done where targets are scraped: it shows nothing that hangs on the moment."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared in one go.

    Attributes:
        peer: What was seen with Prometheus.
        ours: What was seen with qvmon.
    """

    peer: Seen
    ours: Seen


def _compare(
    setting: Setting, series: Sequence[Series], folder: Path, *goes: tuple[int, int, Sequence[str]]
) -> Iterator[Compared]:
    with (
        both(folder, setting, series) as (peer, ours),
        grafana(peer.url, folder) as left,
        grafana(ours.url, folder) as right,
    ):
        if not series:
            time.sleep(_SCRAPING)
        for start_ms, end_ms, doings in goes:
            yield Compared(
                left.seen(start_ms, end_ms, *doings), right.seen(start_ms, end_ms, *doings)
            )


def _goes(seed: int, place: Path) -> Iterator[Compared]:
    noon_ms = NOON * 1000
    stored = (noon_ms - 1_800_000, noon_ms, ())
    yield from _compare(Setting(), dataset(seed), place / "stored", stored)
    with exporter() as port:
        folder = place / "scraped"
        folder.mkdir()
        now_ms = int(time.time() * 1000)
        scraped = (now_ms, now_ms + 60_000, _OF_TARGETS)
        dots = (noon_ms - 600_000, noon_ms + 600_000, ("explore: exemplars",))
        setting = Setting(prometheus_yml=configuration(folder, port))
        yield from _compare(setting, (), folder, scraped, dots)


def main(seed: Annotated[int, typer.Option(help="Of the data both hold.")] = 2) -> None:
    """Use Grafana's data source on Prometheus 3.16 and on qvmon; exit with 1 where they differ."""
    done = failed = 0
    with tempfile.TemporaryDirectory(prefix="qvmon-grafana-") as place:
        for compared in _goes(seed, Path(place)):
            done += len(compared.peer)
            for doing in unseen(compared.peer):
                print(f"nothing to see with Prometheus: {doing}: {compared.peer[doing]}")
            for doing, where in differences(compared.peer, compared.ours):
                failed += 1
                print(f"- {doing}: {where}")
    print(f"{done} things done, {failed} seen otherwise")
    sys.exit(bool(failed))


if __name__ == "__main__":
    typer.run(main)
