"""Which addresses are refused, written as people and resolvers write them."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from portal.egress import EgressPolicy

PUBLIC = (
    "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 "
    "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.167.255.255 "
    "192.169.0.0 198.17.255.255 198.20.0.0 203.0.114.1 223.255.255.255 2606:4700:4700::1111 "
    "2a00:1450:4001::200e 2001:4860:4860::8888 2001:200::1 2620:fe::fe ::ffff:8.8.8.8"
)

REFUSED = {
    "unspecified": "0.0.0.0 0.0.0.1 ::",
    "loopback": "127.0.0.1 127.255.255.254 ::1",
    "private": "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255",
    "link-local": "169.254.0.1 fe80::1 fe80::1%eth0 febf::1",
    "metadata": "169.254.169.254 fd00:ec2::254 100.100.100.200 192.0.0.192",
    "shared": "100.64.0.0 100.127.255.255",
    "multicast": "224.0.0.1 239.255.255.255 ff02::1",
    "reserved": "240.0.0.1 255.255.255.255 192.0.0.8 198.18.0.1 198.19.255.255",
    "documentation": "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
    "unique local": "fc00::1 fdff:ffff::1",
    "site-local": "fec0::1",
    "IPv4-mapped": "::ffff:10.0.0.1 ::ffff:7f00:1 ::ffff:169.254.169.254",
    "IPv4-compatible": "::10.0.0.1 ::127.0.0.1 ::8.8.8.8",
    "IPv4-translated": "::ffff:0:10.0.0.1 ::ffff:0:8.8.8.8",
    "NAT64": "64:ff9b::a00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 64:ff9b:1:a9fe::1",
    "6to4": "2002:a00:1::1 2002:7f00:1::1 2002:808:808::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "other special": "100::1 2001:2::1 2001:10::1 2001:20::1 5f00::1 4000::1 3ffe::1 192.88.99.1",
    "no address": "example.com 127.1 0x7f000001 1.2.3.4.5 2130706433",
}


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_are_open(address: str) -> None:
    assert EgressPolicy().allows(address)


@pytest.mark.parametrize(
    ("kind", "address"),
    [(kind, address) for kind, listed in REFUSED.items() for address in listed.split()],
)
def test_other_addresses_are_refused(kind: str, address: str) -> None:
    assert not EgressPolicy().allows(address), kind


@pytest.mark.parametrize("address", [*PUBLIC.split(), *" ".join(REFUSED.values()).split()])
def test_plain_http_is_for_opened_networks_only(address: str) -> None:
    everywhere = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert not EgressPolicy(plain=everywhere).allows_plain_http(address)


def test_plain_http_is_for_this_machine_and_where_the_operator_says_so() -> None:
    loopback, inside = ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")
    assert EgressPolicy([loopback]).allows_plain_http("127.0.0.1")
    assert not EgressPolicy([inside]).allows_plain_http("10.0.0.1")
    assert not EgressPolicy(own=[inside]).allows_plain_http("10.0.0.1")
    assert EgressPolicy([inside], plain=[inside]).allows_plain_http("10.0.0.1")
    assert EgressPolicy(own=[inside], plain=[inside]).allows_plain_http("10.0.0.1")


@pytest.mark.parametrize(
    ("opened", "address", "allowed"),
    [
        ("10.20.0.0/16", "10.20.0.1", True),
        ("10.20.0.0/16", "::ffff:10.20.0.1", True),
        ("10.20.0.0/16", "10.21.0.1", False),
        ("10.20.0.0/16", "127.0.0.1", False),
        ("10.20.0.0/16", "169.254.169.254", False),
        ("127.0.0.0/8", "169.254.169.254", False),
        ("127.0.0.0/8", "::1", False),
        ("::1/128", "::1", True),
        ("fd00::/8", "fd12::1", True),
        ("fd00::/8", "fc00::1", False),
        ("100.64.0.0/10", "100.64.1.2", True),
        # A gateway's network opens no private address behind the gateway.
        ("10.0.0.0/8", "64:ff9b::a00:1", False),
        ("64:ff9b::/96", "64:ff9b::808:808", True),
        ("64:ff9b::/96", "64:ff9b::a00:1", False),
        ("64:ff9b::/96", "64:ff9b::a9fe:a9fe", False),
        ("2002::/16", "2002:7f00:1::1", False),
        ("2002::/16", "2002:808:808::1", True),
    ],
)
def test_the_operator_opens_a_network_and_nothing_else(
    opened: str, address: str, allowed: bool
) -> None:
    assert EgressPolicy([ip_network(opened)]).allows(address) is allowed


@pytest.mark.parametrize(
    ("own", "address", "allowed"),
    [
        ("10.20.0.0/16", "10.20.0.1", True),
        ("10.20.0.0/16", "10.21.0.1", False),
        ("0.0.0.0/0", "10.0.0.1", True),
        ("0.0.0.0/0", "127.0.0.1", False),
        ("0.0.0.0/0", "169.254.169.254", False),
        ("0.0.0.0/0", "::ffff:127.0.0.1", False),
        ("100.64.0.0/10", "100.64.1.2", True),
        ("100.64.0.0/10", "100.100.100.200", False),
        ("fd00::/8", "fd12::1", True),
        ("fd00::/8", "fd00:ec2::254", False),
        ("::/0", "::1", False),
        ("::/0", "fe80::1%eth0", False),
        ("::/0", "::127.0.0.1", False),
        ("0.0.0.0/0", "168.63.129.16", False),
        ("64:ff9b::/96", "64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::/48", "64:ff9b:1::a9fe:a9fe", False),
        ("64:ff9b:1::/48", "64:ff9b:1:a9fe:a9:fe00::", False),
        ("64:ff9b:1::/48", "64:ff9b:1::808:808", True),
    ],
)
def test_a_network_of_a_tenant_never_opens_this_machine_or_metadata(
    own: str, address: str, allowed: bool
) -> None:
    policy = EgressPolicy(own=[ip_network(own)], plain=[ip_network(own)])
    assert policy.allows(address) is policy.allows_plain_http(address) is allowed


def test_what_is_open_to_all_stays_open_to_a_tenant_with_networks() -> None:
    policy = EgressPolicy([ip_network("127.0.0.0/8")], [ip_network("10.0.0.0/8")])
    assert policy.allows("127.0.0.1")
    assert policy.allows("10.0.0.1")
    assert not policy.allows("192.168.0.1")
