"""What somebody checks who knows only the documentation: every endpoint, used wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from tests.differential.asking import END, NOON, START, Call, Form, Sameness, form

_API = "/api/v1"
_READING = (
    *("query", "query_range", "query_exemplars", "format_query", "parse_query", "labels"),
    *("label/job/values", "series", "scrape_pools", "targets", "targets/metadata", "metadata"),
    *("targets/relabel_steps", "alertmanagers", "alerts", "rules", "status/config", "features"),
    *("status/runtimeinfo", "status/buildinfo", "status/flags", "status/tsdb", "notifications"),
    *("status/tsdb/blocks", "status/walreplay", "scrape_pools/config", "status/self_metrics"),
)
_WRITING = ("read", "write", "otlp/v1/metrics")
_PAGES = ("/-/healthy", "/-/ready", "/-/reload", "/-/quit", "/version", "/federate")
_LONG = (
    "sum by (namespace, job, instance, some_other_label) (rate(http_requests_total{code=~'5..',"
    "handler='/api/v1/query'}[5m])) / on (namespace) group_left () sum by (namespace) (total)"
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

TIMES = (
    *(
        "",
        "0",
        "-0",
        "1.5",
        "1704067200",
        "1704067200.9999",
        "1e9",
        "1E9",
        "+5",
        " 5",
        "5 ",
        "0x10",
    ),
    *("NaN", "Inf", "-Inf", "1_000", "1704067200000", "99999999999", "9223372036854775", "1e400"),
    *("9223372036855", "-9223372036854775", "9007199254740993", "1704067200,5", "now", "abc", "1h"),
    *("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.123456789Z", "2024-01-01T00:00:00+02:00"),
    *("2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01", "2024-13-01T00:00:00Z"),
    *("2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "24-1-1T0:0:0Z"),
    *("2024-01-01t00:00:00z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-292273086-05-16"),
    *("2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00-00:00", "2024-01-01T00:00:00+25:00"),
)
DURATIONS = (
    *("", "0", "1", "60", "1.5", "-1", "1m", "1h30m", "1m1h", "1d", "1w", "1y", "1ms", "0s", "-5m"),
    *(
        "5",
        "5M",
        " 5m",
        "5m ",
        "1.5m",
        "m",
        "1us",
        "NaN",
        "Inf",
        "1e3",
        "1e30",
        "abc",
        "+5m",
        "1_0",
    ),
    *("100y", "300y", "9223372036", "9223372037", "0.0001", "0.001", "1m30", "1h 30m"),
)
_TOO_SHORT = {"1ms", "0.0001", "0.001"}
"""Times in which a query may or may not be done."""

LIMITS: tuple[str, ...] = (
    "",
    "0",
    "1",
    "2",
    "-1",
    "1.5",
    "x",
    "+3",
    " 1",
    "1e2",
    "0x10",
    "9223372036854775807",
)
LIMITS += ("9223372036854775808", "99999999999999999999", "1_0", "٣")
SELECTORS = (
    *(
        "load",
        "{}",
        "{job='api'}",
        '{job=~"a.*"}',
        '{job=""}',
        '{job!="api"}',
        "",
        " ",
        "load{",
        "1",
    ),
    *(
        '{__name__="load"}',
        '{"load"}',
        '{"my.dotted.metric"}',
        "my.dotted.metric",
        "load[5m]",
        "{,}",
    ),
    *(
        "load offset 1m",
        "load @ 5",
        "sum(load)",
        '{job=~"("}',
        "{job=api}",
        '{"job"="api"}',
        "load}",
    ),
    *('{job="api",}', '{__name__=~".+"}', '{__name__!=""}', "load;up", "load # c", "load or up"),
)
LABEL_NAMES = (
    *(
        "job",
        "__name__",
        "le",
        "nothing",
        "",
        "1bad",
        "a-b",
        "a.b",
        "U__a_2e_b",
        "U__a_2E_b",
        "U__",
    ),
    *("U__a__b", "U__a_", "U___", "U__a_zz_b", "U__a_110000_", "U__o_f9_", "%C3%B9", "o%C3%B9"),
    *("service.name", "with%20space", "with+space", "a%2Fb", "a%00b", "%FF", "U__with_20_space"),
)


def outside_calls() -> Iterator[Call]:
    """Yield the requests; none of them changes anything."""
    yield from _methods()
    yield from _paths()
    yield from _instants()
    yield from _ranges()
    yield from _series()
    yield from _labels()
    yield from _targets()
    yield from _rules()
    yield from _status()
    yield from _exemplars()
    yield from _language()
    yield from _headers()


def _methods() -> Iterator[Call]:
    """Every endpoint by every method, without parameters."""
    for name, method in product((*_READING, *_WRITING), _METHODS):
        right = name in _READING and method in {"GET", "HEAD"}
        yield Call(f"{_API}/{name}", method=method, like=_for(name) if right else Sameness.EXACT)
    for path, method in product(_PAGES, _METHODS):
        yield Call(path, method=method, like=Sameness.STATUS)
    for name in ("delete_series", "clean_tombstones", "snapshot"):
        for method in ("GET", "HEAD", "PATCH", "DELETE", "OPTIONS"):
            yield Call(f"{_API}/admin/tsdb/{name}", method=method)


def _for(name: str) -> Sameness:
    varying = ("status/", "features", "scrape_pools/config", "targets", "metadata", "alert")
    return Sameness.SHAPE if name.startswith(varying) else Sameness.EXACT


def _paths() -> Iterator[Call]:
    for path in (
        *("/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/query/", "/api/v2"),
        *("/api/v1//query", "/api/v1/Query", "/API/v1/query", "/api/v1/query/x", "/api/v1/label"),
        *("/api/v1/label/", "/api/v1/label/job", "/api/v1/label/job/values/", "/api/v1/labels/"),
        *("/api/v1/label//values", "/api/v1/label/a/b/values", "/api/v1/status", "/api/v1/admin"),
        *("/api/v1/status/nothing", "/api/v1/admin/tsdb", "/api/v1/targets/nothing", "/-/nothing"),
        *("/api/v1/search", "/api/v1/search/metric_names", "/api/v1/search/label_names"),
        *("/api/v1/search/label_values", "/api/v1/query_cost", "/api/v1/query_range_cost"),
        *("/api/v1/../v1/query", "/api/v1/%71uery", "/api/v1/query%2F", "/-/", "/-", "/federate/"),
        *("/metrics/", "/version/", "/-/healthy/", "/-/ready/", "/api/v1/openapi.json"),
    ):
        yield Call(path, form(query="1", time="1"), like=Sameness.STATUS)
    for path in ("/api/v1/nothing", "/api/v1/", "/api/v1/status/nothing"):
        for method in _METHODS:
            yield Call(path, method=method, like=Sameness.STATUS)


def _instants() -> Iterator[Call]:
    path, at = f"{_API}/query", str(NOON)
    for time in TIMES:
        now = Sameness.EXACT if time else Sameness.SHAPE
        yield Call(path, form(query="1", time=time), like=now)
    for lookback in DURATIONS:
        yield Call(path, form(query="load", time=at, lookback_delta=lookback))
        if lookback not in _TOO_SHORT:
            yield Call(path, form(query="1", time=at, timeout=lookback))
    for limit in LIMITS:
        yield Call(path, form(query="sort(load)", time=at, limit=limit))
    for stats in ("", "0", "false", "ALL"):
        shape = form(query="load", time=at, stats=stats)
        yield Call(path, shape, like=Sameness.SHAPE)
    yield Call(path, (("query", "1"), ("query", "2"), ("time", at)))
    yield Call(path, (("query", "1"), ("time", at), ("time", "5")))
    yield Call(path, (*form(query="1", time=at), ("nonsense", "x"), ("", "")))
    yield Call(path, form(Query="1", time=at))
    for query in ("up{", "rate(up)", "up[5m:", 'label_replace(up,"1","","","")', "\x00", "é", "'"):
        for method in ("GET", "POST"):
            yield Call(path, form(query=query, time=at), method)


def _ranges() -> Iterator[Call]:
    path = f"{_API}/query_range"
    for time in TIMES:
        yield Call(path, form(query="1", start=time, end=END, step="1h"))
        yield Call(path, form(query="1", start=START, end=time, step="10y"))
    for step in DURATIONS:
        yield Call(path, form(query="load", start=START, end=END, step=step))
    for limit in LIMITS:
        yield Call(path, form(query="load", start=START, end=END, step="600", limit=limit))
    for timeout in ("x", "-1", "1h", ""):
        yield Call(path, form(query="1", start=START, end=END, step="600", timeout=timeout))
    for query in ("", "load{", "load[5m]", "'x'", "rate(load)", "absent(nothing)"):
        yield Call(path, form(query=query, start=START, end=END, step="600"))
    for step in ("0.1", "0.16", "0.163", "0.164", "0.17"):  # about 11,000 points
        yield Call(path, form(query="1", start=START, end=END, step=step), like=Sameness.STATUS)
    yield Call(path, form(start="x", end="y", step="z", query="{"))
    yield Call(path, form(end="y", step="z", query="{"))


def _series() -> Iterator[Call]:
    path, window = f"{_API}/series", form(start=START, end=END)
    for match in SELECTORS:
        yield Call(path, (*form(match=match), *window))
        yield Call(path, (*form(match=match), *form(match="load"), *window))
    for time in TIMES:
        yield Call(path, form(match="load", start=time))
        yield Call(path, form(match="load", end=time))
    for limit in LIMITS:
        like = Sameness.SHAPE if limit in {"1", "2", "+3"} else Sameness.EXACT
        yield Call(path, (*form(match="load", limit=limit), *window), like=like)
    yield Call(path, (("match", "load"), *window))


def _labels() -> Iterator[Call]:
    window = form(start=START, end=END)
    for name in LABEL_NAMES:
        yield Call(f"{_API}/label/{name}/values", window)
    for name in ("labels", "label/job/values"):
        path = f"{_API}/{name}"
        for match in SELECTORS:
            yield Call(path, (*form(match=match), *window))
        for time in TIMES:
            yield Call(path, form(start=time, end=END))
            yield Call(path, form(start=START, end=time))
        for limit in LIMITS:
            yield Call(path, (*form(limit=limit), *window))


def _targets() -> Iterator[Call]:
    for state, pool in product(
        ("", "active", "dropped", "any", "ACTIVE", "x"), ("", "exporter", "x")
    ):
        yield Call(f"{_API}/targets", form(state=state, scrapePool=pool), like=Sameness.SHAPE)
    for name in ("metadata", "targets/metadata"):
        for limit in LIMITS:
            few = limit in {"1", "2", "+3"}
            like = Sameness.STATUS if few else Sameness.EXACT
            yield Call(f"{_API}/{name}", form(limit=limit), like=like)
            if name == "metadata":
                yield Call(f"{_API}/{name}", form(limit_per_metric=limit))
    for match in (*SELECTORS, "{job='exporter'}", '{instance=~".+"}'):
        yield Call(f"{_API}/targets/metadata", form(match_target=match))
        several = form(match_target=match, metric="demo_seconds")
        yield Call(f"{_API}/targets/metadata", several)
    for path in ("targets/relabel_steps", "scrape_pools/config"):
        for pool in ("", "exporter", "dropping", "nothing"):
            yield Call(f"{_API}/{path}", form(scrapePool=pool))
    for labels in ("", "{}", '{"job":"x"}', "x", "[]"):
        asked = form(scrapePool="dropping", labels=labels)
        yield Call(f"{_API}/targets/relabel_steps", asked)


def _rules() -> Iterator[Call]:
    path = f"{_API}/rules"
    several: tuple[Form, ...] = (
        (("rule_name[]", "Always"), ("rule_name[]", "Never")),
        (("rule_name[]", "nothing"),),
        (("rule_name[]", ""),),
        (("rule_group[]", "first"), ("rule_group[]", "second")),
        (("rule_group[]", "first"), ("rule_name[]", "Always")),
        (("file[]", ""),),
        (("match[]", '{severity="page"}'), ("match[]", '{severity="info"}')),
        (("match[]", '{severity!="page"}'),),
        (("match[]", '{kind="derived"}'),),
        (("match[]", ""),),
        (("match[]", "{}"),),
        (("match[]", "load"),),
        form(type="alert", exclude_alerts="1"),
        form(type="ALERT"),
        form(type=""),
        form(exclude_alerts=""),
        form(exclude_alerts="t"),
        form(exclude_alerts="yes"),
        form(group_next_token=""),
        (("match[]", "sum(x)"),),
    )
    for asked in several:
        yield Call(path, asked)
    for limit in LIMITS:
        yield Call(path, form(group_limit=limit))


def _status() -> Iterator[Call]:
    for limit in LIMITS:
        yield Call(f"{_API}/status/tsdb", form(limit=limit), like=Sameness.SHAPE)
    for name in ("alertmanagers", "alerts", "notifications", "status/walreplay"):
        yield Call(f"{_API}/{name}", form(nonsense="x"), like=Sameness.STATUS)


def _exemplars() -> Iterator[Call]:
    path = f"{_API}/query_exemplars"
    for time in TIMES:
        yield Call(path, form(query="demo_requests_total", start=time, end=END))
        yield Call(path, form(query="demo_requests_total", start="1", end=time))
    for query in SELECTORS:
        yield Call(path, form(query=query, start="1", end=END))


def _language() -> Iterator[Call]:
    for query in (
        *SELECTORS,
        *("up{a='\\x41'}", "sum by () (x)", "sum by (a,) (x)", "x offset -5m", "-x", "+x", "--x"),
        *("1e3", "0x1F", "1_000", "010", ".5", "5.", "1h30m", "Inf", "-inf", "NaN", "1e400", "1e-"),
        *(
            "'a\\nb'",
            '"é"',
            "`raw`",
            '"\\u00e9"',
            "a+b-c*d/e%f^g",
            "a==b!=c",
            "a>=bool b",
            "a atan2 b",
        ),
        *("a and on() b", "a*on(x,y)group_left(z)b", "a unless ignoring(c) b", "x[5m]", "x[5m:]"),
        *(
            "x[5m:1m] @ 3 offset 1h",
            "x @ start()",
            "rate(x[5m])[1h:1m]",
            "topk(3,x)by(a)",
            "time()",
        ),
        *("count_values('v',x)", "quantile(.9,x)", "absent_over_time(x[1m])", "vector(1)", "(x)"),
        *(
            "sum(rate(x{a='b'}[5m]))by(c)/sum(y)without(d)",
            "x{__name__='y'}",
            '{"x"}',
            '{"a b"="c"}',
        ),
        *(
            "x[1h30m15s5ms]",
            "x[90]",
            "x[1d]",
            "x[step()]",
            "x[5m+1m]",
            "x smoothed",
            "x[5m] anchored",
        ),
        *("a * on(x) group_left fill(0) b", "info(x)", "info(x,{a='b'})", "foo(x)", "sum(x", "x)"),
        *("a\n+\nb", "# c", "x # c", "label_join(x,'a','-','b','c')", "histogram_quantile(.9,x)"),
        _LONG,
    ):
        yield Call(f"{_API}/format_query", form(query=query))
        yield Call(f"{_API}/parse_query", form(query=query))


def _headers() -> Iterator[Call]:
    path, asked = f"{_API}/query", form(query="load", time=str(NOON))
    for accept in ("application/json", "text/html", "*/*", "application/x-nothing", ""):
        yield Call(path, asked, headers=(("Accept", accept),))
    for encoding in ("", "*", "gzip;q=0", "gzip;q=0.5, zstd;q=1", "GZIP", "identity;q=0", "x"):
        yield Call(path, asked, headers=(("Accept-Encoding", encoding),))
    for kind in ("application/json", "text/plain", "multipart/form-data", ""):
        body = b"query=load&time=1704067200"
        yield Call(path, method="POST", headers=(("Content-Type", kind),), body=body)
    typed = (("Content-Type", "application/x-www-form-urlencoded"),)
    for body in (
        b"",
        b"query",
        b"query=%zz",
        b"query=1;time=2",
        b"query=1&&time=1",
        b"query=1+%2b1",
    ):
        yield Call(
            path, method="POST", headers=typed, body=body, note=repr(body), like=_shape(body)
        )
    yield Call(f"{path}?query=1&time=5", method="POST", headers=typed, body=b"query=2&time=6")
    for query in ("query=%zz&time=1", "query=1&time=5;", "query=1;time=5", "query=1&time=1&%zz=1"):
        yield Call(f"{path}?{query}", like=Sameness.SHAPE)


def _shape(body: bytes) -> Sameness:
    return Sameness.EXACT if b"time" in body else Sameness.SHAPE
