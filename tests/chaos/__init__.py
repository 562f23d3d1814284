"""Kills a telemetry store at random instants and compares what is left with what it acknowledged.

``python -m tests.chaos --kills 100`` by hand; ``tests/integration/test_tsdb_kill.py`` in CI.
"""
