"""Requests to the HTTP API; what may differ stands beside each."""

from __future__ import annotations

from collections.abc import Iterator

from tests.differential.asking import END, NOON, START, Call, Form, Sameness
from tests.differential.asking import form as _form
from tests.differential.outside_calls import outside_calls
from tests.differential.sender import read_request
from tests.differential.series import BEGIN_MS


def calls() -> Iterator[Call]:
    """Yield every request, those that delete last."""
    yield from _instant()
    yield from _range()
    yield from _series()
    yield from _labels()
    yield from _language()
    yield from _surroundings()
    yield from _exemplars()
    yield from _searches()
    yield from _federation()
    yield from _reading()
    yield from _errors()
    yield from outside_calls()
    yield from _administration()


def _instant() -> Iterator[Call]:
    path, at = "/api/v1/query", str(NOON)
    for query in ("load", "1", '"text"', "load[1m]", "time()", "absent(nothing)", "sort(load)"):
        yield Call(path, _form(query=query, time=at))
    rate = "sum by (job) (rate(requests_total[5m]))"
    yield Call(path, _form(query=rate, time=at), "POST")
    for time in (f"{at}.123", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", "1e9", "-1"):
        yield Call(path, _form(query="load", time=time))
    for limit in ("0", "1", "3", "-1", "x", "1.5"):
        yield Call(path, _form(query="load", time=at, limit=limit))
    for lookback in ("1m", "30", "0", "x", "-5m", "1s", ""):
        yield Call(path, _form(query="load", time=at, lookback_delta=lookback))
    for timeout in ("1s", "0", "x", "100", "-1s"):
        yield Call(path, _form(query="load", time=at, timeout=timeout))
    for stats in ("all", "1", "true", "nonsense"):
        yield Call(path, _form(query="load", time=at, stats=stats), like=Sameness.SHAPE)
    for query in ("rate(load[5m])", "histogram_quantile(2, latency_bucket)", "quantile(2, load)"):
        yield Call(path, _form(query=query, time=at))


def _range() -> Iterator[Call]:
    path = "/api/v1/query_range"
    for query in ("load", "1", "rate(requests_total[5m])", '"text"', "load[1m]", "vector(time())"):
        yield Call(path, _form(query=query, start=START, end=END, step="60"))
    yield Call(path, _form(query="up", start=START, end=END, step="1m"), "POST")
    for step in ("0", "-1", "x", "0.001", "1m30s", "15.5", ""):
        yield Call(path, _form(query="up", start=START, end=END, step=step))
    yield Call(path, _form(query="up", start=END, end=START, step="60"))
    yield Call(path, _form(query="up", end=END, step="60"))
    yield Call(path, _form(query="up", start=START, step="60"))
    yield Call(path, _form(query="up", start=START, end=END))
    yield Call(path, _form(query="up", start="x", end=END, step="60"))
    yield Call(path, _form(start=START, end=END, step="60"))
    for limit in ("1", "0", "x"):
        yield Call(path, _form(query="up", start=START, end=END, step="60", limit=limit))
    every = _form(query="up", start=START, end=END, step="60", stats="all")
    yield Call(path, every, like=Sameness.SHAPE)


def _series() -> Iterator[Call]:
    path, window = "/api/v1/series", _form(start=START, end=END)
    for match in ("load", '{job="api"}', '{__name__=~"l.*"}', "nothing", '{"my.dotted.metric"}'):
        yield Call(path, (*_form(match=match), *window))
    yield Call(path, (("match[]", "load"), ("match[]", "up"), *window))
    yield Call(path, (("match[]", "load"), *window), "POST")
    yield Call(path, window)
    for match in ("{}", '{job=~".*"}', "load{", "rate(load[5m])", "", "load[5m]", "load offset 5m"):
        yield Call(path, (*_form(match=match), *window))
    for limit in ("0", "x", "-1", "100000"):
        yield Call(path, (*_form(match="load", limit=limit), *window))
    yield Call(path, (*_form(match="load", limit="2"), *window), like=Sameness.SHAPE)
    yield Call(path, _form(match="load", start="x"))
    yield Call(path, _form(match="load", start=END, end=START))
    yield Call(path, _form(match="load", start="1", end="2"))


def _labels() -> Iterator[Call]:
    window = _form(start=START, end=END)
    for path in ("/api/v1/labels", "/api/v1/label/job/values", "/api/v1/label/__name__/values"):
        yield Call(path, window)
        yield Call(path, (*_form(match="load"), *window))
        yield Call(path, (("match[]", "load"), ("match[]", "latency_sum"), *window))
        yield Call(path, (*_form(match="{}"), *window))
        yield Call(path, (*_form(match="load{"), *window))
        for limit in ("0", "1", "x", "-2"):
            yield Call(path, (*_form(limit=limit), *window))
        yield Call(path, _form(start="x"))
        yield Call(path, _form(start=END, end=START))
    yield Call("/api/v1/labels", window, "POST")
    for name in ("nothing", "a.b", "U__a_2e_b", "1bad", "o%C3%B9", "x-y", "le"):
        yield Call(f"/api/v1/label/{name}/values", window)


def _language() -> Iterator[Call]:
    queries = (
        *("load", "sum(rate(x[5m]))by(job)", "1+2*3", "a and on(b) group_left(c) d", "load{", ""),
        *('{"my.dotted.metric"}', "x[5m:1m] offset 1h", "-x^2", "x @ end()", "topk(3,x)", "'a'"),
        *("sum without(a,b)(x)/ignoring(c)y", "rate(x[5m] anchored)", "x + fill(0) y", "((x))"),
        *(
            "label_replace(x,'a','$1','b','(.*)')",
            "histogram_quantile(0.9,sum by(le)(rate(h[5m])))",
        ),
        *(
            "x # comment",
            "1 == bool 2",
            "NaN",
            "Inf",
            "0x1f",
            "1h",
            'x{a=~"b.*",c!="d"}',
            "absent(",
        ),
        *("very_long_metric_name{with_a_label='value'} + another_long_metric_name * on(x) y"),
    )
    for query in queries:
        yield Call("/api/v1/format_query", _form(query=query))
        yield Call("/api/v1/parse_query", _form(query=query))
    yield Call("/api/v1/format_query", _form(query="a+b"), "POST")
    yield Call("/api/v1/parse_query", _form(query="a+b"), "POST")
    yield Call("/api/v1/format_query")


def _surroundings() -> Iterator[Call]:
    for state in ("", "active", "dropped", "any", "nonsense"):
        yield Call("/api/v1/targets", _form(state=state))
    for pool in ("exporter", "down", "nothing"):
        yield Call("/api/v1/targets", _form(scrapePool=pool))
    yield Call("/api/v1/scrape_pools")
    for form in (
        (),
        _form(metric="demo_requests_total"),
        _form(metric="nothing"),
        _form(limit="1"),
        _form(limit="x"),
        _form(limit="0"),
        _form(limit_per_metric="1"),
        _form(limit_per_metric="x"),
    ):
        like = Sameness.STATUS if ("limit", "1") in form else Sameness.EXACT
        yield Call("/api/v1/metadata", form, like=like)
        if not dict(form).get("limit_per_metric"):
            yield Call("/api/v1/targets/metadata", form, like=like)
    for target in ('{job="exporter"}', '{job="nothing"}', "{", ""):
        yield Call("/api/v1/targets/metadata", (("match_target", target),))
    for form in (
        (),
        _form(type="alert"),
        _form(type="record"),
        _form(type="nonsense"),
        (("rule_name[]", "Always"),),
        (("rule_group[]", "first"),),
        (("rule_group[]", "nothing"),),
        (("file[]", "nothing"),),
        _form(exclude_alerts="true"),
        _form(exclude_alerts="x"),
        _form(match='{severity="page"}'),
        _form(match="{"),
        _form(group_limit="1"),
        _form(group_limit="x"),
        _form(group_next_token="nonsense"),
        _form(group_limit="1", group_next_token="nonsense"),
    ):
        yield Call("/api/v1/rules", form)
    yield Call("/api/v1/alerts")
    yield Call("/api/v1/alertmanagers")
    for what in ("config", "runtimeinfo", "buildinfo", "flags", "tsdb", "tsdb/blocks", "walreplay"):
        yield Call(f"/api/v1/status/{what}", like=Sameness.SHAPE)
    for limit in ("1", "0", "-1", "x", "10001"):
        yield Call("/api/v1/status/tsdb", _form(limit=limit), like=Sameness.SHAPE)
    yield Call("/api/v1/notifications")
    yield Call("/api/v1/features", like=Sameness.STATUS)
    for path in ("/-/healthy", "/-/ready"):
        yield Call(path, like=Sameness.STATUS)
        yield Call(path, method="HEAD", like=Sameness.STATUS)


def _exemplars() -> Iterator[Call]:
    path = "/api/v1/query_exemplars"
    everything = _form(start="1", end="4000000000")
    for query in ("demo_requests_total", "demo_seconds_bucket", "rate(demo_requests_total[5m])"):
        yield Call(path, (*_form(query=query), *everything))
    yield Call(path, (*_form(query="nothing"), *everything))
    yield Call(path, (*_form(query="x{"), *everything))
    yield Call(path, everything)
    yield Call(path, _form(query="demo_requests_total", start=END, end=START))
    yield Call(path, _form(query="demo_requests_total", start="x"))
    yield Call(path, (*_form(query="demo_requests_total"), *everything), "POST")


def _searches() -> Iterator[Call]:
    """Yield searches: every parameter, right and wrong, at every endpoint."""
    window = _form(start=START, end=END)
    for form in (
        (),
        _form(match="requests_total"),
        (*_form(match="load"), *_form(match="up")),
        _form(limit="3"),
        _form(limit="3", sort_by="alpha", sort_dir="dsc"),
        _form(limit="7", batch_size="2"),
        _form(include_score="true"),
        *_terms(),
        *_wrong_searches(),
    ):
        for endpoint in ("metric_names", "label_names"):
            yield Call(f"/api/v1/search/{endpoint}", (*form, *window))
        for label in ("job", "__name__"):
            yield Call("/api/v1/search/label_values", (*form, *window, ("label", label)))
    yield Call("/api/v1/search/label_values", window)
    yield Call("/api/v1/search/metric_names", _form(start=END, end=START))
    yield Call("/api/v1/search/metric_names", _form(start="x"))
    yield Call("/api/v1/search/metric_names", window, "POST")
    for described in ("true", "maybe"):
        now = (("include_metadata", described), ("search[]", "demo"), ("sort_by", "score"))
        yield Call("/api/v1/search/metric_names", now)


def _terms() -> Iterator[Form]:
    """Yield words that are looked for, in each way there is."""
    words = (
        "total",
        "reqeusts_totl",
        "o",
        "e",
        "LOAD",
        "",
        "tmp",
        "日",
        "é",
        "requests_total",
        "zz",
    )
    for word in words:
        for way in (
            {},
            {"fuzz_alg": "jarowinkler"},
            {"fuzz_alg": "jarowinkler", "fuzz_threshold": "50"},
            {"fuzz_alg": "subsequence", "fuzz_threshold": "60"},
            {"fuzz_alg": "jarowinkler", "fuzz_threshold": "80", "case_sensitive": "false"},
        ):
            ranked = {**way, "include_score": "true", "sort_by": "score"}
            yield (("search[]", word), *ranked.items())
    yield (("search[]", "total"), ("search[]", "up"), ("include_score", "1"))
    yield (("search[]", "o"), ("sort_by", "score"), ("limit", "4"), ("batch_size", "3"))


def _wrong_searches() -> Iterator[Form]:
    for name, value in (
        *(("limit", "0"), ("limit", "x"), ("limit", "10001"), ("limit", "-1")),
        *(("batch_size", "0"), ("batch_size", "x"), ("fuzz_threshold", "101")),
        *(("fuzz_threshold", "-1"), ("fuzz_threshold", "x"), ("fuzz_alg", "best")),
        *(("case_sensitive", "maybe"), ("include_score", "maybe"), ("sort_by", "size")),
        *(("sort_by", "score"), ("sort_dir", "asc"), ("match[]", "{"), ("match[]", "{}")),
    ):
        yield ((name, value),)
    yield (("sort_by", "alpha"), ("sort_dir", "up"))
    yield (("search[]", "a"), ("sort_by", "score"), ("sort_dir", "asc"))
    yield tuple(("search[]", str(number)) for number in range(33))


def _federation() -> Iterator[Call]:
    for match in ("demo_requests_total", '{job="exporter"}', "nothing", "{", "{}", "demo:twice"):
        yield Call("/federate", _form(match=match), like=Sameness.TEXT)
    yield Call("/federate", like=Sameness.TEXT)
    both = (("match[]", "demo_requests_total"), ("match[]", "demo_temperature_celsius"))
    yield Call("/federate", both, like=Sameness.TEXT)


def _reading() -> Iterator[Call]:
    """Yield remote reads: of one metric, of several, of a part of the time, of nothing."""
    whole = (BEGIN_MS, BEGIN_MS + 7_200_000)
    later = (BEGIN_MS + 3_600_000, BEGIN_MS + 3_900_000)
    headers = (
        ("Content-Type", "application/x-protobuf"),
        ("Content-Encoding", "snappy"),
        ("X-Prometheus-Remote-Read-Version", "0.1.0"),
    )
    for (start, end), *matchers in (
        (whole, ("__name__", "=", "load")),
        (later, ("__name__", "=~", "load|up|wild"), ("job", "!=", "db")),
        (later, ("__name__", "=", "latency_bucket"), ("le", "!~", "0.*")),
        (later, ("__name__", "=", "nothing")),
        ((0, 1), ("__name__", "=", "load")),
        (whole, ("__name__", "=", "load"), ("instance", "=", "")),
    ):
        yield Call(
            "/api/v1/read",
            method="POST",
            headers=headers,
            like=Sameness.READ,
            body=read_request(start, end, *matchers),
            note=f"{matchers} {start}-{end}",
        )


def _errors() -> Iterator[Call]:
    path = "/api/v1/query"
    for query in (
        "",
        "load{",
        "sum(",
        "rate(load)",
        "load[5m",
        "1 + ",
        "unknown(load)",
        "load +* 2",
    ):
        yield Call(path, _form(query=query))
    yield Call(path)
    yield Call(path, _form(query="load", time="x"))
    yield Call(path, _form(query="load + on(job) up", time=str(NOON)))
    yield Call(path, _form(query='label_replace(load, "", "", "", "")', time=str(NOON)))
    yield Call("/api/v1/nothing", like=Sameness.STATUS)
    yield Call("/api/v1/query", method="DELETE", like=Sameness.STATUS)
    yield Call("/api/v1/query", method="OPTIONS", like=Sameness.STATUS)
    origin = (("Origin", "http://example.org"),)
    yield Call("/api/v1/query", _form(query="1", time="1"), headers=origin)
    for encoding in ("gzip", "identity", "zstd", "gzip, zstd", "deflate", "br"):
        accept = (("Accept-Encoding", encoding),)
        yield Call("/api/v1/query", _form(query="load", time=str(NOON)), headers=accept)
    yield Call("/api/v1/read", method="POST", body=b"nonsense", like=Sameness.STATUS)
    yield Call("/api/v1/write", method="POST", body=b"nonsense", like=Sameness.STATUS)
    wrong = (("Content-Type", "text/plain"),)
    yield Call("/api/v1/write", method="POST", body=b"", headers=wrong, like=Sameness.STATUS)


def _administration() -> Iterator[Call]:
    admin = "/api/v1/admin/tsdb"
    yield Call(f"{admin}/delete_series", method="POST")
    yield Call(f"{admin}/delete_series", _form(match="{"), "POST")
    yield Call(f"{admin}/delete_series", _form(match="load", start="x"), "POST")
    yield Call(f"{admin}/delete_series", _form(match="load"), "GET", like=Sameness.STATUS)
    yield Call(f"{admin}/snapshot", _form(skip_head="x"), "POST")
    yield Call(f"{admin}/snapshot", method="POST", like=Sameness.SHAPE)
    gone = _form(match='load{job="api"}', start=str(NOON - 600), end=str(NOON))
    yield Call(f"{admin}/delete_series", gone, "POST")
    yield Call("/api/v1/query", _form(query="load[30m]", time=str(NOON + 600)))
    yield Call(f"{admin}/delete_series", _form(match="up"), "PUT")
    yield Call("/api/v1/query", _form(query="up", time=str(NOON)))
    yield Call(f"{admin}/clean_tombstones", method="POST")
    yield Call("/api/v1/query", _form(query="load[30m]", time=str(NOON + 600)))
