"""What is wrong with a regular expression, in the words of Go's ``regexp/syntax``."""

from __future__ import annotations

_GO_WORDS = {
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "trailing \\": "trailing backslash at end of expression",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
}


def go_complaint(reason: str) -> str:
    """Return RE2's reason, such as ``missing ]: [a``, as Go gives it."""
    code, _, fragment = reason.partition(": ")
    return f"error parsing regexp: {_GO_WORDS.get(code, code)}: `{fragment}`"
