"""A real Prometheus is scraped, and both agree on what it said."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from qvmon.adapters.host import HostMetrics, LocalFiles
from qvmon.adapters.outbound import HttpOutbound
from qvmon.model.clock import SystemClock
from qvmon.model.metrics import Registry
from qvmon.services.collection import CollectionConfig, CollectionService, Health, OwnMetrics
from qvmon.stores.telemetry import ExemplarRing
from qvmon.wire.prometheus_config import decode_prometheus_config
from tests.servers.prometheus import StartPrometheus
from tests.unit.services.collection.memory import MemorySink, MemoryUnknown

PROMETHEUS = """
scrape_configs:
- job_name: prometheus
  scrape_interval: 1s
  static_configs: [{targets: []}]
"""


def scraping(*addresses: str) -> str:
    targets = ", ".join(f"'{address}'" for address in addresses)
    return f"""
scrape_configs:
- job_name: real
  scrape_interval: 1s
  scrape_timeout: 1s
  static_configs: [{{targets: [{targets}]}}]
  metric_relabel_configs:
  - {{source_labels: [__name__], regex: go_gc_.*, action: drop}}
"""


def exposed(text: str) -> set[str]:
    """The distinct series texts of an exposition, read without qvmon."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {line.rpartition(" ")[0] for line in lines}


def boot_time() -> float:
    lines = Path("/proc/stat").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("btime"))


@pytest.mark.server("prometheus")
async def test_a_real_prometheus_is_scraped(start_prometheus: StartPrometheus) -> None:
    url = start_prometheus(PROMETHEUS)
    address = url.removeprefix("http://")
    nobody = "127.0.0.1:1"
    sink, registry, client = MemorySink(), Registry(), HttpOutbound()
    jobs = decode_prometheus_config(scraping(address, nobody), "p.yml", {}).scrape_configs
    service = CollectionService(
        CollectionConfig(
            jobs=jobs, instance="here", local_interval_seconds=1.0, local_timeout_seconds=1.0
        ),
        sink,
        client,
        SystemClock(),
        registry,
        unknown=MemoryUnknown(),
        exemplars=ExemplarRing(100, registry),
        files=LocalFiles(),
        local=(HostMetrics(SystemClock()), OwnMetrics(registry)),
    )
    await service.start()
    try:
        async with asyncio.timeout(30):
            await service.first_round_done.wait()
            while len(sink.of("up", instance=address)) < 3:  # noqa: ASYNC110 - a real server's pace
                await asyncio.sleep(0.05)
        page = await asyncio.to_thread(lambda: httpx.get(f"{url}/metrics", trust_env=False).text)
        view = service.targets()
    finally:
        await service.stop()
        await client.close()

    statuses = {status.labels["instance"]: status for status in view.active}
    assert statuses[address].health is Health.UP
    assert statuses[nobody].health is Health.DOWN
    assert statuses[nobody].last_error == f'Get "http://{nobody}/metrics": connection refused'
    assert set(sink.values("up", instance=nobody)) == {0.0}
    assert set(sink.values("up", instance=address)) == {1.0}

    stored = [labels for labels in sink.samples if labels["instance"] == address]
    names = {labels["__name__"] for labels in stored}
    wanted = {series for series in exposed(page) if not series.startswith("go_gc_")}
    assert names >= {series.partition("{")[0] for series in wanted}
    assert not [name for name in names if name.startswith("go_gc_")]
    scraped = sink.values("scrape_samples_scraped", instance=address)[-1]
    assert abs(scraped - len(exposed(page))) <= 5

    (build,) = [labels for labels in stored if labels["__name__"] == "prometheus_build_info"]
    served = next(series for series in wanted if series.startswith("prometheus_build_info"))
    assert f'version="{build["version"]}"' in served
    started = sink.values("process_start_time_seconds", instance=address)[-1]
    assert isinstance(started, float)
    assert abs(started - time.time()) < 600

    times = [at for at, _ in sink.of("up", instance=address)]
    assert times == sorted(set(times))
    assert sink.values("up", job="node") != []
    assert sink.values("node_boot_time_seconds", job="node")[-1] == boot_time()
    assert sink.values("qvmon_collection_targets", job="qvmon", scrape_job="real") != []
