"""Builds and runs what is asked: settings, targets, wiring, life cycle, command line."""
