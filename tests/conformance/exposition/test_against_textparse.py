"""The parser of Prometheus 3.16 itself, compiled, and qvmon's read the same pages alike."""

import base64
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest

from qvmon.model.errors import QvmonError
from qvmon.wire.exposition import NO_TIMESTAMP, parse

sys.path.insert(0, str(Path(__file__).parent))
from pages import OPENMETRICS, SEEDS, TEXT, Page, changed, upstream_inputs

pytestmark = pytest.mark.slow

ORACLE = Path(__file__).parent / "oracle"
MODULE = "github.com/prometheus/prometheus@v0.316.0"
PAGES = int(os.environ.get("QVMON_EXPOSITION_PAGES", "20000"))

Samples = list[tuple[list[tuple[str, str]], int, int | None]]
_NAN = 0x7FF8000000000001


def go(*arguments: str, folder: Path | None = None) -> str:
    """Run Go; skip where it, or what it has to fetch, cannot be had."""
    program = shutil.which("go")
    if program is None:
        absent("go is not installed")
    done = subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        absent(f"go {arguments[0]} failed: {done.stderr.strip()[:300]}")
    return done.stdout


def absent(reason: str) -> None:
    if os.environ.get("QVMON_TEST_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def textparse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program around Prometheus' parser."""
    program = tmp_path_factory.mktemp("oracle") / "textparse"
    go("build", "-o", str(program), ".", folder=ORACLE)
    return program


def theirs(textparse: Path, pages: list[Page]) -> list[Samples | str]:
    """Return what Prometheus makes of each page: its samples, or its complaint."""
    asked = [{"type": kind, "body": base64.b64encode(body).decode()} for kind, body in pages]
    done = subprocess.run(
        [textparse], input=json.dumps(asked).encode(), capture_output=True, check=True, timeout=300
    )
    return [
        each["error"]
        or [
            (
                sorted(
                    (
                        base64.b64decode(n).decode(errors="surrogateescape"),
                        base64.b64decode(v).decode(errors="surrogateescape"),
                    )
                    for n, v in sample["labels"] or ()
                ),
                sample["bits"],
                sample["time"],
            )
            for sample in each["samples"]
        ]
        for each in json.loads(done.stdout)
    ]


def ours(page: Page) -> Samples | str:
    kind, body = page
    try:
        read = parse(body, kind)
        labels = [sorted(read.labels(row).items()) for row in range(len(read))]
    except QvmonError as error:
        return error.message
    bits = np.where(np.isnan(read.values), np.uint64(_NAN), read.values.view(np.uint64))
    times = [None if time == NO_TIMESTAMP else time for time in read.timestamps.tolist()]
    return list(zip(labels, bits.tolist(), times, strict=True))


@dataclass(frozen=True)
class Stored:
    """What Prometheus would store: its scrape loop refuses more than its parser."""

    samples: Samples | None

    @classmethod
    def of(cls, said: Samples | str) -> "Stored":
        if isinstance(said, str):
            return cls(None)
        for labels, _, _ in said:
            names = [name for name, _ in labels]
            text = "".join(name + value for name, value in labels)
            broken = any("\udc80" <= character <= "\udcff" for character in text)
            unnamed = not dict(labels).get("__name__") or "" in names
            if broken or unnamed or len(set(names)) < len(names):
                return cls(None)
        return cls([([pair for pair in each if pair[1]], bits, at) for each, bits, at in said])


def deliberate(page: Page) -> bool:
    """Return whether qvmon means to differ.

    Blanks before a name are no part of it; Prometheus 3 makes a name that begins with a blank.
    A NUL is a character like any other, where Prometheus' lexer takes it for the end.
    """
    kind, body = page
    lines = body.split(b"\n")
    blank = kind == TEXT and any(line[:1] in (b" ", b"\t") and line.strip() for line in lines)
    return blank or b"\0" in body


def out_of_time(said: Samples | str) -> bool:
    """Return whether a time does not fit into 63 bits: Prometheus reads another, qvmon refuses."""
    return not isinstance(said, str) and any(time == -(2**63) for _, _, time in said)


def differences(textparse: Path, pages: list[Page]) -> list[tuple[Page, object, object]]:
    pages = [page for page in pages if not deliberate(page)]
    return [
        (page, said, mine)
        for page, said, mine in zip(pages, theirs(textparse, pages), map(ours, pages), strict=True)
        if Stored.of(said).samples != (None if isinstance(mine, str) else mine)
        and not out_of_time(said)
    ]


def test_the_inputs_of_upstreams_own_tests(textparse: Path) -> None:
    folder = Path(json.loads(go("mod", "download", "-json", MODULE))["Dir"]) / "model/textparse"
    pages = list(upstream_inputs(folder))
    assert len(pages) > 80
    assert differences(textparse, pages) == []


def test_good_pages(textparse: Path) -> None:
    pages = [(kind, body) for kind, bodies in SEEDS.items() for body in bodies]
    assert {kind for kind, _ in pages} == {TEXT, OPENMETRICS}
    assert differences(textparse, pages) == []
    assert not any(isinstance(said, str) for said in theirs(textparse, pages))


def test_random_changes_to_good_pages(textparse: Path) -> None:
    pages = list(changed(Random(316), PAGES))
    found = differences(textparse, pages)
    assert found == [], f"{len(found)} pages of {PAGES}: {found[:3]}"
