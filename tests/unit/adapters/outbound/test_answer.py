"""An answer is read alike however its bytes come; what is no HTTP is told."""

import pytest

from qvmon.adapters.outbound.answer import MAX_HEAD_BYTES, Answer, MalformedError
from qvmon.model.errors import ErrorKind, QvmonError


def fed(data: bytes, step: int, *, method: str = "GET", limit: int = 1000) -> Answer:
    answer = Answer(method, limit)
    while data and not answer.done:
        room = answer.room()
        count = min(step, len(room), len(data))
        room[:count] = data[:count]
        room.release()
        answer.came(count)
        data = data[count:]
    return answer


COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\nX-a:  c \r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b"3;ext=1\r\nhel\r\n02\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"
)
HINTED = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + COUNTED


@pytest.mark.parametrize("data", [COUNTED, CHUNKED, HINTED])
@pytest.mark.parametrize("step", [1, 2, 3, 7, 20, 1000])
def test_every_framing_however_its_bytes_come(data: bytes, step: int) -> None:
    answer = fed(data, step)
    assert (answer.done, answer.status, bytes(answer.body)) == (True, 200, b"hello")
    assert answer.keep


def test_headers_are_joined_and_their_names_do_not_mind_case() -> None:
    assert fed(COUNTED, 1000).headers == {"content-length": "5", "x-a": "b, c"}


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    answer = fed(b"HTTP/1.0 200\r\n\r\nhello", 4)
    assert not answer.done
    assert answer.ended()
    assert bytes(answer.body) == b"hello"
    assert not answer.keep


@pytest.mark.parametrize("data", [COUNTED, CHUNKED])
def test_a_connection_that_ends_too_soon_leaves_no_whole_answer(data: bytes) -> None:
    answer = fed(data[:-1], 5)
    assert not answer.ended()
    assert answer.begun


@pytest.mark.parametrize(
    ("head", "keep"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_a_connection_is_kept_where_both_sides_want_it(head: bytes, keep: bool) -> None:
    assert fed(head + b"Content-Length: 0\r\n\r\n", 9).keep is keep


def test_more_than_the_answer_makes_the_connection_useless() -> None:
    assert not fed(COUNTED + b"HTTP/1.1 200 OK\r\n", 1000).keep


@pytest.mark.parametrize(("method", "status"), [("HEAD", b"200"), ("GET", b"204"), ("GET", b"304")])
def test_answers_that_never_have_a_body(method: str, status: bytes) -> None:
    data = b"HTTP/1.1 " + status + b" X\r\nContent-Length: 5\r\n\r\n"
    answer = fed(data, 8, method=method)
    assert answer.done
    assert not answer.body


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nname : value\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * (MAX_HEAD_BYTES + 1),
    ],
)
def test_what_is_not_http_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        fed(data, 4096)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1001),
    ],
)
def test_a_body_over_the_limit_is_refused_as_soon_as_it_is_known(data: bytes) -> None:
    with pytest.raises(QvmonError) as caught:
        fed(data, 100)
    assert caught.value.kind is ErrorKind.EXHAUSTED


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    assert fed(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(1000), 64).done
