"""``python -m tests.differential.expositions``: pages both scrape, and what both keep of them."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

import typer

from tests.conformance.exposition.pages import SEEDS, Page, changed
from tests.conformance.exposition.test_against_prometheus import FLAT
from tests.differential.answers import same
from tests.differential.catalogue import catalogue
from tests.differential.servers import Server, Setting, both

_WAIT_SECONDS = 60.0
_OWN = ("scrape_duration_seconds", "scrape_series_added")
"""Series whose values say when something was scraped, not what."""

_COUNTS = ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling")

_Kept = dict[tuple[tuple[str, str], ...], str]


@contextmanager
def _served(pages: Sequence[Page]) -> Iterator[int]:
    """Serve page n at ``/n``."""

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, body = pages[int(self.path.strip("/"))]
            self.send_response(200)
            if kind:
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def _configuration(port: int, count: int) -> str:
    targets = [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"__metrics_path__": f"/{number}", "page": str(number)},
        }
        for number in range(count)
    ]
    job = {"job_name": "pages", "static_configs": targets, "scrape_interval": "20s"}
    return json.dumps(
        {"scrape_configs": [{**job, "fallback_scrape_protocol": "PrometheusText0.0.4"}]}
    )


def _scraped(server: Server, count: int) -> dict[int, str]:
    """Return the complaint about each page once all were scraped, empty where there is none."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        targets = server.client.get(f"{server.url}/api/v1/targets").json()["data"]["activeTargets"]
        known = [each for each in targets if each["health"] != "unknown"]
        if len(known) == count:
            return {int(each["labels"]["page"]): each["lastError"] for each in known}
        time.sleep(0.5)
    raise RuntimeError(f"{server.name} has not scraped all {count} pages")


def _kept(server: Server) -> dict[int, _Kept]:
    """Return the newest sample of every series, by page."""
    form = {"query": '{page!=""}', "lookback_delta": "1h"}
    result = server.client.post(f"{server.url}/api/v1/query", data=form).json()["data"]["result"]
    found: dict[int, _Kept] = {}
    for each in result:
        labels = each["metric"]
        if labels["__name__"] not in _OWN:
            page = int(labels.pop("page"))
            found.setdefault(page, {})[tuple(sorted(labels.items()))] = each["value"][1]
    return found


def _metadata(server: Server) -> dict[str, Any]:
    """Return what is known of every metric, as sets."""
    known = server.client.get(f"{server.url}/api/v1/metadata").json()["data"]
    return {
        name: {json.dumps(e, sort_keys=True) for e in entries} for name, entries in known.items()
    }


def _unlike(peer: _Kept, ours: _Kept) -> str:
    if peer.keys() != ours.keys():
        return (
            f"only {sorted(peer.keys() - ours.keys())} / only {sorted(ours.keys() - peer.keys())}"
        )
    differ = [(key, peer[key], ours[key]) for key in peer if not _alike(key, peer[key], ours[key])]
    return str(differ) if differ else ""


def _alike(key: tuple[tuple[str, str], ...], peer: str, ours: str) -> bool:
    """Return whether two values are equal; counts up to a mistake may or may not include it."""
    counts = dict(key)["__name__"] in _COUNTS
    return same(peer, ours) or (counts and abs(float(peer) - float(ours)) <= 1)


def _differences(
    pages: Sequence[Page], servers: tuple[Server, Server]
) -> Iterator[tuple[int, str, str]]:
    peer, ours = servers
    complaints = [_scraped(server, len(pages)) for server in servers]
    time.sleep(2)
    kept = [_kept(server) for server in (peer, ours)]
    for number in range(len(pages)):
        wrong = [each[number] for each in complaints]
        if bool(wrong[0]) != bool(wrong[1]):
            yield number, f"refused: {wrong[0]!r}", f"refused: {wrong[1]!r}"
        elif what := _unlike(kept[0].get(number, {}), kept[1].get(number, {})):
            yield number, what, ""


def _meant(page: Page) -> bool:
    """Return whether qvmon means to differ: blanks before a name, NUL as any other character."""
    kind, body = page
    blank = "openmetrics" not in kind and any(
        line[:1] in (b" ", b"\t") and line.strip() for line in body.split(b"\n")
    )
    return blank or b"\0" in body


def _all(seed: int, count: int) -> list[Page]:
    good = [(kind, body) for kind, bodies in SEEDS.items() for body in bodies]
    every: list[Page] = [*catalogue(), *FLAT, *good, *changed(random.Random(seed), count)]
    return [page for page in every if not _meant(page)]


def _metadata_differences(peer: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(peer.keys() | ours.keys()):
        if name.startswith(("scrape_", "up")) or peer.get(name) == ours.get(name):
            continue
        yield f"metadata of {name!r}: {peer.get(name)} / {ours.get(name)}"


def main(
    seed: Annotated[int, typer.Option(help="Where the changes begin.")] = 1,
    changes: Annotated[int, typer.Option(help="How many changed pages.")] = 400,
) -> None:
    """Have Prometheus 3.16 and qvmon scrape the same pages; exit with 1 when they keep another."""
    pages = _all(seed, changes)
    with tempfile.TemporaryDirectory(prefix="qvmon-pages-") as folder, _served(pages) as port:
        setting = Setting(prometheus_yml=_configuration(port, len(pages)))
        with both(Path(folder), setting, []) as servers:
            found = list(_differences(pages, servers))
            of_metadata = list(_metadata_differences(*map(_metadata, servers)))
    for number, peer, ours in found:
        print(f"- {pages[number]}\n    - Prometheus: {peer[:500]}\n    - qvmon: {ours[:500]}")
    print("\n".join(of_metadata))
    print(f"{len(pages)} pages, {len(found)} differ, {len(of_metadata)} descriptions differ")
    sys.exit(bool(found))


if __name__ == "__main__":
    typer.run(main)
