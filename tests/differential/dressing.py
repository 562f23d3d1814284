"""Other ways to write the same query: blanks, lines, comments, case of words, forms of numbers."""

from __future__ import annotations

import random
import re

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?P<blank>\s+)|(?P<word>[a-z_]+)"""
    r"""(?![\w:.])|(?P<rest>[\w:.]+|.)""",
    re.DOTALL,
)
_KEYWORDS = frozenset(
    {
        *("by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless"),
        *("bool", "offset", "atan2", "sum", "min", "max", "avg", "count", "group", "stddev"),
        *("stdvar", "topk", "bottomk", "quantile", "count_values", "limitk", "limit_ratio"),
        *("anchored", "smoothed", "fill", "fill_left", "fill_right", "start", "end", "step"),
        *("range", "inf", "nan"),
    }
)
_BLANKS = (" ", "  ", "\t", "\n", "\r\n", " \n\t ", " # a comment\n", "#\n", "\n# ) ]\n", "")


def dressed(rng: random.Random, query: str) -> str:
    """Return ``query`` with other blanks and words in another case; now and then no query."""
    out = []
    for found in _TOKEN.finditer(query):
        token = found[0]
        if found["blank"]:
            out.append(rng.choice(_BLANKS) if rng.random() < 0.5 else token)
        elif found["word"] and token in _KEYWORDS and rng.random() < 0.5:
            out.append(rng.choice((token.upper(), token.title(), token.swapcase())))
        else:
            out.append(token)
            if rng.random() < 0.03:
                out.append(rng.choice(_BLANKS))
    return "".join(out)
