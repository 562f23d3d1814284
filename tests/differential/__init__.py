"""qvmon beside a real Prometheus 3.16 that holds the same data.

``python -m tests.differential`` asks both random queries over the whole grammar and tells every
difference, each made as small as it goes; ``python -m tests.differential.api_calls`` compares the
HTTP API call by call. Both need the peer that ``python -m benchmarks.peers`` builds, and run by
hand; only the tests of their own parts belong to ``make test``.
"""
