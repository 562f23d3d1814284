"""Fixtures every test may ask for."""

pytest_plugins = [
    "tests.servers.postgres",
    "tests.servers.prometheus",
    "tests.servers.pulsar",
    "tests.servers.qvmon",
    "tests.servers.smtp",
    "tests.servers.webhook",
]
