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
        "0.0.0.0/8",  # this network, and unspecified
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared address space, also Tailscale
        "127.0.0.0/8",
        "168.63.129.16/32",  # what Azure's machines are run by
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
        # Global unicast is 2000::/3 alone. Outside of it are loopback, IPv4-compatible, -mapped
        # and -translated, NAT64, discard; segment routing; unique local, link-local, site-local,
        # multicast.
        "::/3",
        "4000::/2",
        "8000::/1",
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3ffe::/16",  # the former test network
        "3fff::/20",  # documentation
    )
)

NEVER_OF_A_TENANT: tuple[IpNetwork, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "100.100.100.200/32",  # of Alibaba
        "168.63.129.16/32",  # of Azure
        "192.0.0.192/32",  # of Oracle
        "::/96",  # loopback, unspecified, IPv4-compatible
        "fe80::/10",
        "fd00:ec2::/32",  # of Amazon
        "fd20:ce::254/128",  # of Google
    )
)
"""This machine, its link and metadata stay closed to a tenant, whatever network is opened to it."""

TRANSLATED = (
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (
        ipaddress.IPv6Network("64:ff9b:1::/48"),
        0,
    ),  # a NAT64 of its own; any other layout is refused
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
"""Networks whose addresses a gateway turns into an IPv4 one, and how far left that stands."""


class EgressPolicy:
    """Public addresses, and the networks that the operator of this install opens: `allowed` to
    everybody, `own` to one tenant. `plain`: those of them where plain HTTP may be spoken, beside
    this machine.

    An opened network opens its own addresses and nothing else. Where an address leads through
    a gateway to an IPv4 address, that one must be allowed as well.
    """

    def __init__(
        self,
        allowed: Iterable[IpNetwork] = (),
        own: Iterable[IpNetwork] = (),
        plain: Iterable[IpNetwork] = (),
    ) -> None:
        self._allowed = tuple(allowed)
        self._own = tuple(own)
        self._plain = tuple(plain)

    def allows(self, address: str) -> bool:
        """Whether a connection to the address, as text, may be made at all."""
        found = _read(address)
        if found is None or not self._is_open(found):
            return False
        target = _find_target(found)
        return target is None or self._is_open(target)

    def allows_plain_http(self, address: str) -> bool:
        """Without TLS only to this machine and into networks of which the operator says so, where
        they are opened: the key would be in clear."""
        found = _read(address)
        if found is None or not self.allows(address) or not self._is_opened(found):
            return False
        return found.is_loopback or _is_in(found, self._plain)

    def _is_open(self, address: IpAddress) -> bool:
        return self._is_opened(address) or not _is_in(address, DENIED)

    def _is_opened(self, address: IpAddress) -> bool:
        is_own = _is_in(address, self._own) and not _is_in(address, NEVER_OF_A_TENANT)
        return is_own or _is_in(address, self._allowed)


def is_never_of_a_tenant(network: IpNetwork) -> bool:
    """Whether opening it to a tenant would open nothing."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        network = ipaddress.ip_network((mapped, network.prefixlen - 96))
    return any(
        network.version == each.version and network.subnet_of(each)  # type: ignore[arg-type]
        for each in NEVER_OF_A_TENANT
    )


def _read(address: str) -> IpAddress | None:
    """The address; of an IPv4-mapped one that IPv4 address, to which the system connects."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _find_target(address: IpAddress) -> IpAddress | None:
    """The IPv4 address behind a gateway that translates, if there is one.

    Teredo hides one too, but its network is never of use and stays denied as a whole.
    """
    for network, shift in TRANSLATED:
        if _is_in(address, (network,)):
            return ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None


def _is_in(address: IpAddress, networks: Iterable[IpNetwork]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
