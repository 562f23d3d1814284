"""Compressed bodies are opened up to a limit and no further."""

import gzip

import cramjam
import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.wire.compression import compress_snappy, decompress

BODY = b"qv_execution_orders_total 1\n" * 1000
COMPRESSED = {
    "gzip": gzip.compress(BODY),
    "zstd": bytes(cramjam.zstd.compress(BODY)),
    "snappy": compress_snappy(BODY),
    "identity": BODY,
    "": BODY,
}


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_body_comes_back_whole_when_it_just_fits(encoding: str) -> None:
    assert decompress(COMPRESSED[encoding], encoding, len(BODY)) == BODY


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_one_byte_over_the_limit_is_refused_as_exhausted(encoding: str) -> None:
    with pytest.raises(QvmonError, match=str(len(BODY) - 1)) as caught:
        decompress(COMPRESSED[encoding], encoding, len(BODY) - 1)
    assert caught.value.kind is ErrorKind.EXHAUSTED


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "snappy"])
@pytest.mark.parametrize("damage", [lambda b: b[:-4], lambda b: b"junk" + b, lambda _: b""])
def test_damaged_bodies_are_invalid(encoding: str, damage: object) -> None:
    with pytest.raises(QvmonError, match=f"damaged {encoding}") as caught:
        decompress(damage(COMPRESSED[encoding]), encoding, 1 << 20)  # type: ignore[operator]
    assert caught.value.kind is ErrorKind.INVALID


def test_a_bomb_is_given_up_at_the_limit() -> None:
    bomb = gzip.compress(bytes(100 << 20), 9)
    with pytest.raises(QvmonError) as caught:
        decompress(bomb, "gzip", 1 << 20)
    assert caught.value.kind is ErrorKind.EXHAUSTED


def test_a_snappy_body_that_lies_about_its_size_is_invalid() -> None:
    with pytest.raises(QvmonError) as caught:
        decompress(b"\xff\xff\x03" + compress_snappy(BODY)[3:], "snappy", 1 << 20)
    assert caught.value.kind is ErrorKind.INVALID


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(QvmonError, match="'br'") as caught:
        decompress(b"", "br", 10)
    assert caught.value.kind is ErrorKind.UNSUPPORTED
