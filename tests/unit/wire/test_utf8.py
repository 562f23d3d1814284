"""UTF-8 is what Python's own decoder says it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.wire.utf8 import is_utf8


def python_agrees(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def well_formed(text: bytes) -> bool:
    return bool(is_utf8(np.frombuffer(b"<" + text + b"\x80", np.uint8), 1, 1 + len(text)))


@given(st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_texts(text: bytes) -> None:
    assert well_formed(text) == python_agrees(text)


@given(
    st.lists(st.sampled_from([0x41, 0x80, 0xBF, 0xC1, 0xC2, 0xE0, 0xED, 0xA0, 0xF0, 0x90, 0xF4]))
)
def test_bytes_that_nearly_are(numbers: list[int]) -> None:
    assert well_formed(bytes(numbers)) == python_agrees(bytes(numbers))


@pytest.mark.parametrize("text", [b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_surrogates_overlong_too_large_and_cut_short(text: bytes) -> None:
    assert not well_formed(text)
