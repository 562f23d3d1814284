"""The server as a program meets it: on a real socket, started and stopped in its own loop."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl

import httpx
import pytest
import trustme

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.api.server import ApiServer
from qvmon.model.errors import ErrorKind, QvmonError

from .conftest import PREFIX, House


def server_of(house: House, **settings: object) -> ApiServer:
    config = ApiConfig(port=0, **settings)
    return ApiServer(create_app(house.ports(), config), config)


async def test_it_serves_on_a_free_port_and_stops(house: House) -> None:
    server = server_of(house)
    await server.start()
    assert server.url == f"http://127.0.0.1:{server.address[1]}"
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{server.url}/-/healthy")).status_code == 200
        await server.stop()
        with pytest.raises(httpx.TransportError):
            await client.get(f"{server.url}/-/healthy")


async def test_it_can_be_started_again_and_stopped_twice(house: House) -> None:
    server = server_of(house)
    await server.stop()
    for _ in range(2):
        await server.start()
        await server.stop()
    await server.stop()


async def test_signals_stay_the_programs(house: House) -> None:
    before = signal.getsignal(signal.SIGINT)
    server = server_of(house)
    await server.start()
    assert signal.getsignal(signal.SIGINT) is before
    await server.stop()


async def test_an_address_in_use_is_told(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = ApiConfig(port=port)
        server = ApiServer(create_app(house.ports(), config), config)
        with pytest.raises(QvmonError, match=f"cannot listen on 127.0.0.1:{port}") as caught:
            await server.start()
    assert caught.value.kind is ErrorKind.UNAVAILABLE


async def test_it_speaks_tls(house: House, tmp_path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    server = server_of(house, tls={"certificate_file": chain, "key_file": key})
    await server.start()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        assert (await client.get(f"{server.url}/-/healthy")).status_code == 200
    await server.stop()


async def test_tls_files_that_cannot_be_used_are_told(house: House, tmp_path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    server = server_of(house, tls={"certificate_file": nothing, "key_file": nothing})
    with pytest.raises(QvmonError, match="TLS files cannot be used"):
        await server.start()


async def test_a_listener_does_not_hold_up_the_stop(house: House) -> None:
    """An event stream has no end of its own; stopping must not wait for its client."""
    server = server_of(house, shutdown_seconds=60)
    await server.start()
    identity = await house.person("ada", "viewer")
    secret, _ = await house.access.create_token(identity, "t", ["viewer"])
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        async with client.stream("GET", f"{server.url}{PREFIX}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            assert (await anext(lines)).startswith("retry:")
            stopping = asyncio.create_task(server.stop())
            assert [line async for line in lines] == [""]
        await stopping


async def test_oversized_headers_are_refused(house: House) -> None:
    server = server_of(house, header_bytes=4096)
    await server.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{server.url}/-/healthy", headers={"X-Long": "x" * 100_000})
    await server.stop()
    assert answer.status_code in (400, 431)


async def test_requests_are_measured_by_route(house: House) -> None:
    server = server_of(house, anonymous_metrics=True)
    await server.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"{server.url}{PREFIX}/incidents/123")
        await client.get(f"{server.url}{PREFIX}/incidents/456")
        text = (await client.get(f"{server.url}/metrics")).text
        open_metrics = await client.get(
            f"{server.url}/metrics", headers={"Accept": "application/openmetrics-text"}
        )
    await server.stop()
    name = "qvmon_api_request_duration_seconds_count"
    route = f"{PREFIX}/incidents/{{incident_id}}"
    assert f'{name}{{code="401",handler="{route}",method="GET"}} 2' in text
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")
