"""Which addresses the portal may connect to.

Python's `is_private` and `is_global` miss shared address space and the ways IPv6 wraps an
IPv4 address, so the networks stand here, from IANA's special-purpose registries.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

DENIED: tuple[IpNetwork, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared address space, also Tailscale
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, also cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/96",  # unspecified, loopback and IPv4-compatible
        "64:ff9b:1::/48",  # local NAT64
        "100::/64",  # discard
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)

NAT64 = ipaddress.ip_network("64:ff9b::/96")


class EgressPolicy:
    """Public addresses, and the networks that the operator of this install opens."""

    def __init__(self, allowed: Iterable[IpNetwork] = ()) -> None:
        self._allowed = tuple(allowed)

    def allows(self, address: str) -> bool:
        """Whether a connection to the address, as text, may be made at all."""
        found = _read(address)
        return self._is_opened(found) or not _is_denied(found)

    def allows_plain_http(self, address: str) -> bool:
        """Without TLS only into networks that the operator opened: the key would be in clear."""
        return self._is_opened(_read(address))

    def _is_opened(self, address: IpAddress) -> bool:
        return any(_is_in(address, network) for network in self._allowed)


def _read(address: str) -> IpAddress:
    """The address itself, or the IPv4 address that an IPv6 one stands for."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        return _unwrap(found)
    return found


def _unwrap(address: ipaddress.IPv6Address) -> IpAddress:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_denied(address: IpAddress) -> bool:
    return any(_is_in(address, network) for network in DENIED)


def _is_in(address: IpAddress, network: IpNetwork) -> bool:
    return address.version == network.version and address in network
