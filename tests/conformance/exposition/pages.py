"""Expositions for comparison: Prometheus' own test inputs, and random changes to good pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_LITERAL = r'(?:`[^`]*`|"(?:[^"\\\n]|\\.)*")'
_INPUT = re.compile(rf"input:? *:?=?\s+({_LITERAL}(?:\s*\+\s*{_LITERAL})*)")
_ONE = re.compile(_LITERAL)
_ESCAPE = re.compile(rb'\\(x[0-9a-f]{2}|[\\"ntr0])')
_PLAIN = {b"\\": b"\\", b'"': b'"', b"n": b"\n", b"t": b"\t", b"r": b"\r", b"0": b"\0"}

Page = tuple[str, bytes]


def upstream_inputs(folder: Path) -> Iterator[Page]:
    """Yield the inputs of Prometheus' parser tests, read out of their Go sources."""
    for name, kind in (("promparse_test.go", TEXT), ("openmetricsparse_test.go", OPENMETRICS)):
        for found in _INPUT.finditer((folder / name).read_text()):
            yield kind, b"".join(_unquoted(each) for each in _ONE.findall(found[1]))


def _unquoted(literal: str) -> bytes:
    inside = literal[1:-1].encode()
    if literal[0] == "`":
        return inside

    def plain(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code[1:], 16)]) if code[:1] == b"x" else _PLAIN[code]

    return _ESCAPE.sub(plain, inside)


SEEDS: dict[str, list[bytes]] = {
    TEXT: [
        b'# HELP a Some \\"text\\" \\n here.\n# TYPE a counter\na{b="c",d="e"} 1 1700000000000\n',
        (
            b'# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="0.5"} 1\nh_bucket{le="+Inf"} 2\n'
            b"h_sum 2.5\nh_count 2\n"
        ),
        b'# TYPE s summary\ns{quantile="0.99"} 1\ns{quantile="1e-05"} 2\ns{quantile="1000000"} 3\n',
        b'{"a.b","c d"="e\\\\f\\n"} 1\n{"x"} 2\nup 1\n',
        b"# EOF\n#\n#x\n# TYPE g gauge\ng NaN\ng -Inf\n\n\t\n g 1e-3\n",
        b'a { b = "c" , d = "\xc3\xa9" } 3.14\nb:c 0\n_x{_y="z"} +7 5\n',
        b'# TYPE "u.v" untyped\n# HELP "u.v" x\n{"u.v"} 1\n# TYPE w summary\n',
    ],
    OPENMETRICS: [
        (
            b"# HELP a Some text.\n# TYPE a counter\n# UNIT a_seconds seconds\n"
            b'a_total{b="c",d="e"} 1 1.5\na_created{b="c",d="e"} 1.1\n# EOF\n'
        ),
        (
            b'# TYPE h histogram\nh_bucket{le="1"} 1 # {id="x",y="z"} 0.5 1.25\n'
            b'h_bucket{le="+Inf"} 2 1e3 # {} 2\nh_sum 2.5\nh_count 2\n# EOF\n'
        ),
        b'# TYPE "a.b" gauge\n# UNIT "a.b_s" s\n{"a.b","c d"="e"} 1\n# EOF\n',
        (
            b'# TYPE i info\ni_info{v="1"} 1\n# TYPE st stateset\nst{st="a"} 0\n'
            b'# TYPE gh gaugehistogram\ngh_bucket{le="1"} 1\n# TYPE u unknown\nu NaN\n# EOF'
        ),
        b'# TYPE s summary\ns{quantile="0.99"} 1 -5\ns{quantile="1"} +Inf 1700000000.123\n# EOF\n',
    ],
}
_PIECES = [
    *(bytes([byte]) for byte in b'\n\t "{}=,#\\_-+.0159aeELN:\xff\x00\r'),
    *(b"NaN", b"+Inf", b"1e5", b'le="1"', b"# ", b"# EOF\n", b"TYPE", b"HELP", b"UNIT", b" # {"),
    *(
        b"\\n",
        b'\\"',
        b"  ",
        b"\n\n",
        b"counter",
        b"gauge",
        b"histogram",
        b"1_0",
        b"0x1",
        b"infinity",
    ),
]


def changed(random: Random, count: int) -> Iterator[Page]:
    """Yield good pages with a few random changes each."""
    for _ in range(count):
        kind = random.choice([TEXT, OPENMETRICS])
        body = bytearray(random.choice(SEEDS[kind]))
        for _ in range(random.randint(0, 3)):
            at = random.randint(0, len(body))
            match random.randint(0, 3):
                case 0:
                    del body[at : at + random.choice([1, 1, 1, 2, 5, 20])]
                case 1:
                    body[at:at] = random.choice(_PIECES)
                case 2:
                    body[at : at + 1] = random.choice(_PIECES)
                case _:
                    other = random.choice(SEEDS[kind])
                    start = random.randint(0, len(other))
                    body[at:at] = other[start : start + random.randint(1, 12)]
        yield kind, bytes(body)
