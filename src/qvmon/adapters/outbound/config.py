"""Where requests may go, and how many connections they may hold."""

from __future__ import annotations

from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from pydantic import BaseModel, ConfigDict, Field

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_METADATA_SERVICES = (IPv4Network("169.254.169.254/32"), IPv6Network("fd00:ec2::254/128"))


class EgressPolicy(BaseModel):
    """Which hosts and addresses may be reached; what is denied is never allowed.

    Without any allowed host or network everything that is not denied may be reached. A host name
    is resolved once, and the address that was checked is the address that is connected to.

    Attributes:
        allowed_hosts: Shell patterns of host names.
        allowed_networks: Networks in CIDR notation.
        denied_hosts: Shell patterns of host names.
        denied_networks: Networks in CIDR notation; the metadata services of clouds by default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed_hosts: tuple[str, ...] = ()
    allowed_networks: tuple[Network, ...] = ()
    denied_hosts: tuple[str, ...] = ()
    denied_networks: tuple[Network, ...] = _METADATA_SERVICES

    def objection(self, host: str, address: str) -> str:
        """Return why ``address`` of ``host`` may not be reached; empty when it may."""
        name, plain = host.lower().rstrip("."), _unmapped(ip_address(address))
        if _matches(name, self.denied_hosts):
            return f"egress policy denies host {host}"
        if _within(plain, self.denied_networks):
            return f"egress policy denies address {plain} of {host}"
        if not self.allowed_hosts and not self.allowed_networks:
            return ""
        if _matches(name, self.allowed_hosts) or _within(plain, self.allowed_networks):
            return ""
        return f"egress policy does not allow {host} ({plain})"


class OutboundConfig(BaseModel):
    """The client's settings.

    Attributes:
        egress: Where requests may go.
        max_connections_per_host: Connections at one time to one host; further requests wait.
        idle_seconds: How long an unused connection stays open.
        max_redirects: How many redirects one request may follow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    egress: EgressPolicy = EgressPolicy()
    max_connections_per_host: int = Field(default=256, gt=0)
    idle_seconds: float = Field(default=300.0, gt=0)
    max_redirects: int = Field(default=10, ge=0)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _unmapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address may stand for."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address
