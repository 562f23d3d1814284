"""Takes the pictures in docs/pictures of a real ``qvmon demo``: ``python docs/take_pictures.py``.

It needs playwright and a Chromium (the first argument, else ``chromium`` on the path), and takes
four minutes, most of which pass before the fault so that charts have something to show.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
from playwright.sync_api import BrowserContext, sync_playwright

PICTURES = Path(__file__).with_name("pictures")
PROGRAMS = Path(sys.executable).parent
URL = "http://127.0.0.1:9590"
API = f"{URL}/api/qvmon/v1"
OURS = {"X-Qvmon-Request": "1"}
PASSWORD = "only for the pictures"
HEALTHY_SECONDS, BROKEN_SECONDS = 150, 60
BUCKETS = "rate(qv_execution_order_to_ack_seconds_bucket[30s])"
QUERY = f"histogram_quantile(0.95, sum by (le, service) ({BUCKETS}))"
SETTLED_MS = 3000


def main() -> None:
    """Take every picture."""
    chromium = sys.argv[1] if len(sys.argv) > 1 else shutil.which("chromium")
    with tempfile.TemporaryDirectory() as home, demo(Path(home)):
        log_in(Path(home))
        time.sleep(HEALTHY_SECONDS)
        control = ["fault", "set", "trade-execution", "latency", "--factor", "10"]
        subprocess.run([PROGRAMS / "qvsim", *control], check=True)
        time.sleep(BROKEN_SECONDS)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            context = browser.new_context(
                base_url=URL, viewport={"width": 1440, "height": 900}, color_scheme="light"
            )
            take(context)
            browser.close()


@contextmanager
def demo(home: Path) -> Iterator[None]:
    """Run the demonstration, which must find its usual ports free, while the block lasts."""
    command = [PROGRAMS / "qvmon", "demo", "--data-dir", home, "--listen", URL.rpartition("/")[2]]
    process = subprocess.Popen(command)
    try:
        while not is_ready():
            if process.poll() is not None:
                raise SystemExit("the demonstration ended")
            time.sleep(0.5)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def is_ready() -> bool:
    """Return whether the server has started."""
    try:
        return httpx.get(f"{URL}/-/ready").is_success
    except httpx.TransportError:
        return False


def log_in(home: Path) -> None:
    """Replace the one-time password."""
    first = (home / "initial-admin-password").read_text().strip()
    with httpx.Client(headers=OURS) as client:
        body = {"username": "admin", "password": first}
        client.post(f"{API}/session", json=body).raise_for_status()
        change = {"current": first, "new": PASSWORD}
        client.post(f"{API}/session/password", json=change).raise_for_status()


def take(context: BrowserContext) -> None:
    """Photograph the pages that the documentation shows."""
    credentials = {"username": "admin", "password": PASSWORD}
    context.request.post(f"{API}/session", data=credentials, headers=OURS)
    (incident, *_) = context.request.get(f"{API}/incidents").json()["incidents"]
    places = {
        "overview": "/",
        "alerts": "/alerts",
        "incident": f"/incidents/{incident['incident_id']}",
        "explore": f"/explore?{urlencode({'expr': QUERY, 'range': '5m'})}",
    }
    page = context.new_page()
    for name, path in places.items():
        page.goto(path)
        page.wait_for_timeout(SETTLED_MS)
        page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
