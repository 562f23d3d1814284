"""PromQL: text to plan to arrays; no I/O, no clock."""

from qvmon.model.floats import format_float, parse_float
from qvmon.promql.durations import format_duration, parse_duration
from qvmon.promql.evaluate import evaluate
from qvmon.promql.parser import parse, parse_matchers
from qvmon.promql.plan import Plan, plan
from qvmon.promql.results import Grid, Matrix, Notes, Result, Samples, Scalar, Text, Vector

__all__ = [
    "Grid",
    "Matrix",
    "Notes",
    "Plan",
    "Result",
    "Samples",
    "Scalar",
    "Text",
    "Vector",
    "evaluate",
    "format_duration",
    "format_float",
    "parse",
    "parse_duration",
    "parse_float",
    "parse_matchers",
    "plan",
]
