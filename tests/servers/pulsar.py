"""A real Apache Pulsar broker: one for the session, or one of a test's own to kill."""

from __future__ import annotations

import base64
import hmac
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pulsar
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.servers import end, free_port, leave_out, wait_until

_HOME = "~/.cache/qvmon-tests/apache-pulsar-4.0.8"
_MEMORY = "-Xms256m -Xmx512m -XX:MaxDirectMemorySize=512m"
_SETTINGS = """
bindAddress=127.0.0.1
allowEphemeralPorts=true
listeningInterface=lo
journalSyncData=true
brokerDeleteInactiveTopicsEnabled=false
webSocketServiceEnabled=false
"""


@dataclass(frozen=True)
class Guard:
    """How to get past a guarded broker."""

    tls_port: int
    token: str
    ca_file: str


@dataclass
class PulsarBroker:
    """One standalone broker in a directory of its own.

    Attributes:
        program: The distribution's directory.
        home: Its data, configuration and log.
        broker_port: Where clients connect. ``web_port``: where its REST API listens.
        settings: Further lines of ``standalone.conf``.
    """

    program: Path
    home: Path
    broker_port: int = field(default_factory=free_port)
    web_port: int = field(default_factory=free_port)
    bookie_port: int = field(default_factory=free_port)
    settings: str = ""
    admin_headers: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def service_url(self) -> str:
        return f"pulsar://127.0.0.1:{self.broker_port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}/admin/v2"

    def start(self) -> None:
        """Start the broker and wait until it is healthy."""
        log = self.home / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self._command(),
                cwd=self.home,
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._is_healthy, "Pulsar ready", seconds=110, log=log)

    def stop(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        """End the broker, at once by default: nothing acknowledged is lost."""
        if self.process is not None:
            end(self.process, with_signal)
            self.process = None

    def create_namespace(self, tenant: str, namespace: str) -> None:
        """Create a tenant and a namespace of it."""
        body = {"adminRoles": [], "allowedClusters": ["standalone"]}
        self._admin("PUT", f"tenants/{tenant}", body)
        self._admin("PUT", f"namespaces/{tenant}/{namespace}", {})
        retention = {"retentionTimeInMinutes": -1, "retentionSizeInMB": -1}
        self._admin("POST", f"namespaces/{tenant}/{namespace}/retention", retention)

    def guard(self) -> Guard:
        """Have the broker ask for a token, and offer TLS; call before ``start``."""
        secret = self.home / "secret.key"
        secret.write_bytes(os.urandom(32))
        token = _token(secret.read_bytes(), "admin")
        authority, tls_port = trustme.CA(), free_port()
        certificate = authority.issue_cert("127.0.0.1")
        ca, chain, key = (self.home / name for name in ("ca.pem", "broker.pem", "broker.key"))
        authority.cert_pem.write_to_path(ca)
        chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key.write_bytes(_pkcs8(certificate.private_key_pem.bytes()))
        self.admin_headers = {"Authorization": f"Bearer {token}"}
        plugin = "org.apache.pulsar.client.impl.auth.AuthenticationToken"
        provider = "org.apache.pulsar.broker.authentication.AuthenticationProviderToken"
        self.settings = f"""
authenticationEnabled=true
authorizationEnabled=true
authenticationProviders={provider}
tokenSecretKey=file://{secret}
superUserRoles=admin
brokerClientAuthenticationPlugin={plugin}
brokerClientAuthenticationParameters=token:{token}
brokerServicePortTls={tls_port}
tlsCertificateFilePath={chain}
tlsKeyFilePath={key}
tlsTrustCertsFilePath={ca}
"""
        return Guard(tls_port, token, str(ca))

    def read(self, topic: str, count: int, seconds: float = 30) -> list[pulsar.Message]:
        """Return the first messages of ``topic``, as a plain client finds them."""
        client = pulsar.Client(
            self.service_url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull)
        )
        try:
            reader = client.create_reader(topic, pulsar.MessageId.earliest)
            return [reader.read_next(timeout_millis=int(seconds * 1000)) for _ in range(count)]
        finally:
            client.close()

    def _admin(self, method: str, path: str, body: dict[str, Any]) -> None:
        response = httpx.request(
            method,
            f"{self.admin_url}/{path}",
            json=body,
            headers=self.admin_headers,
            timeout=30,
            trust_env=False,
        )
        if response.status_code not in {204, 409}:
            pytest.fail(f"{method} {path}: {response.status_code} {response.text}")

    def _is_healthy(self) -> bool:
        try:
            health = httpx.get(
                f"{self.admin_url}/brokers/health",
                headers=self.admin_headers,
                timeout=10,
                trust_env=False,
            )
        except httpx.TransportError:
            return False
        return health.status_code == 200 and health.text.strip() == "ok"

    def _command(self) -> list[str]:
        return [
            str(self.program / "bin" / "pulsar"),
            "standalone",
            "-nfw",
            "-nss",
            *("-a", "127.0.0.1"),
            *("--metadata-dir", str(self.home / "metadata")),
            *("--bookkeeper-dir", str(self.home / "bookkeeper")),
            *("--bookkeeper-port", str(self.bookie_port)),
        ]

    def _environment(self) -> dict[str, str]:
        conf = self.home / "standalone.conf"
        lines = (self.program / "conf" / "standalone.conf").read_text()
        ports = f"brokerServicePort={self.broker_port}\nwebServicePort={self.web_port}\n"
        conf.write_text(f"{lines}\n{_SETTINGS}{ports}{self.settings}\n")
        return {
            "PULSAR_STANDALONE_CONF": str(conf),
            "PULSAR_MEM": _MEMORY,
            "PULSAR_GC": "-XX:+UseSerialGC",
            "PULSAR_GC_LOG": " ",
            "PULSAR_EXTRA_OPTS": "-XX:TieredStopAtLevel=1",
            "PULSAR_LOG_DIR": str(self.home / "logs"),
        }


def _token(secret: bytes, subject: str) -> str:
    """A JSON web token signed with HMAC-SHA256 (RFC 7519)."""

    def encoded(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    head = encoded(b'{"alg":"HS256"}') + b"." + encoded(json.dumps({"sub": subject}).encode())
    return (head + b"." + encoded(hmac.digest(secret, head, "sha256"))).decode()


def _pkcs8(pem: bytes) -> bytes:
    """The same private key in the only form that the broker reads."""
    key = serialization.load_pem_private_key(pem, password=None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _program() -> Path:
    home = Path(os.environ.get("QVMON_TEST_PULSAR_HOME", _HOME)).expanduser()
    if not (home / "bin" / "pulsar").exists():
        leave_out(f"Apache Pulsar is not in {home} (set QVMON_TEST_PULSAR_HOME)")
    if shutil.which("java") is None:
        leave_out("java is not installed")
    return home


@pytest.fixture(scope="session")
def pulsar_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulsarBroker]:
    """A running broker with the namespace ``quantivista/monitoring``."""
    broker = PulsarBroker(_program(), tmp_path_factory.mktemp("pulsar"))
    try:
        broker.start()
        broker.create_namespace("quantivista", "monitoring")
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def own_pulsar_broker(tmp_path: Path) -> Iterator[PulsarBroker]:
    """A broker of the test's own, not started yet."""
    broker = PulsarBroker(_program(), tmp_path)
    try:
        yield broker
    finally:
        broker.stop()
