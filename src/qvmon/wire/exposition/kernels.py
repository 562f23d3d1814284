"""One pass over an exposition body: where every series, value, timestamp and comment stands."""

from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Float64s, Int64s
from qvmon.wire.decimals import BAD, OK, UNDECIDED, read_decimal
from qvmon.wire.xxh64 import xxh64

NO_TIMESTAMP = -(2**63)
LARGEST_INTEGER = 2**63 - 1
LARGEST_SECONDS = 9e15  # in milliseconds, still within 63 bits

# What may be wrong with a line; ``parsing`` has the sentences.
FINE = 0
NO_NAME = 1
BAD_LABEL_NAME = 2
NO_EQUALS = 3
NO_QUOTE = 4
OPEN_STRING = 5
NO_COMMA = 6
OPEN_BRACES = 7
NO_VALUE = 8
BAD_VALUE = 9
BAD_TIMESTAMP = 10
TRAILING = 11
BLANK_LINE = 12
BAD_COMMENT = 13
BAD_TYPE = 14
AFTER_EOF = 15
NO_EOF = 16
TWO_NAMES = 17
BAD_EXEMPLAR = 18
NO_SPACE = 19
BAD_UNIT = 20

# Kinds of metadata lines.
HELP = 1
TYPE = 2
UNIT = 3
EOF = 4

# Columns of the ``numbers`` table: numbers that the kernel could not round.
OF_VALUE = 0
OF_TIMESTAMP = 1

_LABEL_START, _LABEL_PART, _NAME_START, _NAME_PART = 1, 2, 4, 8
_NEWLINE, _SPACE, _TAB, _QUOTE, _BACKSLASH = 10, 32, 9, 34, 92

_CLASS = np.zeros(256, np.uint8)
for _character in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_":
    _CLASS[_character] = _LABEL_START | _LABEL_PART | _NAME_START | _NAME_PART
for _character in b"0123456789":
    _CLASS[_character] = _LABEL_PART | _NAME_PART
_CLASS[ord(":")] = _NAME_START | _NAME_PART

_TYPES = (
    b"counter",
    b"gauge",
    b"histogram",
    b"summary",  # so far both formats have them, from here on only OpenMetrics
    b"unknown",
    b"info",
    b"stateset",
    b"gaugehistogram",
    b"untyped",  # and this only the text format
)
_TYPES_OF_BOTH = 4
_TYPE_LETTERS = np.frombuffer(b"".join(_TYPES), np.uint8).copy()
_TYPE_ENDS = np.cumsum([len(each) for each in _TYPES])


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64)")
def _skip_blanks(body: Bytes, at: int, end: int) -> int:
    while at < end and (body[at] == _SPACE or body[at] == _TAB):
        at += 1
    return at


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64)")
def _skip_line(body: Bytes, at: int, end: int) -> int:
    """Return where the line ends: at its newline, or at the end of the body."""
    while at < end and body[at] != _NEWLINE:
        at += 1
    return at


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64, boolean)")
def _skip_string(body: Bytes, at: int, end: int, one_line: bool) -> int:
    """Return the position after a quoted string that begins at ``at``, or -1 when it is open."""
    if at < 0:  # never; it tells the compiler that no index counts from the end
        return -1
    at += 1
    while at < end:
        byte = body[at]
        at += 1
        if byte == _QUOTE:
            return at
        if byte == _NEWLINE and one_line:
            return -1
        if byte == _BACKSLASH:
            if at < end and body[at] == _NEWLINE:
                return -1
            at += 1
    return -1


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64, int64, int64)")
def _skip_name(body: Bytes, at: int, end: int, start: int, part: int) -> int:
    """Return the position after a name; ``at`` itself when none begins there."""
    if at < 0 or at >= end or _CLASS[body[at]] & start == 0:
        return at
    at += 1
    while at < end and _CLASS[body[at]] & part:
        at += 1
    return at


@kernel("UniTuple(int64, 3)(Array(uint8, 1, 'C', True), int64, int64, boolean, boolean)")
def _label_set(
    body: Bytes, at: int, end: int, strict: bool, in_exemplar: bool
) -> tuple[int, int, int]:
    """Scan a label set from its opening brace.

    A strict one has no blanks, no line ends in its values and a comma between two labels; in the
    text format Prometheus wants none of that. Line ends in quoted names are for exemplars alone
    to refuse.

    Returns:
        The position after it (or of the mistake), whether it holds a quoted metric name, and what
        is wrong.
    """
    named = 0
    at += 1
    while True:
        at = at if strict else _skip_blanks(body, at, end)
        if at >= end:
            return at, named, OPEN_BRACES
        if body[at] == ord("}"):
            return at + 1, named, FINE
        quoted = body[at] == _QUOTE
        if quoted:
            after = _skip_string(body, at, end, in_exemplar)
            if after < 0:
                return at, named, OPEN_STRING
        else:
            after = _skip_name(body, at, end, _LABEL_START, _LABEL_PART)
            if after == at:
                return at, named, OPEN_BRACES if body[at] == _NEWLINE else BAD_LABEL_NAME
        empty = quoted and after == at + 2
        start, at = at, after if strict else _skip_blanks(body, after, end)
        separated = True
        if at < end and body[at] == ord("="):
            separated = strict
            if empty:
                return start, named, BAD_LABEL_NAME
            at = at + 1 if strict else _skip_blanks(body, at + 1, end)
            if at >= end or body[at] != _QUOTE:
                return at, named, NO_QUOTE
            after = _skip_string(body, at, end, strict)
            if after < 0:
                return at, named, OPEN_STRING
            at = after if strict else _skip_blanks(body, after, end)
        elif not quoted:
            return at, named, NO_EQUALS
        elif named:
            return start, named, TWO_NAMES
        elif empty:
            return start, named, NO_NAME
        else:
            named = 1
        if at < end and body[at] == ord(","):
            at += 1
        elif separated and (at >= end or body[at] != ord("}")):
            return at, named, NO_COMMA


@kernel("UniTuple(int64, 3)(Array(uint8, 1, 'C', True), int64, int64, boolean)")
def _series(body: Bytes, at: int, end: int, openmetrics: bool) -> tuple[int, int, int]:
    """Scan a metric name and its labels; return the end of the series, where to go on, mistake."""
    after = _skip_name(body, at, end, _NAME_START, _NAME_PART)
    named = 1 if after > at else 0
    if not named and body[at] != ord("{"):
        return at, at, NO_NAME
    brace = after if openmetrics else _skip_blanks(body, after, end)
    if brace >= end or body[brace] != ord("{"):
        return after, after, FINE
    after, inside, mistake = _label_set(body, brace, end, openmetrics, False)
    if mistake == FINE and named + inside != 1:
        return brace, brace, TWO_NAMES if named else NO_NAME
    return after, after, mistake


@kernel("Tuple((int64, int64, int64))(Array(uint8, 1, 'C', True), int64, int64)")
def _integer(body: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read an integer without a sign; return the position after it, its value, status."""
    value, places = 0, 0
    while at < end and ord("0") <= body[at] <= ord("9"):
        digit = int(body[at]) - 48
        if value > (LARGEST_INTEGER - digit) // 10:
            return at, 0, BAD
        value = value * 10 + digit
        places += 1
        at += 1
    return at, value, OK if places else BAD


@kernel("UniTuple(int64, 2)(Array(uint8, 1, 'C', True), int64, int64)")
def _exemplar(body: Bytes, at: int, end: int) -> tuple[int, int]:
    """Scan `` # {labels} value [timestamp]`` from its hash sign; return (end, mistake)."""
    if at + 2 >= end or body[at + 1] != _SPACE or body[at + 2] != ord("{"):
        return at, BAD_EXEMPLAR
    at, named, mistake = _label_set(body, at + 2, end, True, True)
    if mistake != FINE:
        return at, mistake
    if named or at >= end or body[at] != _SPACE:
        return at, BAD_EXEMPLAR
    at, _, status = read_decimal(body, at + 1, end)
    if status == BAD:
        return at, BAD_EXEMPLAR
    if at < end and body[at] == _SPACE:
        at, seconds, status = read_decimal(body, at + 1, end)
        if status == BAD or not np.isfinite(seconds):
            return at, BAD_EXEMPLAR
    return at, FINE


@kernel("boolean(Array(uint8, 1, 'C', True), int64, int64, boolean)")
def _is_type(body: Bytes, start: int, end: int, strict: bool) -> bool:
    """Return whether a word is a type of OpenMetrics (with ``strict``) or of the text format."""
    begin = 0
    for number, stop in enumerate(_TYPE_ENDS):
        if stop - begin == end - start:
            same = 0
            while same < end - start and body[start + same] == _TYPE_LETTERS[begin + same]:
                same += 1
            if same == end - start:
                both = number < _TYPES_OF_BOTH
                return both or (
                    number < len(_TYPE_ENDS) - 1 if strict else number == len(_TYPE_ENDS) - 1
                )
        begin = stop
    return False


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64)")
def _keyword(body: Bytes, at: int, end: int) -> int:
    """Return which metadata word stands at ``at``, or 0."""
    if (
        at + 3 <= end
        and body[at] == ord("E")
        and body[at + 1] == ord("O")
        and body[at + 2] == ord("F")
    ):
        return EOF
    if at + 4 > end:
        return 0
    a, b, c, d = body[at], body[at + 1], body[at + 2], body[at + 3]
    if a == ord("H") and b == ord("E") and c == ord("L") and d == ord("P"):
        return HELP
    if a == ord("T") and b == ord("Y") and c == ord("P") and d == ord("E"):
        return TYPE
    if a == ord("U") and b == ord("N") and c == ord("I") and d == ord("T"):
        return UNIT
    return 0


@kernel("boolean(Array(uint8, 1, 'C', True), int64, int64, int64, int64)")
def _is_unit_of(body: Bytes, name: int, name_end: int, unit: int, unit_end: int) -> bool:
    """Return whether a metric's name ends in an underscore and its unit; no unit fits all."""
    if body[name] == _QUOTE:
        name, name_end = name + 1, name_end - 1
    length = unit_end - unit
    if length == 0:
        return True
    if name_end - name < length + 1 or body[name_end - length - 1] != ord("_"):
        return False
    same = 0
    while same < length and body[name_end - length + same] == body[unit + same]:
        same += 1
    return same == length


@kernel("UniTuple(int64, 7)(Array(uint8, 1, 'C', True), int64, int64, boolean)")
def _comment(
    body: Bytes, at: int, end: int, openmetrics: bool
) -> tuple[int, int, int, int, int, int, int]:
    """Scan a line that begins with a hash sign.

    Returns:
        End of line, kind (0: nothing to keep), name start, name end, text start, text end, mistake;
        with a mistake the first is its position.
    """
    line_end = _skip_line(body, at, end)
    word = at + 1
    if openmetrics:
        if word >= line_end or body[word] != _SPACE:
            return at, 0, 0, 0, 0, 0, BAD_COMMENT
        word += 1
    else:
        word = _skip_blanks(body, word, line_end)
    kind = _keyword(body, word, line_end) if word > at + 1 else 0
    if kind == EOF:
        whole = word + 3 == line_end
        if openmetrics and not whole:
            return word, 0, 0, 0, 0, 0, BAD_COMMENT
        return line_end, EOF if openmetrics else 0, 0, 0, 0, 0, FINE
    after = word + 4
    blank = kind > 0 and after < line_end and body[after] == _SPACE
    blank = blank or (kind > 0 and after < line_end and body[after] == _TAB and not openmetrics)
    if not blank or (kind == UNIT and not openmetrics):
        mistake = BAD_COMMENT if openmetrics else FINE
        return word if openmetrics else line_end, 0, 0, 0, 0, 0, mistake
    name = after + 1 if openmetrics else _skip_blanks(body, after, line_end)
    if name < line_end and body[name] == _QUOTE:
        name_end = _skip_string(body, name, end, False)
        line_end = _skip_line(body, max(name_end, name), end)
    else:
        name_end = _skip_name(body, name, line_end, _NAME_START, _NAME_PART)
    if name_end <= name:
        return name, 0, 0, 0, 0, 0, BAD_COMMENT if openmetrics or kind == TYPE else NO_NAME
    if openmetrics and (name_end >= line_end or body[name_end] != _SPACE):
        return name_end, 0, 0, 0, 0, 0, BAD_COMMENT
    text = min(name_end + 1, line_end)
    if kind == TYPE and not _is_type(body, text, line_end, openmetrics):
        return text, 0, 0, 0, 0, 0, BAD_TYPE
    if kind == UNIT and not _is_unit_of(body, name, name_end, text, line_end):
        return text, 0, 0, 0, 0, 0, BAD_UNIT
    return line_end, kind, name, name_end, text, line_end, FINE


@kernel(
    "UniTuple(int64, 5)(Array(uint8, 1, 'C', True), boolean, int64[::1], int64[::1], uint64[::1],"
    " int64[::1], float64[::1], int64[:, ::1], int64[:, ::1])"
)
def scan(
    body: Bytes,
    openmetrics: bool,
    starts: Int64s,
    ends: Int64s,
    hashes: np.ndarray,
    timestamps: Int64s,
    values: Float64s,
    comments: Int64s,
    undecided: Int64s,
) -> tuple[int, int, int, int, int]:
    """Fill the columns from ``body``; every array has room for all that the body can hold.

    Args:
        body: uint8[n]; the whole exposition.
        openmetrics: Which dialect's rules hold.
        starts: int64[samples] out; where each series text begins.
        ends: int64[samples] out; where it ends.
        hashes: uint64[samples] out; XXH64 of the series text.
        timestamps: int64[samples] out; milliseconds or ``NO_TIMESTAMP``.
        values: float64[samples] out.
        comments: int64[comments, 5] out; kind, name start, name end, text start, text end.
        undecided: int64[numbers, 4] out; row, start, end and column of numbers that the caller
            must round.

    Returns:
        Rows, comments and undecided numbers written, mistake (``FINE`` when none) and its position.
    """
    end = len(body)
    at = rows = notes = open_numbers = 0
    finished = False
    while at < end:
        byte = body[at]
        if finished:
            return rows, notes, open_numbers, AFTER_EOF, at
        if byte == _NEWLINE:
            if openmetrics:
                return rows, notes, open_numbers, BLANK_LINE, at
            at += 1
            continue
        if not openmetrics and byte in (_SPACE, _TAB):
            at += 1
            continue
        if byte == ord("#"):
            at, kind, a, b, c, d, mistake = _comment(body, at, end, openmetrics)
            if mistake != FINE:
                return rows, notes, open_numbers, mistake, at
            if kind == EOF:
                finished = True
            elif kind != 0:
                comments[notes, 0] = kind
                comments[notes, 1] = a
                comments[notes, 2] = b
                comments[notes, 3] = c
                comments[notes, 4] = d
                notes += 1
            at += 1
            continue
        start = at
        series_end, at, mistake = _series(body, at, end, openmetrics)
        if mistake != FINE:
            return rows, notes, open_numbers, mistake, at
        after = at + 1 if openmetrics else _skip_blanks(body, at, end)
        if openmetrics and at < end and body[at] != _SPACE and body[at] != _NEWLINE:
            return rows, notes, open_numbers, NO_SPACE, at
        if after >= end or body[after] == _NEWLINE or body[at] == _NEWLINE:
            return rows, notes, open_numbers, NO_VALUE, min(at, end)
        at, value, status = read_decimal(body, after, end)
        closed = at >= end or body[at] == _SPACE or body[at] == _NEWLINE
        if status == BAD or not (closed or (body[at] == _TAB and not openmetrics)):
            unknown_name = at == after and body[start] != ord("{") and series_end == after
            return rows, notes, open_numbers, NO_NAME if unknown_name else BAD_VALUE, after
        if status == UNDECIDED:
            undecided[open_numbers, 0] = rows
            undecided[open_numbers, 1] = after
            undecided[open_numbers, 2] = at
            undecided[open_numbers, 3] = OF_VALUE
            open_numbers += 1
        timestamp = NO_TIMESTAMP
        after = at + 1 if openmetrics else _skip_blanks(body, at, end)
        present = at < end and body[at] != _NEWLINE and after < end and body[after] != _NEWLINE
        if openmetrics:
            if present and body[after] != ord("#"):
                at, seconds, status = read_decimal(body, after, end)
                if status == BAD or not np.isfinite(seconds) or abs(seconds) > LARGEST_SECONDS:
                    return rows, notes, open_numbers, BAD_TIMESTAMP, after
                timestamp = int(seconds * 1000)
                if status == UNDECIDED:
                    undecided[open_numbers, 0] = rows
                    undecided[open_numbers, 1] = after
                    undecided[open_numbers, 2] = at
                    undecided[open_numbers, 3] = OF_TIMESTAMP
                    open_numbers += 1
            if at + 1 < end and body[at] == _SPACE and body[at + 1] == ord("#"):
                at, mistake = _exemplar(body, at + 1, end)
                if mistake != FINE:
                    return rows, notes, open_numbers, mistake, at
        else:
            if present:
                at, timestamp, status = _integer(body, after, end)
                if status == BAD:
                    return rows, notes, open_numbers, BAD_TIMESTAMP, after
            at = _skip_blanks(body, at, end)
        if at < end and body[at] != _NEWLINE:
            return rows, notes, open_numbers, TRAILING, at
        starts[rows] = start
        ends[rows] = series_end
        hashes[rows] = xxh64(body, start, series_end)
        timestamps[rows] = timestamp
        values[rows] = value
        rows += 1
        at += 1
    if openmetrics and not finished:
        return rows, notes, open_numbers, NO_EOF, end
    return rows, notes, open_numbers, FINE, end


@kernel("boolean(Array(uint8, 1, 'C', True), int64[::1], uint8[::1], int64[::1])")
def outline(body: Bytes, ends: Int64s, text: Bytes, offsets: Int64s) -> bool:
    """Copy what stands between the values of a page that ``scan`` has read.

    Args:
        body: uint8[n]; the page.
        ends: int64[samples]; where each series text ends.
        text: uint8[n] out; the pieces, end to end.
        offsets: int64[samples + 2] out; where each piece is; the first stays 0.

    Returns:
        Whether nothing but a value follows each series on its line.
    """
    end = len(body)
    at = filled = 0
    for row in range(len(ends)):
        value = _skip_blanks(body, ends[row], end)
        for each in range(at, value):
            text[filled] = body[each]
            filled += 1
        offsets[row + 1] = filled
        at = value
        while at < end and body[at] != _NEWLINE:
            if body[at] == _SPACE or body[at] == _TAB:
                return False
            at += 1
    for each in range(at, end):
        text[filled] = body[each]
        filled += 1
    offsets[len(ends) + 1] = filled
    return True


@kernel("boolean(Array(uint8, 1, 'C', True), int64, Array(uint8, 1, 'C', True), int64, int64)")
def _same(body: Bytes, at: int, text: Bytes, start: int, length: int) -> bool:
    """Return whether ``length`` bytes are the same; no early exit, so that it is vectorised."""
    if at < 0 or start < 0:  # never; it tells the compiler that no index counts from the end
        return False
    differs = np.uint8(0)
    for each in range(length):
        differs = np.uint8(differs | np.uint8(body[at + each] ^ text[start + each]))
    return bool(differs == 0)


@kernel("boolean(Array(uint8, 1, 'C', True), Array(uint8, 1, 'C', True), int64[::1], float64[::1])")
def refill(body: Bytes, text: Bytes, offsets: Int64s, values: Float64s) -> bool:
    """Read the values of a page whose other text is known.

    Args:
        body: uint8[n]; the page.
        text: uint8[total]; the pieces between values, as ``outline`` wrote them.
        offsets: int64[samples + 2]; where each piece is.
        values: float64[samples] out.

    Returns:
        Whether the page is laid out so, and all its values could be read.
    """
    end = len(body)
    at = 0
    for row in range(len(values)):
        start, stop = offsets[row], offsets[row + 1]
        if at + stop - start > end or not _same(body, at, text, start, stop - start):
            return False
        at, value, status = read_decimal(body, at + stop - start, end)
        if status != OK or (at < end and body[at] != _NEWLINE):
            return False
        values[row] = value
    start, stop = offsets[len(values)], offsets[len(values) + 1]
    return at + stop - start == end and _same(body, at, text, start, stop - start)
