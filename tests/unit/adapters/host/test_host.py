"""The host shows itself as node_exporter would show it: names, types, labels and values."""

import os
import re
import time
from pathlib import Path

import psutil
import pytest

from qvmon.adapters.host import HostMetrics, LocalFiles
from qvmon.adapters.host.family import HostFamily, written
from qvmon.model.clock import SystemClock
from qvmon.model.errors import ErrorKind, QvmonError

SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read_samples(text: str) -> Samples:
    """An exposition reader that knows nothing of qvmon."""
    samples: Samples = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            key = name, frozenset(LABEL.findall(labels or ""))
            assert key not in samples, f"{key} twice"
            samples[key] = float(value)
    return samples


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def collected(proc: Path = Path("/proc")) -> str:
    return HostMetrics(SystemClock(), proc).collect().decode()


def proc_lines(name: str) -> list[list[str]]:
    return [line.split() for line in Path("/proc", name).read_text().splitlines()]


@pytest.fixture(scope="module")
def page() -> str:
    return collected()


@pytest.fixture(scope="module")
def samples(page: str) -> Samples:
    return read_samples(page)


# From node_exporter's collector/fixtures/e2e-output.txt.
TYPES = """
node_boot_time_seconds gauge
node_context_switches_total counter
node_cpu_seconds_total counter
node_disk_io_now gauge
node_disk_io_time_seconds_total counter
node_disk_io_time_weighted_seconds_total counter
node_disk_read_bytes_total counter
node_disk_read_time_seconds_total counter
node_disk_reads_completed_total counter
node_disk_writes_completed_total counter
node_disk_written_bytes_total counter
node_filefd_allocated gauge
node_filefd_maximum gauge
node_filesystem_avail_bytes gauge
node_filesystem_device_error gauge
node_filesystem_files gauge
node_filesystem_files_free gauge
node_filesystem_free_bytes gauge
node_filesystem_readonly gauge
node_filesystem_size_bytes gauge
node_forks_total counter
node_intr_total counter
node_load1 gauge
node_load15 gauge
node_load5 gauge
node_memory_Active_anon_bytes gauge
node_memory_HugePages_Total gauge
node_memory_MemFree_bytes gauge
node_memory_MemTotal_bytes gauge
node_memory_SwapTotal_bytes gauge
node_netstat_Tcp_CurrEstab untyped
node_network_mtu_bytes gauge
node_network_receive_bytes_total counter
node_network_receive_drop_total counter
node_network_receive_errs_total counter
node_network_receive_packets_total counter
node_network_transmit_bytes_total counter
node_network_transmit_packets_total counter
node_network_up gauge
node_procs_blocked gauge
node_procs_running gauge
node_scrape_collector_success gauge
node_sockstat_TCP_inuse gauge
node_sockstat_sockets_used gauge
node_time_seconds gauge
node_vmstat_pgmajfault untyped
"""


@pytest.mark.parametrize("line", TYPES.strip().splitlines())
def test_names_and_types_are_node_exporters(page: str, line: str) -> None:
    assert f"# TYPE {line}\n" in page


def test_every_collector_works_on_this_host(samples: Samples) -> None:
    worked = {k: v for k, v in samples.items() if k[0] == "node_scrape_collector_success"}
    assert len(worked) == 14
    assert set(worked.values()) == {1.0}


def test_cpu_seconds_are_those_of_proc_stat() -> None:
    before, samples, after = proc_lines("stat"), read_samples(collected()), proc_lines("stat")
    tick = os.sysconf("SC_CLK_TCK")
    modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]
    rows = [(a, b) for a, b in zip(before, after, strict=True) if re.fullmatch(r"cpu\d+", a[0])]
    assert rows
    for low, high in rows:
        for column, mode in enumerate(modes, start=1):
            value = of(samples, "node_cpu_seconds_total", cpu=low[0][3:], mode=mode)
            assert int(low[column]) / tick <= value <= int(high[column]) / tick


def test_kernel_counters_are_those_of_proc_stat() -> None:
    before, samples, after = proc_lines("stat"), read_samples(collected()), proc_lines("stat")
    low, high = ({row[0]: float(row[1]) for row in rows} for rows in (before, after))
    for key, name in {
        "ctxt": "node_context_switches_total",
        "intr": "node_intr_total",
        "processes": "node_forks_total",
        "btime": "node_boot_time_seconds",
    }.items():
        assert low[key] <= of(samples, name) <= high[key]


def test_memory_is_that_of_proc_meminfo(samples: Samples) -> None:
    fields = {row[0].rstrip(":"): float(row[1]) for row in proc_lines("meminfo")}
    assert of(samples, "node_memory_MemTotal_bytes") == fields["MemTotal"] * 1024
    assert of(samples, "node_memory_SwapTotal_bytes") == fields["SwapTotal"] * 1024
    assert of(samples, "node_memory_HugePages_Total") == fields["HugePages_Total"]
    assert 0 < of(samples, "node_memory_MemAvailable_bytes") < fields["MemTotal"] * 1024
    assert len([k for k in samples if k[0].startswith("node_memory_")]) == len(fields)


def test_network_bytes_are_those_of_proc_net_dev() -> None:
    before, samples, after = proc_lines("net/dev"), read_samples(collected()), proc_lines("net/dev")
    for low, high in list(zip(before, after, strict=True))[2:]:
        device = low[0].rstrip(":")
        for name, column in {"receive_bytes": 1, "receive_packets": 2, "transmit_bytes": 9}.items():
            value = of(samples, f"node_network_{name}_total", device=device)
            assert int(low[column]) <= value <= int(high[column])


def test_disks_are_those_of_proc_diskstats() -> None:
    before = {row[2]: row for row in proc_lines("diskstats")}
    samples = read_samples(collected())
    after = {row[2]: row for row in proc_lines("diskstats")}
    shown = {dict(labels)["device"] for name, labels in samples if name == "node_disk_io_now"}
    assert shown
    assert not any(device.startswith(("loop", "ram")) for device in shown)
    for device in shown:
        for name, column, scale in (
            ("reads_completed_total", 3, 1),
            ("read_bytes_total", 5, 512),
            ("read_time_seconds_total", 6, 0.001),
            ("written_bytes_total", 9, 512),
            ("io_time_seconds_total", 12, 0.001),
        ):
            value = of(samples, f"node_disk_{name}", device=device)
            low, high = (int(rows[device][column]) * scale for rows in (before, after))
            assert low <= value <= high


def test_the_root_filesystem_is_measured(samples: Samples) -> None:
    sizes = {
        dict(labels)["mountpoint"]: (value, dict(labels))
        for (name, labels), value in samples.items()
        if name == "node_filesystem_size_bytes"
    }
    found = os.statvfs("/")
    size, labels = sizes["/"]
    assert size == found.f_blocks * found.f_frsize
    assert set(labels) == {"device", "device_error", "fstype", "mountpoint"}
    assert not any(path.startswith(("/proc", "/sys", "/dev")) for path in sizes)


def test_load_time_and_name_are_those_of_the_host(samples: Samples) -> None:
    assert of(samples, "node_load1") >= 0
    assert abs(of(samples, "node_time_seconds") - time.time()) < 3600
    (labels,) = [dict(labels) for name, labels in samples if name == "node_uname_info"]
    assert labels["nodename"] == os.uname().nodename
    assert labels["release"] == os.uname().release


def test_file_handles_are_those_of_proc(samples: Samples) -> None:
    maximum = Path("/proc/sys/fs/file-nr").read_text().split()[2]
    assert of(samples, "node_filefd_maximum") == float(maximum)


def test_a_collector_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    (tmp_path / "loadavg").write_text("")
    (tmp_path / "meminfo").write_text("MemTotal: 10 kB\nActive(anon): 1 kB\nHugePages_Total: 3\n")
    (tmp_path / "vmstat").write_text("broken\n")
    samples = read_samples(collected(tmp_path))
    assert of(samples, "node_memory_MemTotal_bytes") == 10240
    assert of(samples, "node_memory_Active_anon_bytes") == 1024
    assert of(samples, "node_memory_HugePages_Total") == 3
    assert of(samples, "node_scrape_collector_success", collector="meminfo") == 1
    assert of(samples, "node_scrape_collector_success", collector="stat") == 0


@pytest.mark.parametrize("failure", [psutil.AccessDenied(1), NotImplementedError(), KeyError("x")])
def test_whatever_a_collector_meets_the_others_are_collected(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail() -> None:
        raise failure

    monkeypatch.setattr(psutil, "getloadavg", fail)
    samples = read_samples(collected())
    assert of(samples, "node_scrape_collector_success", collector="loadavg") == 0
    assert of(samples, "node_scrape_collector_success", collector="meminfo") == 1


def test_old_kernels_have_fewer_disk_columns(tmp_path: Path) -> None:
    row = " ".join(["8", "0", "sda", *map(str, range(1, 12))])
    part = row.replace("sda", "sda1")
    (tmp_path / "diskstats").write_text(f"{row}\n{part}\n")
    samples = read_samples(collected(tmp_path))
    assert of(samples, "node_disk_read_bytes_total", device="sda") == 3 * 512
    assert of(samples, "node_disk_io_time_weighted_seconds_total", device="sda") == 0.011
    assert not any(name == "node_disk_discards_completed_total" for name, _ in samples)
    assert not any(("device", "sda1") in labels for _, labels in samples)


def test_pressure_is_in_seconds(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "io").write_text(
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n"
    )
    samples = read_samples(collected(tmp_path))
    assert of(samples, "node_pressure_io_waiting_seconds_total") == 2.5
    assert of(samples, "node_pressure_io_stalled_seconds_total") == 0.5


def test_odd_names_are_escaped() -> None:
    text = written([HostFamily("m", "gauge", "h", (({"a": 'q"\\\n\udcff'}, 1.0),))]).decode()
    assert text.splitlines()[2] == 'm{a="q\\"\\\\\\n?"} 1.0'


async def test_files_are_found_and_read(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("b")
    (tmp_path / "a.json").write_text("a")
    files = LocalFiles()
    found = await files.matching(str(tmp_path / "*.json"))
    assert [Path(path).name for path in found] == ["a.json", "b.json"]
    assert await files.read(found[0]) == b"a"


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(QvmonError, match="nothing: no such file") as missing:
        await LocalFiles().read(str(tmp_path / "nothing"))
    with pytest.raises(QvmonError, match="directory") as folder:
        await LocalFiles().read(str(tmp_path))
    assert missing.value.kind is ErrorKind.NOT_FOUND
    assert folder.value.kind is ErrorKind.UNAVAILABLE
