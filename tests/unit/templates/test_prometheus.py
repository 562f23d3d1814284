"""Prometheus' template functions, and templates of alerts as a real ``promtool`` expands them."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

import pytest

from qvmon.model.errors import invalid
from qvmon.templates import AlertTemplate, QueryNeeded, Surroundings, TemplateError, expand
from qvmon.templates.values import Slice

AROUND = Surroundings(
    {"cluster": "ldn"},
    "http://testhost:9090/path/prefix",
    1_353_755_652_000,
    {"up": [({"instance": "b"}, 21.0), ({"instance": "a"}, 11.0)], "none": []},
)
INF, NAN = math.inf, math.nan


def _each(function: str, *values: object) -> str:
    text = f"{{{{ range . }}}}{{{{ {function} . }}}}:{{{{ end }}}}"
    return expand("test", text, Slice(values), AROUND)


@pytest.mark.parametrize(
    ("function", "values", "text"),
    [
        (
            "humanize",
            (0.0, 1.0, 1234567.0, 0.12, -1, "1.0", ".12", 2**63 - 1),
            "0:1:1.235M:120m:-1:1:120m:9.223E:",
        ),
        ("humanize", (INF, -INF, NAN), "+Inf:-Inf:NaN:"),
        ("humanize1024", (0.0, 1.0, 1048576.0, 0.12, 2**63 - 1), "0:1:1Mi:0.12:8Ei:"),
        (
            "humanizeDuration",
            (0, 1, 60, 3600, 86400, 90000.0),
            "0s:1s:1m 0s:1h 0m 0s:1d 0h 0m 0s:1d 1h 0m 0s:",
        ),
        ("humanizeDuration", (-183845, 899.99), "-2d 3h 4m 5s:14m 59s:"),
        (
            "humanizeDuration",
            (0.1, 0.0001, 0.12345, 60.1, 1.2345, 12.345),
            "100ms:100us:123.5ms:1m 0s:1.234s:12.35s:",
        ),
        ("humanizePercentage", (-0.22222, 0.0, 0.1234567, 1.23456), "-22.22%:0%:12.35%:123.5%:"),
        (
            "humanizeTimestamp",
            (0, -1, 1435065584.128, NAN),
            (
                "1970-01-01 00:00:00 +0000 UTC:1969-12-31 23:59:59 +0000 UTC:"
                "2015-06-23 13:19:44.128 +0000 UTC:NaN:"
            ),
        ),
        ("toDuration", (1800, 0.5, 5400.25, -1), "30m0s:500ms:1h30m0.25s:-1s:"),
    ],
)
def test_numbers_are_made_readable(function: str, values: tuple, text: str) -> None:
    assert _each(function, *values) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{ query "up" | first | value }}', "21"),
        ('{{ query "up" | sortByLabel "instance" | first | label "instance" }}', "a"),
        ('{{ query "up" | first | label "nope" }}|{{ query "up" | first | strvalue }}', "|"),
        ('{{ range query "up" }}{{ .Labels.instance }}={{ .Value }} {{ end }}', "b=21 a=11 "),
        ('{{ with query "none" }}x{{ else }}empty{{ end }}', "empty"),
        ('{{ define "x" }}{{ .arg0 }} {{ .arg1 }}{{ end }}{{ template "x" (args 1 "2") }}', "1 2"),
        ('{{ reReplaceAll "(a)b" "x$1" "ab" }}', "xa"),
        ('{{ reReplaceAll "(?P<n>a)" "${n}!$$" "ba" }}', "ba!$"),
        ('{{ match "a+" "baa" }} {{ match "^a" "b" }}', "true false"),
        ('{{ "aa bb CC" | title }} {{ toUpper "aB" }} {{ toLower "aB" }}', "Aa Bb CC AB ab"),
        ('{{ graphLink "up > 1" }}', "/graph?g0.expr=up+%3E+1&g0.tab=0"),
        ('{{ tableLink "up" }}', "/graph?g0.expr=up&g0.tab=1"),
        ("{{ pathPrefix }} {{ externalURL }}", "/path/prefix http://testhost:9090/path/prefix"),
        ('{{ parseDuration "1h2m10ms" }} {{ parseDuration "-30m" }}', "3720.01 -1800"),
        ('{{ stripPort "a.b:1" }} {{ stripPort "[::1]:2" }} {{ stripPort "::1" }}', "a.b ::1 ::1"),
        ('{{ stripDomain "a.b.c:1" }} {{ stripDomain "10.0.0.1:1" }}', "a:1 10.0.0.1:1"),
        ("{{ now }}", "1.353755652e+09"),
        ('{{ (now | toTime).Format "Mon Jan 2 15:04:05 2006" }}', "Sat Nov 24 11:14:12 2012"),
        ("{{ (1800 | toDuration | (now | toTime).Add).UnixMilli }}", "1353757452000"),
        ('{{ (now | toTime).Format "2006-01-02T15:04:05.000Z07:00 Jan _2 3PM" }}',
         "2012-11-24T11:14:12.000Z Nov 24 11AM"),
        ('{{ "a b&c" | urlQueryEscape }} {{ "<b>" | safeHtml }}', "a+b%26c <b>"),
    ],
)  # fmt: skip
def test_functions_do_what_prometheus_documents(template: str, text: str) -> None:
    assert expand("test", template, None, AROUND) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ('{{ humanize "one" }}', ('test:1:3: executing "test" at <humanize "one">: error calling '
         'humanize: strconv.ParseFloat: parsing "one": invalid syntax')),
        ('{{ query "none" | first }}', "error calling first: first() called on vector with no"),
        ('{{ (query "none").banana }}', "can't evaluate field banana in type template.queryResult"),
        ('{{ reReplaceAll "(" "" "" }}', "error calling reReplaceAll: error parsing regexp"),
        ('{{ 9223372036854775807 | humanizeTimestamp }}', "since it overflows int64"),
        ('{{ parseDuration "soon" }}', 'not a valid duration string: "soon"'),
        ('{{ toUpper 1 }}', "wrong type for value; expected string; got int"),
        ('{{ first }}', "wrong number of args for first: want 1 got 0"),
        ('{{ "2006" | toTime "x" }}', "wrong number of args for toTime: want 1 got 2"),
        ('{{ .Nope.deeper }}', ""),
    ],
)  # fmt: skip
def test_errors_say_where_and_why(template: str, message: str) -> None:
    if not message:
        assert expand("test", template, None, AROUND) == "<no value>"
        return
    with pytest.raises(TemplateError) as caught:
        expand("test", template, None, AROUND)
    assert message in caught.value.message


def test_an_error_names_line_and_column_from_one() -> None:
    with pytest.raises(TemplateError) as caught:
        AlertTemplate("High", "fine\n  {{ nofunc }}")
    assert (caught.value.line, caught.value.column) == (2, 6)


def test_what_fails_stays_in_the_text_of_an_alert() -> None:
    template = AlertTemplate("High", '{{ humanize "x" }}')
    assert template.expand({}, 1.0, AROUND).startswith(
        "<error expanding template: error executing template __alert_High: "
    )


def test_an_alert_sees_its_labels_value_and_surroundings() -> None:
    text = "{{ $labels.a }}{{ .Labels.a }} {{ $value }} {{ $externalLabels.cluster }}"
    expanded = AlertTemplate("High", text + " {{ $externalURL }}").expand({"a": "x"}, 0.5, AROUND)
    assert expanded == "xx 0.5 ldn http://testhost:9090/path/prefix"


def test_a_query_is_asked_for_and_its_failure_is_an_error_of_the_template() -> None:
    template = AlertTemplate("High", '{{ query "q" | first | value }}')
    with pytest.raises(QueryNeeded) as caught:
        template.expand({}, 1.0, Surroundings())
    assert caught.value.text == "q"
    failed = template.expand({}, 1.0, Surroundings(queries={"q": invalid("no such thing")}))
    assert "error calling query: no such thing" in failed


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}", "steps"),
        ('{{ range 2000 }}{{ printf "%9999d" 1 }}{{ end }}', "characters of output"),
        ('{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}', "maximum template depth"),
        ("{{ if true }}" * 101, "nested deeper"),
        ("{{ " + "(" * 101 + "1" + ")" * 101 + " }}", "nested deeper"),
        ('{{ "" | printf "%999999999999d" }}', ""),
    ],
)
def test_a_template_is_bounded(template: str, message: str) -> None:
    if not message:
        assert len(expand("test", template, None, AROUND)) < 20_000
        return
    with pytest.raises(TemplateError) as caught:
        expand("test", template, None, AROUND)
    assert message in caught.value.message


@pytest.mark.parametrize("name", ["__class__", "encode", "format", "items", "keys", "type_name"])
def test_no_attribute_of_a_python_object_is_in_reach(name: str) -> None:
    for template in (f"{{{{ .{name} }}}}", f'{{{{ ("x").{name} }}}}', f"{{{{ (1).{name} }}}}"):
        with pytest.raises(TemplateError):
            expand("test", template, "text", AROUND)


# --- the real thing -------------------------------------------------------------------------------

TEMPLATES = [
    "{{ $labels.instance }} of {{ $labels.job }} is {{ $value }} ({{ humanize $value }})",
    "{{ $value | humanizePercentage }} {{ $value | humanize1024 }} {{ $value | humanizeDuration }}",
    '{{ printf "%.2f" $value }} {{ printf "%s|%q" $labels.instance $labels.none }}',
    '{{ if gt $value 100.0 }}high{{ else if eq $labels.job "x" }}x{{ else }}low{{ end }}',
    '{{ with query "m" }}{{ . | first | value | humanize }}{{ end }}',
    '{{ range query "m" | sortByLabel "instance" }}{{ .Labels.instance }}:{{ .Value }},{{ end }}',
    '{{ reReplaceAll "([a-z]+)[.](.*):([0-9]+)" "$3/$1" $labels.instance }}',
    "{{ $labels.instance | stripPort }} {{ $labels.instance | stripDomain }}",
    "{{ title $labels.job }}",
    '{{ match "^web" $labels.instance }} {{ toUpper $labels.job }} {{ .Labels.job }} {{ .Value }}',
    '{{ $value | printf "%.0f" | print "about " }}{{/* gone */ -}}   !',
    '{{ humanize "nope" }}',
    '{{ query "absent_metric" | first | value }}',
    '{{ eq $value 5 }}',
    '{{ graphLink "m > 1" }} {{ tableLink "m" }} {{ humanizeTimestamp 1435065584.128 }}',
    '{{ define "t" }}<{{ .arg0 }}>{{ end }}{{ template "t" (args $value) }}',
    '{{ index $labels "job" }} {{ len $labels.job }} {{ $labels.none }}|{{ html "<&>" }}',
]  # fmt: skip


@pytest.mark.server("prometheus")
def test_promtool_expands_annotations_to_the_same_text(promtool: str, tmp_path: Path) -> None:
    labels, value = {"__name__": "m", "instance": "web1.example.com:9090", "job": "api-x"}, 123.456
    around = Surroundings(queries={"m": [(labels, value)], "absent_metric": []}, time_ms=60_000)
    annotations = {f"a{i}": text for i, text in enumerate(TEMPLATES)}
    expected = {
        name: AlertTemplate("T", text).expand(labels, value, around)
        for name, text in annotations.items()
    }
    failing = {name for name, text in expected.items() if "error expanding" in text}
    assert failing == {"a11", "a12", "a13"}
    for name in failing:  # Prometheus counts columns from definitions it puts before the text
        del annotations[name], expected[name]
    rule = {"alert": "T", "expr": "m", "annotations": annotations}
    rules = {"groups": [{"name": "g", "rules": [rule]}]}
    alert = {"exp_labels": {k: labels[k] for k in ("instance", "job")}, "exp_annotations": expected}
    series = 'm{instance="web1.example.com:9090",job="api-x"}'
    test = {
        "input_series": [{"series": series, "values": "123.456 123.456"}],
        "interval": "1m",
        "alert_rule_test": [{"eval_time": "1m", "alertname": "T", "exp_alerts": [alert]}],
    }
    (tmp_path / "rules.yml").write_text(json.dumps(rules))
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "tests.yml").write_text(json.dumps(tests))
    ran = subprocess.run(
        [promtool, "test", "rules", "tests.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
