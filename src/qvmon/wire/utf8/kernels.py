"""Well-formedness of UTF-8 (RFC 3629, section 4)."""

from __future__ import annotations

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes


@kernel("boolean(Array(uint8, 1, 'C', True), int64, int64)")
def is_utf8(body: Bytes, at: int, end: int) -> bool:
    """Return whether the bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong)."""
    while at < end:
        lead = body[at]
        if lead < 0x80:
            at += 1
            continue
        low, high, more = 0x80, 0xBF, 0
        if 0xC2 <= lead <= 0xDF:
            more = 1
        elif 0xE0 <= lead <= 0xEF:
            more = 2
            low = 0xA0 if lead == 0xE0 else 0x80
            high = 0x9F if lead == 0xED else 0xBF
        elif 0xF0 <= lead <= 0xF4:
            more = 3
            low = 0x90 if lead == 0xF0 else 0x80
            high = 0x8F if lead == 0xF4 else 0xBF
        if more == 0 or at + more >= end or body[at + 1] < low or body[at + 1] > high:
            return False
        for step in range(2, more + 1):
            if body[at + step] & 0xC0 != 0x80:
                return False
        at += more + 1
    return True
