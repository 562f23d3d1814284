"""What the REST API promises is a file under review."""

from __future__ import annotations

import json
import os
from pathlib import Path

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app

from .conftest import PREFIX, House

GOLDEN = Path(__file__).with_name("openapi.json")
UPDATE = (
    "the REST API has changed. If that is meant, write the file anew:"
    " QVMON_UPDATE_GOLDEN=1 pytest tests/unit/api/test_openapi.py"
)


def test_the_description_is_the_one_under_review(house: House) -> None:
    described = create_app(house.ports(), ApiConfig()).openapi()
    text = json.dumps(described, indent=2, sort_keys=True) + "\n"
    if os.environ.get("QVMON_UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text(), UPDATE


def test_every_operation_has_a_name_of_its_own_and_documents_its_errors(house: House) -> None:
    described = create_app(house.ports(), ApiConfig()).openapi()
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for operation in operations:
        assert operation["summary"]
        for status in ("401", "403"):
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema["$ref"].endswith("/ErrorBody")


async def test_programs_may_read_the_description(house: House) -> None:
    client = await house.program("viewer")
    described = (await client.get(f"{PREFIX}/openapi.json")).json()
    assert described["info"]["title"] == "qvmon"
    assert f"{PREFIX}/overview" in described["paths"]
