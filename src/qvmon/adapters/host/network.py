"""Network devices, sockets and protocol counters."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import psutil

from qvmon.adapters.host.family import COUNTER, GAUGE, UNTYPED, HostFamily, single

_RECEIVE = ["bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast"]
_TRANSMIT = ["bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed"]
_COLUMNS = [f"receive_{name}" for name in _RECEIVE] + [f"transmit_{name}" for name in _TRANSMIT]
_MEGABIT_BYTES = 125_000.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

_NETSTAT = re.compile(
    r".*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|"
    r"TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|"
    r"Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|"
    r"Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors)"
)


def netdev(proc: Path) -> Iterator[HostFamily]:
    """Yield what each network device received and transmitted."""
    lines = (proc / "net" / "dev").read_text().splitlines()[2:]
    rows = [(name.strip(), rest.split()) for name, _, rest in (x.partition(":") for x in lines)]
    for column, name in enumerate(_COLUMNS):
        yield HostFamily(
            f"node_network_{name}_total",
            COUNTER,
            f"Network device statistic {name}.",
            tuple(({"device": device}, float(values[column])) for device, values in rows),
        )


def netclass(_: Path) -> Iterator[HostFamily]:
    """Yield state, speed and packet size of each network device."""
    devices = psutil.net_if_stats()
    yield HostFamily(
        "node_network_up",
        GAUGE,
        "Value is 1 if operstate is 'up', 0 otherwise.",
        tuple(({"device": name}, float(_is_up(name, each.isup))) for name, each in devices.items()),
    )
    yield HostFamily(
        "node_network_mtu_bytes",
        GAUGE,
        "Network device property: mtu_bytes",
        tuple(({"device": name}, float(each.mtu)) for name, each in devices.items()),
    )
    yield HostFamily(
        "node_network_speed_bytes",
        GAUGE,
        "Network device property: speed_bytes",
        tuple(
            ({"device": name}, each.speed * _MEGABIT_BYTES)
            for name, each in devices.items()
            if each.speed > 0
        ),
    )


def sockstat(proc: Path) -> Iterator[HostFamily]:
    """Yield how many sockets are in which state."""
    for file in ("sockstat", "sockstat6"):
        path = proc / "net" / file
        if not path.exists():
            continue
        for line in path.read_text().splitlines():
            protocol, _, rest = line.partition(": ")
            fields = rest.split()
            for state, value in zip(fields[::2], fields[1::2], strict=True):
                yield from _sockets(protocol, state, float(value))


def netstat(proc: Path) -> Iterator[HostFamily]:
    """Yield the protocol counters that matter; the kernel's own names."""
    for protocol, name, value in _protocol_counters(proc):
        if _NETSTAT.fullmatch(f"{protocol}_{name}"):
            text = f"Statistic {protocol}{name}."
            yield single(f"node_netstat_{protocol}_{name}", UNTYPED, text, value)


def _sockets(protocol: str, state: str, value: float) -> Iterator[HostFamily]:
    if protocol == "sockets":
        yield single("node_sockstat_sockets_used", GAUGE, "Number of IPv4 sockets in use.", value)
        return
    text = f"Number of {protocol} sockets in state {state}."
    yield single(f"node_sockstat_{protocol}_{state}", GAUGE, text, value)
    if state == "mem":
        text = f"Number of {protocol} sockets in state mem_bytes."
        yield single(f"node_sockstat_{protocol}_mem_bytes", GAUGE, text, value * _PAGE_BYTES)


def _protocol_counters(proc: Path) -> Iterator[tuple[str, str, float]]:
    for file in ("netstat", "snmp"):
        lines = (proc / "net" / file).read_text().splitlines()
        for head, row in zip(lines[::2], lines[1::2], strict=True):
            protocol, _, names = head.partition(": ")
            values = row.partition(": ")[2].split()
            for name, value in zip(names.split(), values, strict=True):
                yield protocol, name, float(value)
    path = proc / "net" / "snmp6"
    for line in path.read_text().splitlines() if path.exists() else ():
        name, value = line.split()
        protocol, _, field = name.partition("6")
        if field:
            yield f"{protocol}6", field, float(value)


def _is_up(device: str, running: bool) -> bool:
    state = Path("/sys/class/net") / device / "operstate"
    try:
        return state.read_text().strip() == "up"
    except OSError:
        return running
