"""Our engine against Go's own text/template.

``expected.json`` is what ``go_oracle/main.go`` wrote for ``templates.txt``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qvmon.templates import Surroundings, TemplateError, expand
from qvmon.templates.values import Map, Slice, Struct, strings

HERE = Path(__file__).parent
CASES = json.loads((HERE / "expected.json").read_text())


def _sample(name: str, value: float) -> Struct:
    return Struct("main.sample", {"Labels": strings({"i": name}), "Value": value})


DATA = Struct(
    "struct",
    {
        "Labels": strings({"instance": "host:9090", "job": "api", "odd": "a\"b<c>'&é\n\t"}),
        "Value": 1234567.891,
        "Count": -42,
        "Rows": Slice((_sample("a", 1.0), _sample("b", 0.25)), "[]main.sample"),
        "Empty": Slice((), "[]main.sample"),
        "Any": Map({"n": 7, "f": 1.5, "s": "text", "nil": None}),
        "On": True,
    },
)


@pytest.mark.parametrize("case", CASES, ids=[case["template"] for case in CASES])
def test_a_template_gives_what_go_gives(case: dict[str, str]) -> None:
    if case["failed"]:
        with pytest.raises(TemplateError):
            expand("t", case["template"], DATA, Surroundings())
    else:
        assert expand("t", case["template"], DATA, Surroundings()) == case["text"]


def test_the_table_is_of_these_templates() -> None:
    lines = (HERE / "templates.txt").read_text().splitlines()
    templates = [line.replace("⏎", "\n") for line in lines if line.strip()]
    assert [case["template"] for case in CASES] == templates
