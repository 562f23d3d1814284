"""Fixtures every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# a busy machine makes no test fail; CI looks at more examples than a developer waits for
settings.register_profile("quick", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None)
settings.load_profile("thorough" if os.environ.get("QVMON_TEST_REQUIRE") == "all" else "quick")

pytest_plugins = [
    "tests.servers.postgres",
    "tests.servers.prometheus",
    "tests.servers.pulsar",
    "tests.servers.qvmon",
    "tests.servers.smtp",
    "tests.servers.webhook",
]

SLOWEST_LAST = (
    "unit",
    "architecture",
    "differential",
    "conformance",
    "integration",
    "acceptance",
    "browser",
)
"""The order in which folders run: what fails fast comes first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the folders in their order, and leave each folder's own order as it is."""
    here = Path(__file__).parent
    items.sort(key=lambda item: SLOWEST_LAST.index(item.path.relative_to(here).parts[0]))
