"""The outbound client keeps its bounds and its policy against servers that mean no good."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trustme

from qvmon.adapters.outbound import EgressPolicy, HttpOutbound, OutboundConfig
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.ports import OutboundRequest, OutboundResponse, TlsOptions

Answer = Callable[[str, dict[str, str]], bytes | Awaitable[bytes]]


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Server:
    """A web server that answers what a test says, and remembers what it was asked."""

    answers: Answer
    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request, *lines = head.decode().strip().split("\r\n")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                await reader.readexactly(int(headers.get("content-length", 0)))
                self.asked.append((request, headers))
                said = self.answers(request, headers)
                writer.write(said if isinstance(said, bytes) else await said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(answers)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for writer in server.writers:
            writer.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def client(**egress: object) -> AsyncIterator[HttpOutbound]:
    outbound = HttpOutbound(OutboundConfig(egress=EgressPolicy(**egress)))
    try:
        yield outbound
    finally:
        await outbound.close()


async def refused(outbound: HttpOutbound, url: str, **fields: object) -> QvmonError:
    with pytest.raises(QvmonError) as caught:
        await outbound.send(OutboundRequest("GET", url, **fields))
    return caught.value


async def test_an_answer_comes_whole_whatever_its_status() -> None:
    async with (
        serving(lambda *_: answer(b"no", "404 Not Found", X_A="b")) as server,
        client() as out,
    ):
        got = await out.send(OutboundRequest("GET", server.url("/x?y=1"), {"Accept": "text/plain"}))
    assert (got.status, got.body, got.headers["x-a"]) == (404, b"no", "b")
    request, headers = server.asked[0]
    assert request == "GET /x?y=1 HTTP/1.1"
    assert headers["accept"] == "text/plain"
    assert headers["host"] == f"127.0.0.1:{server.port}"


async def test_a_body_is_sent() -> None:
    async with serving(lambda *_: answer()) as server, client() as out:
        await out.send(OutboundRequest("POST", server.url(), body=b"abc"))
    assert server.asked[0][1]["content-length"] == "3"


async def test_connections_are_kept_and_used_again() -> None:
    async with serving(lambda *_: answer(b"x")) as server, client() as out:
        for _ in range(3):
            await out.send(OutboundRequest("GET", server.url()))
    assert server.connections == 1


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_error() -> None:
    async with serving(lambda *_: answer(b"x")) as server, client() as out:
        await out.send(OutboundRequest("GET", server.url()))
        server.writers[0].close()
        got = await out.send(OutboundRequest("GET", server.url()))
    assert got.body == b"x"


async def test_gzip_is_opened() -> None:
    body = gzip.compress(b"hello " * 100_000)
    async with (
        serving(lambda *_: answer(body, Content_Encoding="gzip")) as server,
        client() as out,
    ):
        got = await out.send(OutboundRequest("GET", server.url()))
    assert got.body == b"hello " * 100_000


async def test_a_gzip_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(bytes(200 << 20))
    async with (
        serving(lambda *_: answer(bomb, Content_Encoding="gzip")) as server,
        client() as out,
    ):
        error = await refused(out, server.url(), max_response_bytes=1 << 20)
    assert error.kind is ErrorKind.EXHAUSTED
    assert str(1 << 20) in error.message


async def test_a_body_that_never_ends_is_stopped_at_the_limit() -> None:
    async with serving(lambda *_: answer(bytes(1 << 20))) as server, client() as out:
        error = await refused(out, server.url(), max_response_bytes=1000)
        whole = await out.send(OutboundRequest("GET", server.url(), max_response_bytes=1 << 20))
    assert error.kind is ErrorKind.EXHAUSTED
    assert len(whole.body) == 1 << 20


async def test_damaged_gzip_is_told() -> None:
    async with (
        serving(lambda *_: answer(b"not gzip", Content_Encoding="gzip")) as server,
        client() as out,
    ):
        error = await refused(out, server.url())
    assert error.kind is ErrorKind.INVALID
    assert "gzip" in error.message


async def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    async with serving(lambda *_: never()) as server, client() as out:
        error = await refused(out, server.url(), timeout_seconds=0.05)
    assert error.kind is ErrorKind.TIMEOUT
    assert error.message.startswith(f'Get "{server.url()}": context deadline exceeded')


async def test_a_refused_connection_is_told_as_prometheus_does() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with client() as out:
        error = await refused(out, f"http://127.0.0.1:{port}/m")
    assert error.kind is ErrorKind.UNAVAILABLE
    assert error.message == f'Get "http://127.0.0.1:{port}/m": connection refused'


async def test_a_name_that_nobody_has_is_told() -> None:
    async with client() as out:
        error = await refused(out, "http://nobody.invalid/")
    assert error.kind is ErrorKind.UNAVAILABLE
    assert "no such host" in error.message


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "nothing", "http://ü.invalid/", "http:///x", "http://[::1"]
)
async def test_what_is_no_http_url_is_invalid(url) -> None:
    async with client() as out:
        error = await refused(out, url)
    assert error.kind in (ErrorKind.INVALID, ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize(
    "policy",
    [
        {"denied_networks": ["127.0.0.0/8"]},
        {"denied_hosts": ["127.*"]},
        {"allowed_networks": ["10.0.0.0/8"]},
        {"allowed_hosts": ["*.example.org"]},
        {"allowed_hosts": ["*"], "denied_networks": ["127.0.0.1/32"]},
    ],
)
async def test_policy_keeps_requests_from_addresses(policy) -> None:
    async with serving(lambda *_: answer()) as server, client(**policy) as out:
        error = await refused(out, server.url())
    assert error.kind is ErrorKind.FORBIDDEN
    assert "egress policy" in error.message
    assert server.connections == 0


async def test_policy_looks_at_the_address_behind_a_name() -> None:
    denied = ["127.0.0.0/8", "::1/128"]
    async with serving(lambda *_: answer()) as server, client(denied_networks=denied) as out:
        error = await refused(out, f"http://localhost:{server.port}/")
    assert error.kind is ErrorKind.FORBIDDEN


async def test_policy_lets_through_what_it_allows() -> None:
    policy = {"allowed_networks": ["127.0.0.0/8"]}
    async with serving(lambda *_: answer(b"x")) as server, client(**policy) as out:
        got = await out.send(OutboundRequest("GET", server.url()))
    assert got.body == b"x"


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254"])
def test_metadata_services_of_clouds_are_denied_by_default(address) -> None:
    assert "denies" in EgressPolicy().objection("metadata", address)


async def test_redirects_are_followed_when_asked_for() -> None:
    def answers(request: str, _: dict[str, str]) -> bytes:
        if request.startswith("GET /old"):
            return answer(b"", "302 Found", Location="/new")
        return answer(b"new")

    async with serving(answers) as server, client() as out:
        followed = await out.send(OutboundRequest("GET", server.url("/old"), follow_redirects=True))
        left = await out.send(OutboundRequest("GET", server.url("/old")))
    assert followed.body == b"new"
    assert left.status == 302


async def test_redirects_end_somewhere() -> None:
    async with (
        serving(lambda *_: answer(b"", "302 Found", Location="/again")) as server,
        client() as out,
    ):
        error = await refused(out, server.url(), follow_redirects=True)
    assert "stopped after 10 redirects" in error.message


async def test_credentials_do_not_follow_a_redirect_to_another_host() -> None:
    async with (
        serving(lambda *_: answer(b"x")) as other,
        serving(lambda *_: answer(b"", "302 Found", Location=other.url())) as server,
        client() as out,
    ):
        await out.send(
            OutboundRequest(
                "GET", server.url(), {"Authorization": "Bearer s"}, follow_redirects=True
            )
        )
    assert server.asked[0][1]["authorization"] == "Bearer s"
    assert "authorization" not in other.asked[0][1]


async def test_a_redirect_to_a_denied_host_is_refused() -> None:
    async with (
        serving(lambda *_: answer(b"", "302 Found", Location="http://169.254.169.254/")) as server,
        client() as out,
    ):
        error = await refused(out, server.url(), follow_redirects=True)
    assert error.kind is ErrorKind.FORBIDDEN


async def test_credentials_in_a_url_are_sent_and_not_shown() -> None:
    async with serving(lambda *_: answer(b"x")) as server, client() as out:
        url = f"http://ada:pw@127.0.0.1:{server.port}/"
        await out.send(OutboundRequest("GET", url))
        server.answers = lambda *_: answer(bytes(10))
        error = await refused(out, url, max_response_bytes=1)
    assert server.asked[0][1]["authorization"] == "Basic YWRhOnB3"
    assert "pw" not in error.message


async def test_proxies_of_the_environment_are_not_used(monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serving(lambda *_: answer(b"x")) as server, client() as out:
        got = await out.send(OutboundRequest("GET", server.url()))
    assert got.body == b"x"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> tuple[trustme.CA, str]:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return ca, str(path)


def certified(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    return context


async def secure_get(server: Server, tls: TlsOptions) -> OutboundResponse:
    async with client() as out:
        url = f"https://127.0.0.1:{server.port}/"
        return await out.send(OutboundRequest("GET", url, tls=tls))


async def test_tls_trusts_the_given_authority(authority) -> None:
    ca, file = authority
    async with serving(lambda *_: answer(b"x"), certified(ca, "127.0.0.1")) as server:
        got = await secure_get(server, TlsOptions(ca_file=file))
    assert got.body == b"x"


async def test_tls_trusts_nobody_else(authority) -> None:
    ca, _ = authority
    async with serving(lambda *_: answer(b"x"), certified(ca, "127.0.0.1")) as server:
        with pytest.raises(QvmonError, match="tls: ") as caught:
            await secure_get(server, TlsOptions())
    assert caught.value.kind is ErrorKind.UNAVAILABLE


async def test_tls_checks_the_name_that_is_configured(authority) -> None:
    ca, file = authority
    async with serving(lambda *_: answer(b"x"), certified(ca, "inside.example")) as server:
        got = await secure_get(server, TlsOptions(ca_file=file, server_name="inside.example"))
        with pytest.raises(QvmonError, match="tls: "):
            await secure_get(server, TlsOptions(ca_file=file))
    assert got.body == b"x"


async def test_tls_checks_nothing_when_told_so(authority) -> None:
    ca, _ = authority
    async with serving(lambda *_: answer(b"x"), certified(ca, "elsewhere")) as server:
        got = await secure_get(server, TlsOptions(insecure_skip_verify=True))
    assert got.body == b"x"


async def test_a_tls_file_that_is_not_there_is_named(authority) -> None:
    async with client() as out:
        with pytest.raises(QvmonError, match=r"/no/such\.pem"):
            await out.send(
                OutboundRequest("GET", "https://127.0.0.1:1/", tls=TlsOptions("/no/such.pem"))
            )


async def test_many_requests_at_once_share_few_connections() -> None:
    async with serving(lambda *_: answer(b"x")) as server:
        out = HttpOutbound(OutboundConfig(max_connections_per_host=3))
        requests = [OutboundRequest("GET", server.url(f"/{n}")) for n in range(30)]
        answers = await asyncio.gather(*(out.send(request) for request in requests))
        await out.close()
    assert [got.body for got in answers] == [b"x"] * 30
    assert server.connections <= 3


async def test_a_credential_with_forbidden_characters_is_refused_and_not_shown() -> None:
    async with serving(lambda *_: answer(b"x")) as server, client() as out:
        error = await refused(out, server.url(), headers={"Authorization": "Bearer hunter2\nx"})
    assert error.kind is ErrorKind.INVALID
    assert "hunter2" not in error.message


async def test_ipv6_addresses_are_reached() -> None:
    if not socket.has_ipv6:
        pytest.skip("this host has no IPv6")
    server = Server(lambda *_: answer(b"six"))
    try:
        listener = await asyncio.start_server(server.serve, "::1", 0)
    except OSError:
        pytest.skip("this host has no IPv6 loopback")
    port = listener.sockets[0].getsockname()[1]
    async with client() as out:
        got = await out.send(OutboundRequest("GET", f"http://[::1]:{port}/"))
    listener.close()
    assert got.body == b"six"


async def test_chunked_answers_are_put_together_and_the_connection_is_kept() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with serving(lambda *_: chunked) as server, client() as out:
        got = [await out.send(OutboundRequest("GET", server.url())) for _ in range(2)]
    assert [each.body for each in got] == [b"hello"] * 2
    assert server.connections == 1


async def test_an_answer_that_breaks_off_is_told_and_not_asked_for_again() -> None:
    async def broken() -> bytes:
        server.writers[-1].write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        server.writers[-1].close()
        return b""

    async with serving(lambda *_: broken()) as server, client() as out:
        error = await refused(out, server.url())
    assert (error.kind, error.context["cause"]) == (ErrorKind.UNAVAILABLE, "broken_off")
    assert error.context["maybe_arrived"] is True
    assert len(server.asked) == 1


async def test_a_request_that_changes_something_is_never_sent_twice() -> None:
    async with serving(lambda *_: answer(b"x")) as server, client() as out:
        await out.send(OutboundRequest("GET", server.url()))

        async def closes() -> bytes:
            server.writers[0].close()
            return b""

        server.answers = lambda *_: closes()
        with pytest.raises(QvmonError):
            await out.send(OutboundRequest("POST", server.url(), body=b"once"))
    assert [request for request, _ in server.asked].count("POST / HTTP/1.1") == 1


async def test_what_is_no_http_server_is_told() -> None:
    async with serving(lambda *_: b"SSH-2.0-OpenSSH\r\n\r\n") as server, client() as out:
        error = await refused(out, server.url())
    assert error.context["cause"] == "malformed_http"


async def test_a_large_body_is_sent_whole() -> None:
    async with serving(lambda *_: answer(b"ok")) as server, client() as out:
        got = await out.send(OutboundRequest("POST", server.url(), body=bytes(3 << 20)))
    assert got.body == b"ok"
    assert server.asked[0][1]["content-length"] == str(3 << 20)


async def test_a_request_given_up_does_not_disturb_the_next_one() -> None:
    first = asyncio.Event()

    async def slow() -> bytes:
        first.set()
        await asyncio.sleep(0.2)
        return answer(b"late")

    async with serving(lambda *_: slow()) as server, client() as out:
        error = await refused(out, server.url(), timeout_seconds=0.05)
        server.answers = lambda *_: answer(b"now")
        got = await out.send(OutboundRequest("GET", server.url()))
    assert error.kind is ErrorKind.TIMEOUT
    assert got.body == b"now"
