"""Every setting, metric, fact, event, error, route and command has its line in the reference."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_what_the_code_says() -> None:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    stale = [
        name
        for name, text in generate.pages().items()
        if not (DOCS / "reference" / name).exists()
        or (DOCS / "reference" / name).read_text() != text
    ]
    assert stale == [], "run `make reference`"
