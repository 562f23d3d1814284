"""Files that notice a changed byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.tsdb.files.sealed import sealed, unsealed

FIELDS = {"version": 1, "start_ms": -5, "sources": [1, 2], "name": "ü"}


def test_what_was_sealed_is_read_and_the_bytes_are_those_of_the_format():
    content = sealed(FIELDS)
    assert unsealed(content) == FIELDS
    assert content.endswith(b'"crc32": 3050661598\n}')


@given(st.data())
def test_no_changed_byte_changes_a_field_unnoticed(data):
    content = bytearray(sealed(FIELDS))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    try:
        found = unsealed(bytes(content))
    except ValueError:
        return
    assert FIELDS.items() <= found.items()


def test_a_file_of_an_earlier_version_has_no_checksum():
    assert unsealed(b'{"version": 1}') == {"version": 1}
    with pytest.raises(ValueError, match="not a JSON object"):
        unsealed(b"[1]")
