"""Grafana's own data source, once with a real Prometheus behind it and once with qvmon.

``python -m tests.differential.grafana`` builds the two halves that Grafana publishes, the library
of its server and the package of its web client, does with them what users of a panel, a variable
or the query editor do, and compares what they would see. It runs by hand; README.md says more.
"""
