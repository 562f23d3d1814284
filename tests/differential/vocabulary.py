"""The words queries are made of."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


OF_VECTOR = _words(
    "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn "
    "sin sinh sqrt tan tanh timestamp days_in_month day_of_month day_of_week day_of_year hour "
    "minute month year histogram_avg histogram_count histogram_sum histogram_stddev "
    "histogram_stdvar start_timestamp sort sort_desc"
)
"""Functions of one instant vector."""

OF_MATRIX = _words(
    "absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta "
    "increase irate last_over_time mad_over_time max_over_time min_over_time present_over_time "
    "rate resets stddev_over_time stdvar_over_time sum_over_time ts_of_first_over_time "
    "ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time integral"
)
"""Functions of one range vector."""

CALLABLE = (
    *OF_VECTOR,
    *OF_MATRIX,
    *_words(
        "clamp clamp_min clamp_max round scalar vector time pi label_replace label_join info sum "
        "topk quantile count_values limit_ratio histogram_quantile histogram_fraction "
        "histogram_quantiles predict_linear quantile_over_time double_exponential_smoothing "
        "holt_winters sort_by_label max_of step range start unknown_function rate_over_time"
    ),
)
"""What can stand before a parenthesis; the last two cannot."""

MOMENTS = ("0", "-1", "1e10", "NaN", "Inf", "-Inf", "1704067200.5", "5m", "1e18", "1_704_067_200")
"""Times after ``@`` that are far off, between milliseconds or none."""

COUNTING = ("rate", "increase", "irate", "resets", "changes")
"""Functions that people ask of counters, and that therefore come more often."""

EXTENDED = {
    "anchored": ("resets", "changes", "rate", "increase", "delta"),
    "smoothed": ("rate", "increase", "delta"),
}
"""Which functions take which modifier of a range selector."""

DATES = ("days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute")

AGGREGATIONS = ("sum", "min", "max", "avg", "count", "group", "stddev", "stdvar")
RANKING = ("topk", "bottomk", "limitk")

ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARING = ("==", "!=", ">", "<", ">=", "<=")
TRIMMING = ("</", ">/")
SETS = ("and", "or", "unless")

RANGES = (
    *("5m", "5m", "5m", "1m", "2m", "10m", "30s", "1h", "15s", "29s1ms", "300", "1m30s", "2h"),
    *(
        "0.5",
        "1ms",
        "3h",
        "1d",
        "1w2d",
        "1y",
        "299y",
        "1000000y",
        "15001ms",
        "4m59s999ms",
        "1e2",
        "0x3c",
        "45s",
    ),
)
STEPS = ("", "", "15s", "1m", "30s", "2m", "7s", "1m1ms", "5m", "0.25", "10s", "1h", "59s999ms")
OFFSETS = (
    *("1m", "5m", "-1m", "30s", "15s", "1h", "-3m", "0s", "90", "1ms", "-1ms", "-2h", "2h30m"),
    *("1d", "-1d", "200y", "14s999ms", "1e2", "- 5m", "+5m", "0x10"),
)
NUMBERS = _words(
    "0 1 2 3 5 10 -1 0.5 0.9 0.99 1.5 100 1e3 1e-3 NaN Inf -Inf +Inf 0x1F 1_000 .5 5m 1h30m 1e308 "
    "-0 1e+3 5. 0b11 010 1e1_0 0X1f 5e-324 1e400 9007199254740993 nan iNf inf 1ms 0.1 -2.5 1e16 3.0"
)
QUANTILES = ("0", "0.5", "0.9", "0.99", "1", "-1", "1.5", "NaN", "0.25")
LABELS = ("job", "instance", "code", "le", "kind", "path", "version", "os", "n", "nothing")
COUNTED = ("v", "v", "job", "le", "__name__", "", "with.dot", "new label")

GROUPING = (*LABELS, "__name__", '"service.name"', "by", '"a.b"', "pod", '"job"')
"""What stands in ``by``, ``on`` and the like; quoted where it has to be, and where it need not."""

PATTERNS = (
    *(".*", ".+", "", "a.*", "i[12]", "api|db", "i.", ".*1", "x|", "(?i)API", "[^a]*", "a"),
    *("^api$", "(api|db)?", "a{1}p+i*", "\\w+", "[[:alpha:]]+", "\\pL+", "(?s).+", ".*p.*|.*b"),
    *("i\\d", "(?:a)(pi)", "[a-c]pi|..", "200|404|500", "5..", ".{3}", "a|b|", "(?i:API|Db)"),
    *("x*?", "(?P<n>api)", "\\x61pi", "api|", "|", "()", "(?m)^api$", "\\bapi\\b", "[^\\d]+"),
    *("é|日本", "\\Qapi\\E", "\\d*"),
    *("(", "[a", "*", "a**", "a{1001}", "(?=a)", "\\8", "a)", "(?P<n", "[b-a]", "\\", "a{2,1}"),
)
"""Regular expressions, the last line of them wrong."""
TEXTS = (
    *('""', '"x"', '"new"', '"job"', "'y'", "`z`", '"a\\nb"', '"$1"', '"$1-$2"', '"é"', "'\\''"),
    *('"\\x41\\u00e9\\101"', '"\\q"', "`\\n`", '"\\U0001F600"', "'\"'", '"\\xff"', '"a', "'\\\"'"),
)

OFFSET_EXPRESSIONS = (
    *("(1m + 30s)", "step()", "-(2 * 30s)", "(5m / 2)", "range()", "-step()", "(2 ^ 3)"),
    *("max_of(1m, step())", "min_of(30s, 20)", "(7m % 2m)", "(-1m)", "1m + 1m"),
)
RANGE_EXPRESSIONS = (
    *("5m + 30s", "2 * 1m", "step()", "max_of(step(), 1m)", "min_of(10m, range() + 1m)"),
    *("(1h - 55m)", "10m / 3", "-(-2m)", "2 ^ 6", "step() * 3", "1h % 7m", "range() + 1"),
)
INFO_SELECTORS = (
    *("", "", ', {version=~".+"}', ", {__name__=~'.*_info'}", ", {__name__='build_info'}"),
    *(', {os!=""}', ', {version="1.0", __name__="target_info"}', ", {nothing=~'.*'}"),
)
FILLS = (
    *(" fill (0)", " fill_left (1)", " fill_right (NaN)", " fill(-1)"),
    *(" fill_left (0) fill_right (5)", " fill_right (2) fill_left (3)"),
)
