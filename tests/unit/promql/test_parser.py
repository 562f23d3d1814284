"""Queries become trees that print as canonical PromQL; wrong ones are refused at their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import METRIC_NAME, Matcher, MatchOp
from qvmon.promql import parse, parse_matchers
from qvmon.promql.nodes import Binary, NumberLiteral, Unary, VectorSelector


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("up", "up"),
        ("up{}", "up"),
        ("up{job='a',env!=`b`}", 'up{env!="b",job="a"}'),
        ('{"http.requests", "app.name"="x"}', '{"app.name"="x",__name__="http.requests"}'),
        ("http_requests:rate5m", "http_requests:rate5m"),
        ("sum(x)by(a,b)", "sum by (a, b) (x)"),
        ('sum by ("app.name") (x)', 'sum by ("app.name") (x)'),
        ("sum without (a,) (x)", "sum without (a) (x)"),
        ("SUM BY () (x)", "sum(x)"),
        ("topk(3, x) without(a)", "topk without (a) (3, x)"),
        ('count_values("v", x)', 'count_values("v", x)'),
        ("rate(x[300])", "rate(x[5m])"),
        ("x[5m] offset 1w", "x[5m] offset 1w"),
        ("x offset -90s", "x offset -1m30s"),
        ("x @ 1.5 offset 1m", "x @ 1.500 offset 1m"),
        ("x offset 1m @ end()", "x @ end() offset 1m"),
        ("rate(x[1m])[1h:] @ start()", "rate(x[1m])[1h:] @ start()"),
        ("max_over_time(x[1h:30s] offset 5m)", "max_over_time(x[1h:30s] offset 5m)"),
        ("increase(x[5m] smoothed)", "increase(x[5m] smoothed)"),
        ("x[step()*2]", "x[step() * 2]"),
        ("x offset (1h/2)", "x offset (1h / 2)"),
        ("x[max_of(step(), 5m)]", "x[max_of(step(), 5m)]"),
        ("a+b*c^d", "a + b * c ^ d"),
        ("a>bool b", "a > bool b"),
        ("a*on(x)group_left(y)b", "a * on (x) group_left (y) b"),
        ("a*ignoring(x)group_right b", "a * ignoring (x) group_right () b"),
        ("a + on (x) fill_left(0) fill_right(-1) b", "a + on (x) fill_left (0) fill_right (-1) b"),
        ("a or b unless c and d", "a or b unless c and d"),
        ("-(a)", "-(a)"),
        ("0x1F + 1e3 + .5 + Inf", "31 + 1000 + 0.5 + +Inf"),
        ("1h30m + 5", "1h30m + 5"),
        ("010 + 0_7 + 09", "8 + 7 + 9"),
        ('label_replace(x, "a", "$1", "b", "(.*)")', 'label_replace(x, "a", "$1", "b", "(.*)")'),
        (r'"tab\tquote\"\u00e9\x41"', '"tab\\tquote\\"éA"'),
        ("sum # a comment\n(x)", "sum(x)"),
        ("offset + by + on_call", "offset + by + on_call"),
        ("sum(bool_metric{on='x',by='y'})", 'sum(bool_metric{by="y",on="x"})'),
        ("温度{場所='東京'}", '温度{"場所"="東京"}'),
    ],
)
def test_queries_print_canonically_and_read_back_the_same(text: str, canonical: str) -> None:
    tree = parse(text)
    assert str(tree) == canonical
    assert str(parse(canonical)) == canonical


def test_a_sign_binds_like_multiplication_but_looser_than_power() -> None:
    """``-a ^ b * c`` is ``(-(a ^ b)) * c``."""
    tree = parse("-a ^ b * c")
    assert isinstance(tree, Binary)
    assert tree.operator == "*"
    assert isinstance(tree.left, Unary)


def test_power_binds_to_the_right() -> None:
    tree = parse("2 ^ 3 ^ 2")
    assert isinstance(tree, Binary)
    assert tree.left == NumberLiteral(2.0)


def test_subtraction_binds_to_the_left() -> None:
    tree = parse("1 - 2 - 3")
    assert isinstance(tree, Binary)
    assert tree.right == NumberLiteral(3.0)


def test_modifiers_belong_to_the_nearest_selector() -> None:
    tree = parse("a + b offset 5m")
    assert isinstance(tree, Binary)
    assert str(tree.right) == "b offset 5m"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "unknown position: parse error: no expression found in input"),
        ("# only\n", "1:1: parse error: no expression found in input"),
        ("a b", '1:3: parse error: unexpected identifier "b"'),
        ("sum(a\n  b)", '2:3: parse error: unexpected identifier "b" in aggregation'),
        ("1 +", "1:4: parse error: unexpected end of input"),
        ("(a", "1:3: parse error: unclosed left parenthesis"),
        ("a)", "1:3: parse error: unexpected right parenthesis ')'"),
        ('a{b="c"', "1:8: parse error: unexpected end of input inside braces"),
        (
            "a{b=c}",
            '1:5: parse error: unexpected identifier "c" in label matching, expected string',
        ),
        (
            'a{b "c"}',
            (
                '1:5: parse error: unexpected string "\\"c\\"" in label matching, '
                "expected label matching operator"
            ),
        ),
        ("a[", "1:3: parse error: unexpected end of input in duration expression"),
        ("a[5m", "1:5: parse error: unclosed left bracket"),
        ("a[0]", "1:3: parse error: duration must be greater than 0"),
        ("a[5m][5m]", "1:6: parse error: ranges only allowed for vector selectors"),
        ("a offset 5m [5m]", "1:13: parse error: no offset modifiers allowed before range"),
        ("a offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
        (
            "1 offset 5m",
            (
                "1:1: parse error: offset modifier must be preceded by an instant vector "
                "selector or range vector selector or a subquery"
            ),
        ),
        ("foo(a)", '1:1: parse error: unknown function with name "foo"'),
        (
            "rate(a)",
            (
                '1:6: parse error: expected type range vector in call to function "rate", '
                "got instant vector"
            ),
        ),
        ("rate()", '1:1: parse error: expected 1 argument(s) in call to "rate", got 0'),
        (
            "round(a, 1, 2)",
            ('1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'),
        ),
        ("abs(a,)", "1:6: parse error: trailing commas not allowed in function call args"),
        ("sum()", "1:1: parse error: no arguments for aggregate expression provided"),
        (
            "topk(a)",
            (
                "1:1: parse error: wrong number of arguments for aggregate expression provided, "
                "expected 2, got 1"
            ),
        ),
        (
            "sum(1)",
            (
                "1:5: parse error: expected type instant vector in aggregation expression, "
                "got scalar"
            ),
        ),
        ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("a + bool b", "1:3: parse error: bool modifier can only be used on comparison operators"),
        ("a and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'),
        ("a + on(x) 1", "1:1: parse error: vector matching only allowed between instant vectors"),
        ("a and on(x) group_left b", '1:1: parse error: no grouping allowed for "and" operation'),
        (
            "a * on(x) group_left(x) b",
            ('1:3: parse error: label "x" must not occur in ON and GROUP clause at once'),
        ),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        (
            '{a=~".*"}',
            ("1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ),
        ('a{__name__="b"}', '1:1: parse error: metric name must not be set twice: "a" or "b"'),
        ("é + 1 +", "1:9: parse error: unexpected end of input"),
        (
            "1e-==",
            (
                '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e-": '
                "invalid syntax"
            ),
        ),
        ("x[#\n5m]", "1:3: parse error: unexpected character in duration expression: '#'"),
        ("Step()", '1:1: parse error: unknown function with name "Step"'),
        ("a !\n= 1", "1:3: parse error: unexpected character after '!': '\\n'"),
        ("a{b!", "1:4: parse error: unexpected character after '!' inside braces: '\ufffd'"),
    ],
)
def test_wrong_queries_are_refused_where_and_why_as_prometheus_does(text: str, error: str) -> None:
    with pytest.raises(QvmonError) as caught:
        parse(text)
    assert caught.value.kind is ErrorKind.INVALID
    assert caught.value.message == error


def test_an_error_carries_line_and_column() -> None:
    with pytest.raises(QvmonError) as caught:
        parse("a +\n  ?")
    assert (caught.value.context["line"], caught.value.context["column"]) == (2, 3)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused_with_a_position(text: str) -> None:
    """Nothing but a QvmonError comes out, whatever goes in."""
    try:
        parse(text)
    except QvmonError as error:
        refusal = error.message
    else:
        return
    assert ": parse error: " in refusal


_NAMES = st.sampled_from(["a", "b", "http:x", "by", "offset", "sum"])
_LEAVES = st.one_of(
    _NAMES,
    st.builds("{}{{x={!s}}}".format, _NAMES, st.sampled_from(['"y"', "'z'", "`q`"])),
    st.integers(0, 9).map(str),
)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["+", "-", "*", "/", "%", "^", "or", "> bool", "== on (l)", "atan2"]
    )
    return st.one_of(
        st.builds("{} {} {}".format, inner, operators, inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("sum by (l) ({})".format, inner),
        st.builds("abs({})".format, inner),
        st.builds("max_over_time({}[5m:1m])".format, inner),
        st.builds("{} offset 5m".format, _NAMES),
    )


@given(st.recursive(_LEAVES, _nested, max_leaves=8))
def test_canonical_text_is_a_fixed_point(text: str) -> None:
    """Printing and parsing again changes nothing any more."""
    try:
        canonical = str(parse(text))
    except QvmonError:
        return
    assert str(parse(canonical)) == canonical


def test_matchers_of_a_selector_come_with_its_name() -> None:
    assert parse_matchers('up{job=~"a|b"}') == (
        Matcher("job", MatchOp.REGEX, "a|b"),
        Matcher(METRIC_NAME, MatchOp.EQUAL, "up"),
    )


@pytest.mark.parametrize("text", ["up[5m]", "sum(up)", "up + up", "", "up{"])
def test_anything_but_a_selector_has_no_matchers(text: str) -> None:
    with pytest.raises(QvmonError):
        parse_matchers(text)


def test_a_bad_expression_in_a_matcher_is_named_with_its_place() -> None:
    words = r"^1:4: parse error: error parsing regexp: missing closing \]: `\[a`"
    with pytest.raises(QvmonError, match=words):
        parse('up{a=~"[a"}')


def test_nodes_that_stand_elsewhere_are_equal() -> None:
    """Spans take no part in equality, so that plans can be compared."""
    left = parse("  up")
    assert left == parse("up")
    assert isinstance(left, VectorSelector)
    assert left.span.start == 2


@pytest.mark.parametrize("text", ["(" * 5000 + "1" + ")" * 5000, "-" * 5000 + "a", "abs(" * 5000])
def test_nesting_beyond_all_use_is_refused_and_not_run_into(text: str) -> None:
    with pytest.raises(QvmonError, match="nested more than 100 deep"):
        parse(text)


def test_long_chains_are_printed_and_endless_ones_refused() -> None:
    text = "a" + " + a" * 290
    assert str(parse(text)) == text
    with pytest.raises(QvmonError, match="more than 300 operations"):
        parse("a" + " + a" * 5000)
