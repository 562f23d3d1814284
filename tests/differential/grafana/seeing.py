"""What users of Grafana see with a server behind its data source, and where two servers differ."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.differential.answers import same
from tests.differential.grafana.halves import backend, frontend
from tests.servers import answers, free_port, running, wait_until

Seen = dict[str, Any]
"""What was seen, by what was done."""


@dataclass(frozen=True, slots=True)
class Grafana:
    """The data source of one server, both its halves.

    Attributes:
        url: Where its server half answers, as a Grafana would.
    """

    url: str

    def seen(self, start_ms: int, end_ms: int, *doings: str) -> Seen:
        """Do what users do, all of it unless ``doings`` names some, over a window of time."""
        command = ["node", str(frontend()), self.url, str(start_ms), str(end_ms), *doings]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        seen: Seen = json.loads(told.stdout)
        return seen


@contextmanager
def grafana(server_url: str, folder: Path) -> Iterator[Grafana]:
    """Run the server half with ``server_url`` behind it while the block lasts."""
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", folder / f"grafana-{port}.log"
    with running([str(backend()), f"127.0.0.1:{port}", server_url], log=log):
        wait_until(lambda: answers(f"{url}/", 404), "Grafana's server half ready", log=log)
        yield Grafana(url)


_OF_SCRAPES = re.compile("up|scrape_.*")


def differences(peer: Seen, ours: Seen) -> Iterator[tuple[str, str]]:
    """Yield what was done and where the two differ in what was seen."""
    for doing in sorted(peer.keys() | ours.keys()):
        place = _unlike(peer.get(doing), _undescribed(ours.get(doing)), "")
        if place:
            yield doing, place


def _undescribed(seen: Any) -> Any:
    """Return what was seen without the descriptions of the series that a scrape itself makes.

    Prometheus describes only what targets describe.
    """
    if isinstance(seen, list):
        return [_undescribed(each) for each in seen]
    if isinstance(seen, dict):
        return {k: v for k, v in seen.items() if not (_OF_SCRAPES.fullmatch(k) and "help" in v)}
    return seen


def _unlike(peer: Any, ours: Any, at: str) -> str:
    if isinstance(peer, dict) and isinstance(ours, dict) and peer.keys() == ours.keys():
        return _first(_unlike(peer[key], ours[key], f"{at}/{key}") for key in peer)
    if isinstance(peer, list) and isinstance(ours, list) and len(peer) == len(ours):
        if at.endswith("/notices"):
            peer, ours = sorted(peer, key=json.dumps), sorted(ours, key=json.dumps)
        pairs = zip(peer, ours, strict=True)
        return _first(_unlike(*pair, f"{at}/{number}") for number, pair in enumerate(pairs))
    if peer == ours or (_is_number(peer) and _is_number(ours) and same(str(peer), str(ours))):
        return ""
    return f"{at or '/'}\n    - Prometheus: {_short(peer)}\n    - qvmon: {_short(ours)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _first(found: Iterator[str]) -> str:
    return next((each for each in found if each), "")


def _short(value: Any) -> str:
    return json.dumps(value)[:400]


def unseen(seen: Seen) -> Sequence[str]:
    """Return what was done without anything to see but a failure: little was compared there."""
    return [doing for doing, what in seen.items() if what in ([], {}, None) or _failed(what)]


def _failed(what: Any) -> bool:
    return isinstance(what, dict) and "failed" in what
