"""The Prometheus HTTP API, answering as Prometheus does."""
