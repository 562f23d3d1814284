"""A whole house behind the API: real stores, real services, on temporary data and a test clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.api.ports import ApiPorts, BuildFacts
from qvmon.model.access import Role, person
from qvmon.model.facts import AlertFiring, AlertResolved, FactDraft
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.model.ports import OutboundRequest, OutboundResponse
from qvmon.model.series import MetricMetadata, SampleBatch, SeriesKeys
from qvmon.services import alerting, configuration, distribution, incidents
from qvmon.services.collection import CollectionConfig, CollectionService
from qvmon.services.configuration import AccessConfig, AccessService, Identity, PasswordConfig
from qvmon.services.distribution import DistributionConfig, DistributionService
from qvmon.services.incidents import IncidentsConfig, IncidentsService
from qvmon.stores.query import QueryConfig, QueryEngine
from qvmon.stores.telemetry import ExemplarRing, TelemetryConfig, TelemetryStore
from qvmon.testing.clock import JumpingClock, settle
from qvmon.testing.ledger import MemoryLedger

CHEAP = PasswordConfig(hash_iterations=1, hash_memory_bytes=8192, hash_lanes=1)
ROOT = person("root", frozenset({Role.ADMINISTRATOR}))
PASSWORD = "correct horse battery"
OWN_PASSWORD = "staple of another kind"
PREFIX = "/api/qvmon/v1"
CSRF = {"X-Qvmon-Request": "1"}
PROJECTIONS = tuple(
    projection
    for service in (alerting, configuration, distribution, incidents)
    for projection in service.PROJECTIONS
)


class NoFiles:
    """No target lists and no credentials on disk."""

    def matching(self, pattern: str) -> list[str]:
        return []

    def read(self, path: str) -> bytes:
        raise AssertionError(path)


class NoNetwork:
    """Nothing leaves this machine."""

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        raise AssertionError(request.url)


class House:
    """Everything the API serves, and clients who use it."""

    def __init__(self, folder: Path) -> None:
        self.clock = JumpingClock()
        self.registry = Registry()
        self.ledger = MemoryLedger(self.clock, PROJECTIONS)
        store_config = TelemetryConfig(out_of_order_window_seconds=86400.0)
        self.store = TelemetryStore(folder, store_config, self.clock, self.registry)
        self.queries = QueryEngine(self.store, QueryConfig(), self.clock, self.registry)
        self.access = AccessService(
            AccessConfig(password=CHEAP), self.ledger, self.clock, self.registry
        )
        self.incidents = IncidentsService(IncidentsConfig(), self.ledger, self.clock, self.registry)
        self.distribution = DistributionService(
            DistributionConfig(), [], self.ledger, self.clock, self.registry
        )
        self.exemplars = ExemplarRing(1000, self.registry)
        self.collection = CollectionService(
            CollectionConfig(),
            self.store,
            NoNetwork(),
            self.clock,
            self.registry,
            unknown=self.store,
            exemplars=self.exemplars,
            files=NoFiles(),
        )
        self.is_ready = True
        self._clients: list[httpx.AsyncClient] = []

    async def start(self) -> None:
        await self.store.start()
        await self.incidents.start()

    async def stop(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self.incidents.stop()
        await self.store.stop()

    @property
    def now_ms(self) -> int:
        return self.clock.now_ns() // 1_000_000

    def ports(self, **changes: object) -> ApiPorts:
        parts: dict[str, object] = {
            "clock": self.clock,
            "registry": self.registry,
            "build": BuildFacts(
                version="0.1.0",
                started_at_us=self.clock.now_ns() // 1000,
                retention="15d",
                configuration="scrape_configs: []\n",
            ),
            "ready": lambda: self.is_ready,
            "access": self.access,
            "ledger": self.ledger,
            "queries": self.queries,
            "running_queries": self.queries.running,
            "series": self.store,
            "telemetry": self.store,
            "exemplars": self.exemplars,
            "unknown": self.store,
            "ingest": self.collection,
            "targets": self.collection.targets,
            "rules": list,
            "incidents": self.incidents,
            "distribution": self.distribution,
        }
        return ApiPorts(**{**parts, **changes})

    def client(self, app=None, **headers: str) -> httpx.AsyncClient:
        """Return a client of ``app`` (of all parts, when none is given) that sends ``headers``."""
        app = app or create_app(self.ports(), ApiConfig())
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://127.0.0.1:9090",
            headers=headers,
        )
        self._clients.append(client)
        return client

    async def person(self, login: str, *roles: str) -> Identity:
        """Return a user with a password of their own, logged in."""
        await self.access.create_user(ROOT, login, PASSWORD, roles)
        _, identity = await self.access.log_in(login, PASSWORD, "::1")
        _, identity = await self.access.change_own_password(identity, PASSWORD, OWN_PASSWORD, "::1")
        return identity

    async def program(self, role: str, app=None) -> httpx.AsyncClient:
        """Return a client with a token of ``role``."""
        owner = await self.person(f"owner.{role.replace('_', '-')}", role)
        secret, _ = await self.access.create_token(owner, "test", [role])
        return self.client(app, Authorization=f"Bearer {secret}")

    async def browser(self, login: str, *roles: str, app=None) -> httpx.AsyncClient:
        """Return a client that has logged in with a password."""
        await self.person(login, *roles)
        client = self.client(app, **CSRF)
        answer = await client.post(
            f"{PREFIX}/session", json={"username": login, "password": OWN_PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        return client

    async def write(self, samples: dict[str, list[tuple[int, float]]]) -> None:
        """Store samples, by series as ``name{label="value"}`` in JSON of its labels."""
        for labels, points in samples.items():
            keys = SeriesKeys.from_labels([Labels(json.loads(labels))])
            series = np.repeat(self.store.series_ids(keys), len(points))
            times = np.array([at for at, _ in points], np.int64)
            values = np.array([value for _, value in points], np.float64)
            result = await self.store.append(SampleBatch(series, times, values))
            assert result.accepted == len(points)

    def describe(self, *entries: MetricMetadata) -> None:
        self.store.describe(entries)

    async def alert(self, state: type[AlertFiring] | type[AlertResolved], **labels: str) -> str:
        """Have alerting say that an alert fires or is over; incidents follow."""
        named = {"alertname": "LatencyHigh", "severity": "critical", **labels}
        alert_id = f"alert-{named['alertname']}-{named.get('service', '')}"
        body = state(
            alert_id=alert_id,
            rule=named["alertname"],
            group="trading",
            file="rules.yml",
            labels=named,
            annotations={"summary": "p99 above 500 ms"},
            value="0.75",
            expr="latency > 0.5",
            active_at_ms=self.now_ms,
            event_ms=self.now_ms,
        )
        draft = FactDraft(
            body, f"alert/{alert_id}", "rule:trading/LatencyHigh", self.clock.now_ns() // 1000
        )
        await self.ledger.append([draft])
        await settle()
        return alert_id


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    built = House(tmp_path)
    await built.start()
    yield built
    await built.stop()
