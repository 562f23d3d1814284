"""Pages that somebody would write to try an exposition parser, each against one of its corners."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.conformance.exposition.pages import OPENMETRICS, TEXT, Page

_TEXT_KINDS = (
    *("", "text/plain", "text/plain; version=0.0.4; charset=utf-8", "text/plain;version=1.0.0"),
    *("text/plain; version=1.0.0; escaping=allow-utf-8", "TEXT/PLAIN", "application/json", "x"),
    *("text/html; charset=utf-8", "text/plain; version=9.9", "text/plain; version=0.0.4;", ";"),
)
_OPENMETRICS_KINDS = (
    *("application/openmetrics-text", "application/openmetrics-text; version=0.0.1"),
    *("application/openmetrics-text; version=1.0.0", "Application/OpenMetrics-Text;version=1.0.0"),
    *("application/openmetrics-text; version=1.0.0; escaping=underscores; charset=utf-8",),
    *("application/openmetrics-text; version=2.0.0", "application/openmetrics-text; version=x"),
)
_NUMBERS = (
    *("0", "-0", "1e5", "1E5", "+1", "1.", ".1", "1e", "e1", "--1", "1e+308", "1e309", "4.9e-324"),
    *("NaN", "nan", "+NaN", "-NaN", "Inf", "inf", "+Inf", "-Inf", "+inf", "Infinity", "-infinity"),
    *("0x1p4", "0X1P-4", "0x10", "0b1", "0o7", "1_000", "1_0.5", "_1", "1__0", "1,000", "1 000"),
    *(
        "9007199254740993",
        "0.1",
        "00012",
        "1d",
        "1f",
        "∞",
        "٣",
        "1e1000000000",
        "0x1.8p1",
        "1e-400",
    ),
    *("123456789012345678901234567890123456789012345678901234567890", "0." + "3" * 400, "nAn"),
)
_LABELS = (
    *('{a="b"}', "{}", "{,}", '{a="b",}', '{a="b",,}', '{,a="b"}', '{a="b" }', '{ a="b"}', "{a=}"),
    *(
        '{a = "b"}',
        '{a="b"  ,  c="d"}',
        "{a='b'}",
        "{a=b}",
        '{a="b"',
        '{a="b}',
        'a="b"}',
        '{"a"="b"}',
    ),
    *(
        '{a="1",a="1"}',
        '{a="1",a="2"}',
        '{__name__="x"}',
        '{le=""}',
        '{a="\\n\\"\\\\"}',
        '{a="\\x"}',
    ),
    *(
        '{a="\\t\\r\\0"}',
        '{a="tab\there"}',
        '{a="é日本😀"}',
        '{a="{},=\\"#"}',
        '{1a="b"}',
        '{a-b="c"}',
    ),
    *(
        '{a.b="c"}',
        '{"a.b"="c"}',
        '{"a b"="c",d="e"}',
        '{é="x"}',
        '{a:b="c"}',
        '{_="x"}',
        '{a="#"}',
    ),
    *(
        '{job="mine",instance="theirs"}',
        '{exported_job="x"}',
        '{__x="y"}',
        '{a="' + "v" * 5000 + '"}',
    ),
    *(
        '{le="1"}',
        '{le="1.0"}',
        '{le="+Inf"}',
        '{quantile="0.50"}',
        '{le="1e3"}',
        '{le="x"}',
        '{""="x"}',
    ),
)
_NAMES = (
    *("a", "_", ":", "a:b", "a1", "1a", "a.b", "a-b", "é", '{"a"}', '{"a.b"}', '{"a b","c"="d"}'),
    *(
        '{"a","b"}',
        '{"a",b="c"}',
        '{b="c","a"}',
        '{"a\\"b"}',
        '{""}',
        "{}",
        "NaN",
        "a{}{}",
        "#a",
        '"a"',
    ),
    *('{"日本"}', '{"a"}{b="c"}', "sum", "le", "__name__", "a_total", "n" * 300),
)
_METADATA = (
    *("# TYPE a counter", "# TYPE a gauge\n# TYPE a gauge", "# TYPE a gauge\n# TYPE a counter"),
    *("# HELP a x\n# HELP a y", "# HELP a", "# HELP a ", "# TYPE a", "# TYPE", "# HELP", "#", "##"),
    *('# HELP a back\\\\slash \\n \\" quote', "#HELP a b", "#TYPE a gauge", "#  TYPE  a  gauge"),
    *(
        "# TYPE a\tgauge",
        "# TYPE a GAUGE",
        "# TYPE a nonsense",
        "# TYPE a untyped",
        "# TYPE a unknown",
    ),
    *(
        "# UNIT a seconds",
        "# UNIT a_seconds seconds",
        "# UNIT a",
        "# EOF",
        "# comment",
        "# HELP é x",
    ),
    *(
        '# TYPE "a" gauge',
        '# HELP "a.b" x\n# TYPE "a.b" gauge',
        '# TYPE "a gauge',
        "# TYPE 1a gauge",
    ),
    *(
        "# TYPE a histogram",
        "# TYPE a summary",
        "# TYPE a info",
        "# TYPE a stateset",
        "# HELP  a  b ",
    ),
    *(
        "# TYPE a gaugehistogram",
        "# TYPE b gauge\n# TYPE a gauge\nb 1",
        "# HELP a \xff",
        "# TYPE a gauge x",
    ),
)
_AFTER = (
    *(
        " 1",
        "\t1",
        "  1  ",
        "1",
        " 1 2",
        " 1 -1",
        " 1 1.5",
        " 1 x",
        " 1 2 3",
        " ",
        "",
        " 1 #",
        " 1 # x",
    ),
    *(
        " 1\r",
        " 1 # {} 1",
        ' 1 # {a="b"} 1',
        ' 1 # {a="b"} 1 1',
        ' 1 # {a="b"} 1 1.5',
        " 1 # {a} 1",
    ),
    *(' 1 1 # {a="b"} 1', ' 1 # {a="b"}1', ' 1 # {a="b"} x', ' 1 # {a="b"} NaN', ' 1# {a="b"} 1'),
    *(
        ' 1 # {a="' + "v" * 200 + '"} 1',
        ' 1 # {a="b",a="c"} 1',
        ' 1 # {"a.b"="c"} 1',
        " 1 1e3",
        " 1 NaN",
    ),
)
_WHOLE_TEXT = (
    *(
        b"a 1\nb 2",
        b"a 1\r\nb 2\r\n",
        b"\na 1\n\n\nb 2\n",
        b"a 1\na 1\n",
        b"a 1\na 2\n",
        b"\xef\xbb\xbfa 1\n",
    ),
    *(
        b"a 1\nb\nc 3\n",
        b"a 1\n\n# EOF\nb 2\n",
        b"a 1;b 2\n",
        b"a\xff 1\n",
        b'a{b="\xff"} 1\n',
        b"a 1\x0b\n",
    ),
    *(
        b"a 1\n" + b"b 2\n" * 2000,
        b'a{x="1"} 1\nb 1\na{x="2"} 2\n',
        b"a{} 1\na 1\n",
        b"<html></html>",
    ),
    *(
        b"\xc2\xa0a 1\n",
        b"a\xc2\xa01\n",
        b'{"a":1}',
        b"a 1\n<!-- x -->\n",
        b"\x1f\x8b\x08",
        b"a 1 \n\tb 2\n",
    ),
)
_WHOLE_OPENMETRICS = (
    *(
        b"# EOF",
        b"# EOF\n",
        b"# EOF\n\n",
        b"# EOF\na 1\n",
        b"a 1\n",
        b"a 1\n# EOF\r\n",
        b"a 1\n# EOF ",
    ),
    *(
        b"a 1\n\n# EOF\n",
        b"a 1\r\n# EOF\n",
        b"# TYPE a counter\na 1\n# EOF\n",
        b"a 1\n#EOF\n",
        b"\n# EOF\n",
    ),
    *(
        b"# TYPE a counter\na_total 1\na_created 5\n# EOF\n",
        b"a_created 5\n# EOF\n",
        b"a 1\na 1\n# EOF\n",
    ),
    *(b"# TYPE a summary\na_sum 1\na_count 1\na_created 2\n# EOF\n", b"a 1 1\na 2 2\n# EOF\n"),
    *(b'# TYPE a info\na_info{v="1"} 1\n# EOF\n', b'# TYPE a stateset\na{a="x"} 1\n# EOF\n'),
    *(b"# TYPE a gauge\n# TYPE b gauge\na 1\nb 2\na 3\n# EOF\n", b"a 1\n# comment\n# EOF\n"),
    *(b'# TYPE a histogram\na_bucket{le="1"} 1 # {t="x"} .5\na_count 1\na_sum 1\n# EOF\n',),
    *(b"# TYPE a counter\na_total 1 st@5\n# EOF\n", b"# TYPE a counter\na_total 1 2 st@1\n# EOF\n"),
    *(
        b'a {"b"="c"} 1\n# EOF\n',
        b'{"a",b="c"} 1 # {t="x"} 1\n# EOF\n',
        b"a_total 1 # {} 1 1\n# EOF\n",
    ),
)


def catalogue() -> Iterator[Page]:
    """Yield the pages; times in them are near now, as a store takes no others."""
    for kind in _TEXT_KINDS:
        yield kind, b'# TYPE a counter\na{b="c"} 1\n{"d.e"} 2\n'
    for kind in _OPENMETRICS_KINDS:
        yield kind, b'# TYPE a counter\na_total{b="c"} 1\n# TYPE d gauge\nd 2\n# EOF\n'
    lines = [f"a {number}" for number in _NUMBERS]
    lines += [f"a{labels} 1" for labels in _LABELS]
    lines += [f"{name} 1" for name in _NAMES]
    lines += [f"{described}\na 1" for described in _METADATA]
    lines += [f"a_total{rest}" for rest in _AFTER]
    for line in lines:
        page = line.encode("utf-8").replace(b"\xc3\xbf", b"\xff")
        yield TEXT, b"before 1\n" + page + b"\nafter 2\n"
        yield OPENMETRICS, b"before 1\n" + page + b"\nafter 2\n# EOF\n"
    yield from ((TEXT, page) for page in _WHOLE_TEXT)
    yield from ((OPENMETRICS, page) for page in _WHOLE_OPENMETRICS)
    yield from _dated(int(time.time() * 1000))


def _dated(now_ms: int) -> Iterator[Page]:
    for ago in (0, 1, 1000, 60_000, 3_000_000, -1000, -300_000):
        yield TEXT, f"a 1 {now_ms - ago}\nb 2\n".encode()
        yield OPENMETRICS, f"a 1 {(now_ms - ago) / 1000:.3f}\nb 2\n# EOF\n".encode()
    yield TEXT, f"a 1 {now_ms}\na 2 {now_ms - 1000}\na 3 {now_ms}\n".encode()
    yield TEXT, f"a 1 {now_ms - 2000}\na 2 {now_ms - 1000}\n".encode()
