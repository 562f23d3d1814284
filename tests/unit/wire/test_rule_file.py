import pytest

from qvmon.wire.rule_file import AlertingRule, RecordingRule, decode
from qvmon.wire.yaml_document import DocumentError

GOOD = """\
groups:
  - name: trading
    interval: 15s
    query_offset: 5s
    limit: 10
    labels: {team: desk, tier: 1}
    rules:
      - record: job:errors:rate1m
        expr: sum by (job) (rate(errors_total[1m]))
        labels: {team: core}
      - alert: HighErrors
        expr: |
          job:errors:rate1m
            > 5
        for: 1m30s
        keep_firing_for: 10m
        labels:
          severity: critical
        annotations:
          summary: "{{ $labels.job }} at {{ $value | humanize }}"
  - name: plain
    rules:
"""


def _messages(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        decode(text, "r.yml")
    return [str(problem) for problem in caught.value.problems]


def test_a_file_becomes_groups_with_every_field_and_the_groups_labels() -> None:
    trading, plain = decode(GOOD, "r.yml")
    assert (trading.file, trading.name, trading.limit, trading.line) == ("r.yml", "trading", 10, 2)
    assert (trading.interval_ms, trading.query_offset_ms) == (15_000, 5_000)
    recording, alerting = trading.rules
    assert isinstance(recording, RecordingRule)
    assert recording.labels == {"team": "core", "tier": "1"}
    assert isinstance(alerting, AlertingRule)
    assert (alerting.for_ms, alerting.keep_firing_for_ms, alerting.line) == (90_000, 600_000, 11)
    assert {name: each.text for name, each in alerting.labels.items()} == {
        "team": "desk",
        "tier": "1",
        "severity": "critical",
    }
    assert (plain.interval_ms, plain.query_offset_ms, plain.rules) == (None, None, ())


@pytest.mark.parametrize("text", ["", "groups:\n", "groups: []\n", "# only a comment\n"])
def test_a_file_may_hold_nothing(text: str) -> None:
    assert decode(text, "r.yml") == ()


def _rule(*lines: str) -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"groups:\n  - name: g\n    rules:\n      - \n{body}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups:\n  - rules: []\n", "r.yml:2:5: Groupname must not be empty"),
        (
            "groups:\n  - name: a\n  - name: a\n",
            'r.yml:3:5: groupname: "a" is repeated in the same file',
        ),
        (
            _rule("expr: up"),
            "r.yml:5:9: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set",
        ),
        (
            _rule("record: a", "alert: b", "expr: up"),
            "r.yml:5:9: group \"g\", rule 1, \"b\": only one of 'record' and 'alert' must be set",
        ),
        (
            _rule("alert: b"),
            'r.yml:5:9: group "g", rule 1, "b": field \'expr\' must be set in rule',
        ),
        (
            _rule("record: a", "expr: up", "for: 1m"),
            'r.yml:7:9: group "g", rule 1, "a": invalid field \'for\' in recording rule',
        ),
        (
            _rule("record: a{b}", "expr: up"),
            (
                'r.yml:5:9: group "g", rule 1, "a{b}": braces present in the recording rule name; '
                "should it be in expr?: a{b}"
            ),
        ),
        (
            _rule("alert: b", "expr: up", "labels:", "  __name__: x"),
            'r.yml:8:11: group "g", rule 1, "b": invalid label name: __name__',
        ),
        (
            _rule("alert: b", "expr: up", "annotations:", '  summary: "{{ $nope }}"'),
            (
                'r.yml:8:11: group "g", rule 1, "b": annotation "summary": '
                'template: __alert_b:1: undefined variable "$nope"'
            ),
        ),
        (
            _rule("alert: b", "expr: up", "labels:", '  s: "{{ broken"'),
            (
                'r.yml:8:11: group "g", rule 1, "b": label "s": '
                "template: __alert_b:1: unclosed action"
            ),
        ),
        (
            _rule("alert: b", "expr: up", "for: 5"),
            'r.yml:7:9: groups.0.rules.0.for: not a valid duration string: "5"',
        ),
        (
            _rule("alert: b", "exprs: up"),
            "r.yml:6:9: groups.0.rules.0.exprs: unknown field",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str) -> None:
    assert message in _messages(text)


def test_an_expression_that_cannot_be_parsed_is_told_in_promqls_words() -> None:
    (message,) = _messages(_rule("alert: b", "expr: up ==="))
    assert message.startswith('r.yml:6:9: group "g", rule 1, "b": could not parse expression: 1:')


def test_everything_wrong_is_told_at_once() -> None:
    text = _rule("alert: b", "expr: (", "annotations:", '  a: "{{"', '  b: "{{ end }}"')
    assert len(_messages(text)) == 3
