"""Samples as few bits."""
