"""Deleting samples that may still stand in files."""
