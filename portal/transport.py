"""Which connections may go without TLS: within this machine, and where the operator says so."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from sqlalchemy.engine import make_url

from portal.errors import ConfigError

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

SETTING = "PORTAL_UNENCRYPTED"
CHECKED = ("verify-ca", "verify-full")
"""Words of PostgreSQL's `sslmode` with which the server must show a certificate that is trusted."""


@dataclass(frozen=True, slots=True)
class Unencrypted:
    """Networks, and names of hosts of the database and of Redis, that need no TLS."""

    networks: tuple[IpNetwork, ...] = ()
    names: frozenset[str] = frozenset()

    def covers(self, host: str) -> bool:
        """Whether a host, a name or an address, needs none: so does this machine."""
        try:
            address = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return host.lower() in self.names | {"localhost"}
        return address.is_loopback or any(
            address.version == network.version and address in network for network in self.networks
        )


def read_unencrypted(text: str) -> Unencrypted:
    """What the setting says. Raises ConfigError."""
    networks: list[IpNetwork] = []
    names: set[str] = set()
    for word in re.split(r"[,\s]+", text.strip().lower()):
        try:
            networks += [ipaddress.ip_network(word, strict=False)] if word else []
        except ValueError as error:
            if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", word) or word[-1].isdigit():
                raise ConfigError(
                    f"{SETTING} must list networks such as 10.20.0.0/16 and names of hosts such "
                    f"as redis.lan, separated by commas, not {word[:100]!r}."
                ) from error
            names.add(word)
    return Unencrypted(tuple(networks), frozenset(names))


def check_database(name: str, url: str, allowed: Unencrypted) -> None:
    """Raises ConfigError for a PostgreSQL elsewhere that need not show its certificate."""
    if not url.startswith("postgresql"):
        return
    parsed = make_url(url)
    query = parsed.normalized_query
    given = (*query.get("host", ()), *query.get("hostaddr", ()))
    hosts = [each for host in (parsed.host or "", *given) for each in host.split(",")]
    if set(query.get("sslmode", ())) and set(query["sslmode"]) <= set(CHECKED):
        return
    _refuse(
        name,
        (host if host.startswith("/") else _without_port(host) for host in hosts),
        allowed,
        "Add ?sslmode=verify-full, and &sslrootcert= with the file of its authority or `system`",
    )


def check_redis(url: str, allowed: Unencrypted) -> None:
    """As `check_database`, for Redis."""
    parts = urlsplit(url)
    unchecked = {"none", "optional", "false"} & {
        value.lower()
        for name, values in parse_qs(parts.query).items()
        if name in ("ssl_cert_reqs", "ssl_check_hostname")
        for value in values
    }
    if url and parts.scheme != "unix" and (parts.scheme != "rediss" or unchecked):
        _refuse(
            "REDIS_URL",
            [parts.hostname or "localhost"],
            allowed,
            "Use rediss://, with ?ssl_ca_certs= for an authority of your own",
        )


def _refuse(name: str, hosts: Iterable[str], allowed: Unencrypted, mend: str) -> None:
    for host in hosts:
        if host and not host.startswith("/") and not allowed.covers(host):
            raise ConfigError(
                f"{name} leads to {host[:100]} without TLS, or without checking its certificate. "
                f"{mend}. If the way there is safe otherwise, list the host in {SETTING}."
            )


def _without_port(host: str) -> str:
    return re.sub(r"(?<=[\]\w]):\d+$", "", host) if host.count(":") == 1 or "]" in host else host
