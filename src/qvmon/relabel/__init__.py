"""Prometheus relabelling: rules that rewrite, keep or drop label sets. Pure."""

from qvmon.relabel.rule import Action, RelabelRule
from qvmon.relabel.steps import relabel

__all__ = ["Action", "RelabelRule", "relabel"]
