"""Published events: their schemas and their words."""

from __future__ import annotations

import re

import msgspec
import pytest

from qvmon.model.events import PUBLISHED, Event


@pytest.mark.parametrize("event", PUBLISHED)
def test_every_event_has_a_schema_whose_fields_are_all_explained(event: type[Event]) -> None:
    [schema] = msgspec.json.schema(event)["$defs"].values()
    explained = " ".join(cls.__doc__ or "" for cls in event.__mro__)
    for name in schema["properties"]:
        assert re.search(rf"\b{name}\b", explained), name


@pytest.mark.parametrize("event", PUBLISHED)
def test_every_time_says_its_unit(event: type[Event]) -> None:
    for name in (field.name for field in msgspec.structs.fields(event)):
        assert name.endswith(("_us", "_ms")) or not name.endswith(("_at", "_time")), name


def test_types_carry_the_versioned_package() -> None:
    assert {event.type_name() for event in PUBLISHED} == {
        f"quantivista.monitoring.v1.{event.__name__}" for event in PUBLISHED
    }
