"""What functions take and yield."""

from __future__ import annotations

from dataclasses import dataclass

from qvmon.promql.nodes import ValueType

_LETTERS = {
    "v": ValueType.VECTOR,
    "m": ValueType.MATRIX,
    "s": ValueType.SCALAR,
    "t": ValueType.STRING,
}


@dataclass(frozen=True, slots=True)
class Signature:
    """The type of a function.

    Attributes:
        arguments: Types of the arguments; the last one may be optional or repeat.
        extra: How many more arguments than all but the last are allowed; -1 for any number,
            0 when the arguments are exactly those listed.
        returns: What it yields.
    """

    arguments: tuple[ValueType, ...]
    extra: int
    returns: ValueType


def _signature(spelled: str, returns: str = "v", extra: int = 0) -> Signature:
    return Signature(tuple(_LETTERS[c] for c in spelled), extra, _LETTERS[returns])


_OF_VECTOR = {
    "histogram_avg",
    "histogram_count",
    "histogram_stddev",
    "histogram_stdvar",
    "histogram_sum",
    "abs",
    "absent",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "cos",
    "cosh",
    "deg",
    "exp",
    "floor",
    "ln",
    "log10",
    "log2",
    "rad",
    "sgn",
    "sin",
    "sinh",
    "sort",
    "sort_desc",
    "sqrt",
    "start_timestamp",
    "tan",
    "tanh",
    "timestamp",
}
_OF_MATRIX = {
    "absent_over_time",
    "avg_over_time",
    "changes",
    "count_over_time",
    "delta",
    "deriv",
    "first_over_time",
    "idelta",
    "increase",
    "irate",
    "last_over_time",
    "mad_over_time",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "rate",
    "resets",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
    "ts_of_first_over_time",
    "ts_of_last_over_time",
    "ts_of_max_over_time",
    "ts_of_min_over_time",
}
_OF_TIME = {
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "month",
    "year",
}

SIGNATURES: dict[str, Signature] = {
    **{name: _signature("v") for name in _OF_VECTOR},
    **{name: _signature("m") for name in _OF_MATRIX},
    **{name: _signature("v", extra=1) for name in _OF_TIME},
    **{name: _signature("", "s") for name in ("pi", "time", "start", "end", "step", "range")},
    **{name: _signature("ss", "s") for name in ("max_of", "min_of")},
    "clamp": _signature("vss"),
    "clamp_max": _signature("vs"),
    "clamp_min": _signature("vs"),
    "double_exponential_smoothing": _signature("mss"),
    "integral": _signature("ms", extra=1),
    "histogram_fraction": _signature("ssv"),
    "histogram_quantile": _signature("sv"),
    "histogram_quantiles": _signature("vtss", extra=9),
    "info": _signature("vv", extra=1),
    "label_join": _signature("vttt", extra=-1),
    "label_replace": _signature("vtttt"),
    "predict_linear": _signature("ms"),
    "quantile_over_time": _signature("sm"),
    "round": _signature("vs", extra=1),
    "scalar": _signature("v", "s"),
    "sort_by_label": _signature("vt", extra=-1),
    "sort_by_label_desc": _signature("vt", extra=-1),
    "vector": _signature("s"),
}
"""Every function by name."""
