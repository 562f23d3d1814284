"""Relabelling does what Prometheus' does: the cases of its own tests and documentation."""

import hashlib
from typing import Any

import pytest

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.relabel import Action, RelabelRule, relabel


def rule(action: str, *source: str, **fields: Any) -> RelabelRule:
    return RelabelRule(Action(action), source, **fields)


CASES = {
    "groups are put into the replacement": (
        {"a": "foo"},
        [rule("replace", "a", regex="f(.*)", target_label="d", replacement="ch${1}-ch${1}")],
        {"a": "foo", "d": "choo-choo"},
    ),
    "later rules see what earlier ones wrote": (
        {"a": "foo", "b": "bar", "c": "baz"},
        [
            rule(
                "replace", "a", "b", regex="f(.*);(.*)r", target_label="a", replacement="b${1}${2}m"
            ),
            rule(
                "replace",
                "c",
                "a",
                regex="(b).*b(.*)ba(.*)",
                target_label="d",
                replacement="$1$2$2$3",
            ),
        ],
        {"a": "boobam", "b": "bar", "c": "baz", "d": "boooom"},
    ),
    "drop drops what matches": ({"a": "foo"}, [rule("drop", "a", regex=".*o.*")], None),
    "drop keeps what does not match": ({"a": "foo"}, [rule("drop", "a", regex="no")], {"a": "foo"}),
    "expressions are anchored": ({"a": "foo"}, [rule("drop", "a", regex="f|o")], {"a": "foo"}),
    "keep drops what does not match": ({"a": "foo"}, [rule("keep", "a", regex="no")], None),
    "keep keeps what matches": ({"a": "foo"}, [rule("keep", "a", regex="f.*")], {"a": "foo"}),
    "no match, no replacement": (
        {"a": "boo"},
        [rule("replace", "a", regex="f", target_label="b", replacement="bar")],
        {"a": "boo"},
    ),
    "an empty result deletes the target label": (
        {"a": "foo", "f": "baz"},
        [rule("replace", "a", regex="(f).*", target_label="$1", replacement="$2")],
        {"a": "foo"},
    ),
    "a target label that expands to nothing changes nothing": (
        {"a": "some-name-0"},
        [
            rule(
                "replace",
                "a",
                regex="some-([^-]+)-([^,]+)",
                target_label="${3}",
                replacement="${1}",
            )
        ],
        {"a": "some-name-0"},
    ),
    "the target label is a template": (
        {"a": "some-name-value"},
        [
            rule(
                "replace",
                "a",
                regex="some-([^-]+)-([^,]+)",
                target_label="${1}",
                replacement="${2}",
            )
        ],
        {"a": "some-name-value", "name": "value"},
    ),
    "without source labels the replacement is a constant": (
        {},
        [rule("replace", target_label="env", replacement="prod")],
        {"env": "prod"},
    ),
    "hashmod is the md5 of the joined values": (
        {"c": "baz"},
        [rule("hashmod", "c", target_label="d", modulus=1000)],
        {"c": "baz", "d": "976"},
    ),
    "hashmod sees newlines": (
        {"a": "foo\nbar"},
        [rule("hashmod", "a", target_label="b", modulus=1000)],
        {"a": "foo\nbar", "b": "734"},
    ),
    "labelmap copies labels under new names": (
        {"a": "foo", "b1": "bar", "b2": "baz"},
        [rule("labelmap", regex="(b.*)", replacement="bar_${1}")],
        {"a": "foo", "b1": "bar", "b2": "baz", "bar_b1": "bar", "bar_b2": "baz"},
    ),
    "labeldrop removes the labels whose name matches": (
        {"a": "foo", "b1": "bar", "b2": "baz"},
        [rule("labeldrop", regex="(b.*)")],
        {"a": "foo"},
    ),
    "labelkeep removes the labels whose name does not match": (
        {"a": "foo", "b1": "bar", "b2": "baz"},
        [rule("labelkeep", regex="(b.*)")],
        {"b1": "bar", "b2": "baz"},
    ),
    "letters change case": (
        {"foo": "bAr123Foo"},
        [
            rule("uppercase", "foo", target_label="up"),
            rule("lowercase", "foo", target_label="low"),
        ],
        {"foo": "bAr123Foo", "up": "BAR123FOO", "low": "bar123foo"},
    ),
    "case changes one character to one character, as in Go": (
        {"a": "straßeΣ"},
        [rule("uppercase", "a", target_label="up"), rule("lowercase", "a", target_label="low")],
        {"a": "straßeΣ", "up": "STRAßEΣ", "low": "straße\u03c3"},
    ),
    "keepequal keeps equals": (
        {"t": "1", "p": "1"},
        [rule("keepequal", "t", target_label="p")],
        {"t": "1", "p": "1"},
    ),
    "keepequal drops what differs": (
        {"t": "1", "p": "2"},
        [rule("keepequal", "t", target_label="p")],
        None,
    ),
    "dropequal drops equals": (
        {"t": "1", "p": "1"},
        [rule("dropequal", "t", target_label="p")],
        None,
    ),
    "dropequal keeps what differs": (
        {"t": "1", "p": "2"},
        [rule("dropequal", "t", target_label="p")],
        {"t": "1", "p": "2"},
    ),
    "dot matches newline": ({"a": "x\ny"}, [rule("drop", "a", regex="x.y")], None),
    "a consul tag list is taken apart": (
        {"__meta_sd_tags": "path:/secret,job:some-job,label:foo=bar"},
        [
            rule(
                "replace",
                "__meta_sd_tags",
                regex="(?:.+,|^)path:(/[^,]+).*",
                target_label="__metrics_path__",
            ),
            rule("replace", "__meta_sd_tags", regex="(?:.+,|^)job:([^,]+).*", target_label="job"),
            rule(
                "replace",
                "__meta_sd_tags",
                regex="(?:.+,|^)label:([^=]+)=([^,]+).*",
                target_label="${1}",
                replacement="${2}",
            ),
        ],
        {
            "__meta_sd_tags": "path:/secret,job:some-job,label:foo=bar",
            "__metrics_path__": "/secret",
            "job": "some-job",
            "foo": "bar",
        },
    ),
}


@pytest.mark.parametrize(("labels", "rules", "expected"), CASES.values(), ids=CASES)
def test_a_rule_does_what_prometheus_does(labels, rules, expected) -> None:
    assert relabel(Labels(labels), rules) == (None if expected is None else Labels(expected))


def test_no_rules_change_nothing() -> None:
    assert relabel(Labels(a="b"), ()) == Labels(a="b")


def test_the_input_is_left_as_it_was() -> None:
    labels = Labels(a="b")
    relabel(labels, [rule("labeldrop", regex="a")])
    assert labels == Labels(a="b")


def test_hashmod_shards_by_the_last_eight_bytes_of_md5() -> None:
    value = "10.0.0.1:9100"
    expected = int(hashlib.md5(value.encode()).hexdigest()[16:], 16) % 7
    got = relabel({"a": value}, [rule("hashmod", "a", target_label="shard", modulus=7)])
    assert got is not None
    assert got["shard"] == str(expected)


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [
        ("$1x", None),  # the group called 1x, which there is none of
        ("${1}x", "foox"),
        ("$$1", "$1"),
        ("${word}", "foo"),
        ("$word-", "foo-"),
        ("${0}", "foo"),
        ("${9}", None),
        ("$", "$"),
        ("${", "${"),
        ("a$-b", "a$-b"),
    ],
)
def test_templates_expand_as_in_go(replacement, expected) -> None:
    rules = [rule("replace", "a", regex="(?P<word>.*)", target_label="b", replacement=replacement)]
    got = relabel({"a": "foo"}, rules)
    assert got is not None
    assert got.get("b") == expected


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"action": "hashmod", "target_label": "d"}, "non-zero modulus"),
        ({"action": "replace"}, "requires 'target_label'"),
        ({"action": "lowercase", "source_labels": ("a",)}, "requires 'target_label'"),
        ({"action": "uppercase", "target_label": "b", "replacement": "x"}, "can not be set"),
        ({"action": "keepequal", "target_label": "b", "regex": "x"}, "no other fields"),
        ({"action": "dropequal", "target_label": "b", "separator": "-"}, "no other fields"),
        ({"action": "labeldrop", "source_labels": ("a",)}, "only 'regex'"),
        ({"action": "labelkeep", "target_label": "a"}, "only 'regex'"),
        ({"action": "labelmap", "replacement": ""}, "invalid 'replacement'"),
        ({"action": "keep", "regex": "("}, "bad regular expression"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields, sentence) -> None:
    with pytest.raises(QvmonError, match=sentence):
        RelabelRule(**{**fields, "action": Action(fields["action"])})


def test_rules_are_equal_by_what_they_say() -> None:
    assert rule("keep", "a", regex="x") == rule("keep", "a", regex="x")
