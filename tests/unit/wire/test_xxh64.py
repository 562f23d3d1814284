"""XXH64 agrees with the published vectors."""

import numpy as np
import pytest

from qvmon.wire.xxh64 import xxh64

# https://github.com/Cyan4973/xxHash: seed 0.
VECTORS = {
    b"": 0xEF46DB3751D8E999,
    b"a": 0xD24EC4F1A98C6E5B,
    b"abc": 0x44BC2CF5AD770999,
    b"Nobody inspects the spammish repetition": 0xFBCEA83C8A378BF1,
}


@pytest.mark.parametrize("text", VECTORS)
def test_published_vectors(text: bytes) -> None:
    padded = b"before" + text + b"after"
    got = xxh64(np.frombuffer(padded, np.uint8), 6, 6 + len(text))
    assert int(got) == VECTORS[text]
