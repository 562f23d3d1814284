"""What Prometheus stores from a body qvmon reads from it; what it refuses, qvmon refuses."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import numpy as np
import pytest

from qvmon.model.errors import QvmonError
from qvmon.wire.exposition import NO_TIMESTAMP, parse
from tests.servers import wait_until
from tests.servers.prometheus import StartPrometheus

pytestmark = [pytest.mark.server("prometheus"), pytest.mark.slow]

TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

CASES: dict[str, list[bytes]] = {
    TEXT: [
        b"",
        b"\n\n",
        b"a 1",
        b"a 1\n",
        b" a 1\n",
        b"\ta\t1\t\n",
        b"a 1 \n",
        b"a{} 1\n",
        b"a {} 1\n",
        b'a{b="c"} 1\n',
        b'a{b="c",} 1\n',
        b"a{,} 1\n",
        b'a{,b="c"} 1\n',
        b'a{b="c",,d="e"} 1\n',
        b'a{ b = "c" , d = "e" } 1\n',
        b'a{b="c"}1\n',
        b'a{b="c" d="e"} 1\n',
        b"a{b='c'} 1\n",
        b"a{b=c} 1\n",
        b'a{b="c} 1\n',
        b'a{b="c"\n',
        b'a{b="c\\"d\\\\e\\nf\\tg"} 1\n',
        b'a{b="c\\"} 1\n',
        b'a{b="\xff"} 1\n',
        b'a{b="\xc3\xa9\xf0\x9f\x98\x80"} 1\n',
        b'a{b="1",b="2"} 1\n',
        b'a{1b="c"} 1\n',
        b'a{b:c="d"} 1\n',
        b'a{b="",c="d"} 1\n',
        b"a:b:c 1\n",
        b"1a 1\n",
        b"a-b 1\n",
        b"a\n",
        b"a \n",
        b"a +Inf\nb -inf\nc NaN\nd nan\ne Infinity\nf -infinity\n",
        b"a +NaN\n",
        b"a infin\n",
        b"a .5\nb 5.\nc 1e3\nd 1E+3\ne -0\nf 0x10\n",
        b"a 0x1p-2\n",
        b"a 1_000\n",
        b"a 1e400\n",
        b"a 1e-400\nb 4.9e-324\nc 1.7976931348623157e308\nd 2.2250738585072011e-308\n",
        b"a 0.1\nb 0.30000000000000004\nc 123456789012345678901234567890\nd 9007199254740993\n",
        b"a 1 2 3\n",
        b"a 1 x\n",
        b"a 1 1.5\n",
        b"a 1\r\n",
        b"# just a comment\na 1\n",
        b"#\na 1\n",
        b"#a\na 1\n",
        b"# HELP\na 1\n",
        b"# HELP a\na 1\n",
        b"# HELP a some text\na 1\n",
        b"# HELP 1a some text\na 1\n",
        b"# TYPE a counter\na 1\n",
        b"# TYPE a wrong\na 1\n",
        b"# TYPE a\na 1\n",
        b"# TYPE\na 1\n",
        b"#TYPE a wrong\na 1\n",
        b"# UNIT a b c d\na 1\n",
        b"# EOF\na 1\n",
        b"<html>\n",
        b"{} 1\n",
        b'{b="c"} 1\n',
        b"a 1\nb one\nc 3\n",
    ],
    OPENMETRICS: [
        b"",
        b"# EOF\n",
        b"# EOF",
        b"a 1\n# EOF\n",
        b"a 1\n",
        b"a 1\n# EOF\n\n",
        b"a 1\n# EOF\nb 2\n",
        b"a 1\n\n# EOF\n",
        b" a 1\n# EOF\n",
        b"a  1\n# EOF\n",
        b"a\t1\n# EOF\n",
        b"a 1 \n# EOF\n",
        b'a{b="c"} 1\n# EOF\n',
        b'a{b="c",} 1\n# EOF\n',
        b"a{,} 1\n# EOF\n",
        b'a{ b="c"} 1\n# EOF\n',
        b'a{b ="c"} 1\n# EOF\n',
        b'a{b= "c"} 1\n# EOF\n',
        b'a{b="c" } 1\n# EOF\n',
        b'a{b="c", d="e"} 1\n# EOF\n',
        b'a{b="c" d="e"} 1\n# EOF\n',
        b'a {b="c"} 1\n# EOF\n',
        b'a{b="c"}1\n# EOF\n',
        b"a{} 1\n# EOF\n",
        b'a{b="c\td"} 1\n# EOF\n',
        b"a 1e3 # {} 1\n# EOF\n",
        b"# HELP a\na 1\n# EOF\n",
        b"# HELP a \na 1\n# EOF\n",
        b"# HELP  a b\na 1\n# EOF\n",
        b"# HELP a  b\na 1\n# EOF\n",
        b"#  HELP a b\na 1\n# EOF\n",
        b"# TYPE a  gauge\na 1\n# EOF\n",
        b"# TYPE a gauge \na 1\n# EOF\n",
        b"# UNIT a\na 1\n# EOF\n",
        b"# EOF \n",
        b"#EOF\n",
        b'a{b="c\\"d\\\\e\\nf"} 1\n# EOF\n',
        b"# TYPE a counter\n# HELP a text\n# UNIT a_seconds seconds\na_total 1\n# EOF\n",
        b"# TYPE a unknown\na 1\n# EOF\n",
        b"# TYPE a untyped\na 1\n# EOF\n",
        b"# TYPE a wrong\na 1\n# EOF\n",
        b"# a comment\na 1\n# EOF\n",
        b"#TYPE a counter\na_total 1\n# EOF\n",
        b'a_bucket{le="1"} 8 # {id="x"} 0.5\n# EOF\n',
        b'a_bucket{le="1"} 8 # {id="x"} 0.5 123.5\n# EOF\n',
        b'a_bucket{le="1"} 8 # {} 0.5\n# EOF\n',
        b'a_bucket{le="1"} 8 # {id=x} 0.5\n# EOF\n',
        b'a_bucket{le="1"} 8 # 0.5\n# EOF\n',
        b'a_bucket{le="1"} 8 # {id="x"} y\n# EOF\n',
        b'a_bucket{le="1"} 8 # {id="x"}\n# EOF\n',
        b"a 1 2 3\n# EOF\n",
        b"a 1 NaN\n# EOF\n",
        b"a 1 x\n# EOF\n",
    ],
}
DELIBERATE = {
    b" a 1\n": "the format says that leading blanks are ignored",
    b"\ta\t1\t\n": "the format says that leading blanks are ignored",
    b'a{b="c",} 1\n# EOF\n': "Prometheus 3 allows a comma after the last label",
    b"a 1e3 # {} 1\n# EOF\n": "Prometheus 3 allows exemplars at metrics of any type",
}
"""Where qvmon differs from Prometheus 2.42, and why; with 3.16 it agrees but for the blanks."""

FLAT = [(kind, body) for kind, bodies in CASES.items() for body in bodies]


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a server that answers ``/<n>`` with case n."""

    class Cases(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, body = FLAT[int(self.path.strip("/"))]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cases)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def config(address: str) -> str:
    targets = "".join(
        f"""
      - targets: ["{address}"]
        labels: {{__metrics_path__: "/{number}", case: "{number}"}}"""
        for number in range(len(FLAT))
    )
    return f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: cases
    static_configs:{targets}
"""


def read_by_qvmon(kind: str, body: bytes) -> dict[frozenset[tuple[str, str]], float] | None:
    """Return samples by labels, or nothing when the body is refused."""
    try:
        exposition = parse(body, kind)
        labels = [frozenset(exposition.labels(row).items()) for row in range(len(exposition))]
    except QvmonError:
        return None
    assert set(exposition.timestamps.tolist()) <= {NO_TIMESTAMP}
    return dict(zip(labels, exposition.values.tolist(), strict=True))


def test_every_case_is_read_or_refused_alike(
    served: str, start_prometheus: StartPrometheus
) -> None:
    url = start_prometheus(config(served))

    def targets() -> list[Any]:
        answer = httpx.get(f"{url}/api/v1/targets", trust_env=False).json()
        return [each for each in answer["data"]["activeTargets"] if each["health"] != "unknown"]

    wait_until(lambda: len(targets()) == len(FLAT), "every case scraped")
    refused = {int(t["labels"]["case"]): t["lastError"] for t in targets() if t["health"] == "down"}
    query = '{job="cases", __name__!~"up|scrape_.*"}'
    answer = httpx.get(f"{url}/api/v1/query", params={"query": query}, trust_env=False).json()
    stored: dict[int, dict[frozenset[tuple[str, str]], float]] = {}
    for series in answer["data"]["result"]:
        labels = series["metric"]
        case = int(labels.pop("case"))
        del labels["instance"], labels["job"]
        stored.setdefault(case, {})[frozenset(labels.items())] = float(series["value"][1])

    differences = {}
    for number, (kind, body) in enumerate(FLAT):
        ours = read_by_qvmon(kind, body)
        theirs = None if number in refused else stored.get(number, {})
        same = (ours is None) == (theirs is None)
        if same and ours is not None and theirs is not None:
            same = ours.keys() == theirs.keys() and all(
                np.array_equal(value, theirs[key], equal_nan=True) for key, value in ours.items()
            )
        if not same:
            differences[body] = (kind, ours, theirs, refused.get(number))
    assert differences.keys() == DELIBERATE.keys(), differences
