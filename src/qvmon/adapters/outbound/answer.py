"""Reading one HTTP/1.1 answer from the bytes of a connection, straight into its body's place.

Source: RFC 9112. A body whose length is declared is received into one buffer, never copied
together from pieces; what scraping costs is decided here.
"""

from __future__ import annotations

from enum import Enum, auto
from io import BytesIO

from qvmon.model.errors import ErrorKind, QvmonError

MAX_HEAD_BYTES = 64 << 10
_MAX_CHUNK_LINE = 4 << 10
_HEAD_ROOM_BYTES = 8 << 10
_RECEIVE_BYTES = 64 << 10
_INFORMATIONAL = range(100, 200)
_WITHOUT_BODY = frozenset({204, 304})


class MalformedError(Exception):
    """What was answered is not HTTP."""


class _Phase(Enum):
    HEAD = auto()
    COUNTED = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()
    DONE = auto()


class Answer:
    """An answer as it comes.

    Args:
        method: Of the request; the answer to HEAD has no body.
        limit: Bytes that the body may have as it is sent.
    """

    def __init__(self, method: str, limit: int) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._gathered = bytearray()  # of a body that does not say how long it is
        self._whole: BytesIO | None = None  # a body that does
        self._counted = memoryview(b"")  # where that is received
        self.keep = False
        self._method, self._limit = method, limit
        self._phase = _Phase.HEAD
        self._received = bytearray(_HEAD_ROOM_BYTES)
        self._filled = 0  # of ``_received``, or of a counted body
        self._chunk_left = 0
        self._in_trailer = False

    @property
    def done(self) -> bool:
        """Whether all of it is there."""
        return self._phase is _Phase.DONE

    @property
    def begun(self) -> bool:
        """Whether any of it is there."""
        return self._phase is not _Phase.HEAD or self._filled > 0

    @property
    def body(self) -> bytes:
        """What came of the body; all of it, without a copy, of a whole one that was counted."""
        return bytes(self._gathered) if self._whole is None else self._whole.getvalue()

    def room(self) -> memoryview:
        """Return where the next bytes go."""
        if self._phase is _Phase.COUNTED:
            return self._counted[self._filled :]
        here = len(self._received)
        if self._filled == here or (here < _RECEIVE_BYTES and self._phase is not _Phase.HEAD):
            self._received.extend(bytes(max(here, _RECEIVE_BYTES - here)))
        return memoryview(self._received)[self._filled :]

    def came(self, count: int) -> None:
        """Go on with ``count`` bytes more in the room.

        Raises:
            MalformedError: This is not HTTP.
            QvmonError: EXHAUSTED, when the body is larger than allowed.
        """
        self._filled += count
        if self._phase is _Phase.COUNTED:
            if self._filled == len(self._counted):
                self._counted, self._phase = memoryview(b""), _Phase.DONE
            return
        if self._phase is _Phase.HEAD:
            self._read_head()
        if self._phase is _Phase.CHUNKED:
            self._read_chunks()
        elif self._phase is _Phase.UNTIL_CLOSE:
            self._take(self._filled)
        elif self._phase is _Phase.DONE and self._filled:
            self.keep = False  # more than was asked for: whatever comes next would be wrong

    def ended(self) -> bool:
        """Note that the other side closed; return whether the answer is whole."""
        if self._phase is _Phase.UNTIL_CLOSE:
            self._phase = _Phase.DONE
        return self.done

    def _read_head(self) -> None:
        while self._phase is _Phase.HEAD:
            end = self._received.find(b"\r\n\r\n", 0, self._filled)
            if end < 0:
                if self._filled > MAX_HEAD_BYTES:
                    raise MalformedError("the head of the answer is too long")
                return
            head = bytes(self._received[:end])
            self._drop(end + 4)
            self._begin(head)

    def _begin(self, head: bytes) -> None:
        line, *fields = head.decode("latin-1").split("\r\n")
        version, self.status = _status(line)
        if self.status in _INFORMATIONAL:
            return
        for field in fields:
            name, colon, value = field.partition(":")
            key = name.lower()
            if not colon or not key or key != key.strip():
                raise MalformedError(f"malformed header line {field[:80]!r}")
            value = value.strip()
            self.headers[key] = f"{self.headers[key]}, {value}" if key in self.headers else value
        connection = self.headers.get("connection", "").lower()
        self.keep = "close" not in connection and (version == "1.1" or "keep-alive" in connection)
        self._begin_body()

    def _begin_body(self) -> None:
        coding = self.headers.get("transfer-encoding", "").lower()
        if self._method == "HEAD" or self.status in _WITHOUT_BODY:
            self._phase = _Phase.DONE
        elif coding:
            if coding != "chunked":
                raise MalformedError(f"unknown transfer encoding {coding[:80]!r}")
            self._phase = _Phase.CHUNKED
        elif "content-length" in self.headers:
            self._begin_counted(_length(self.headers["content-length"]))
        else:
            self._phase, self.keep = _Phase.UNTIL_CLOSE, False

    def _begin_counted(self, length: int) -> None:
        self._check(length)
        here = min(self._filled, length)
        if here == length:
            self._gathered = self._received[:here]
            self._drop(here)
            self._phase = _Phase.DONE
        else:
            self._whole = BytesIO(bytes(length))
            self._counted = self._whole.getbuffer()
            self._counted[:here] = memoryview(self._received)[:here]
            self._phase, self._filled = _Phase.COUNTED, here

    def _read_chunks(self) -> None:
        while self._phase is _Phase.CHUNKED:
            if self._chunk_left > 2:
                if not self._filled:
                    return
                taken = min(self._chunk_left - 2, self._filled)
                self._take(taken)
                self._chunk_left -= taken
            elif self._chunk_left:  # the line's end after a chunk
                if self._filled < 2:
                    return
                if self._received[:2] != b"\r\n":
                    raise MalformedError("malformed chunk")
                self._drop(2)
                self._chunk_left = 0
            elif not self._read_chunk_line():
                return

    def _read_chunk_line(self) -> bool:
        """Read the line before a chunk, or of the trailer; return whether it was there."""
        end = self._received.find(b"\r\n", 0, self._filled)
        if end < 0:
            if self._filled > _MAX_CHUNK_LINE:
                raise MalformedError("malformed chunk")
            return False
        line = bytes(self._received[:end])
        self._drop(end + 2)
        if self._in_trailer:
            if not line:
                self._phase = _Phase.DONE
            return True
        size = _chunk_size(line)
        self._check(len(self._gathered) + size)
        self._in_trailer = size == 0
        self._chunk_left = size + 2 if size else 0
        return True

    def _take(self, count: int) -> None:
        """Move bytes received to the body."""
        self._check(len(self._gathered) + count)
        self._gathered.extend(memoryview(self._received)[:count])
        self._drop(count)

    def _drop(self, count: int) -> None:
        """Move the rest of the bytes received to the front."""
        rest = self._filled - count
        if rest:
            self._received[:rest] = self._received[count : self._filled]
        self._filled = rest

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise QvmonError(
                ErrorKind.EXHAUSTED, f"the answer holds more than the allowed {self._limit} bytes"
            )


def _status(line: str) -> tuple[str, int]:
    protocol, _, rest = line.partition(" ")
    code = rest[:3]
    known = protocol in ("HTTP/1.1", "HTTP/1.0") and code.isascii() and code.isdigit()
    if not known or len(code) != 3 or rest[3:4] not in ("", " "):
        raise MalformedError(f"malformed HTTP response {line[:80]!r}")
    return protocol[5:], int(code)


def _length(text: str) -> int:
    values = {each.strip() for each in text.split(",")}
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise MalformedError(f"malformed Content-Length {text[:80]!r}")
    return int(value)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not 0 < len(digits) <= 15 or not all(digit in b"0123456789abcdefABCDEF" for digit in digits):
        raise MalformedError("malformed chunk")
    return int(digits, 16)
