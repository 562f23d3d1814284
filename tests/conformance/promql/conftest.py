"""Scripts of Prometheus' own conformance suite, fetched through the Go module proxy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

MODULE = "github.com/prometheus/prometheus@v0.316.0"


@pytest.fixture(scope="session")
def upstream_scripts() -> Path:
    """Return the folder of Prometheus 3.16's scripts; skip where they cannot be had."""
    required = os.environ.get("QVMON_TEST_REQUIRE") == "all"
    go = shutil.which("go")
    reason = "go is not installed"
    if go is not None:
        done = subprocess.run(
            [go, "mod", "download", "-json", MODULE],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        if done.returncode == 0:
            return Path(json.loads(done.stdout)["Dir"]) / "promql/promqltest/testdata"
        reason = f"{MODULE} cannot be downloaded: {done.stderr.strip()[:200]}"
    if required:
        pytest.fail(reason)
    pytest.skip(reason)
