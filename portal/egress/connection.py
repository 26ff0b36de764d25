"""Connections that go only where the policy lets them, checked at the moment they are made.

The address that was checked is the address that is connected to: a name that resolves
differently a moment later gains nothing.
"""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from portal.egress.errors import AddressRefused, EgressError, InsecureUrl
from portal.egress.limits import current_meter
from portal.egress.metered import MeteredResponse, MeteredSocket, MeteredTls
from portal.egress.policy import EgressPolicy

IDLE_BEFORE_PROBE = 30
"""A connection silent for so long while it waits for an answer is checked by TCP itself."""
HTTPS_PORT = 443
TIMEOUTS_FOR_ALL = 4
"""So many times the limit of one address are spent on all addresses of a name."""


class Guarded:
    """Replaces how a library opens a socket and reads from it."""

    policy: EgressPolicy
    host: str
    port: int
    timeout: Any
    socket_options: Any
    _dns_host: str
    scheme_is_plain = False
    insecure: type[EgressError] = InsecureUrl

    def _new_conn(self) -> socket.socket:
        addresses = self._resolve()
        allowed = [address for address in addresses if self.policy.allows(address)]
        if not allowed:
            raise AddressRefused(self.host, addresses[0])
        if self.scheme_is_plain:
            allowed = [a for a in allowed if self.policy.allows_plain_http(a)]
        if not allowed:
            raise self.insecure(self.host)
        return self._connect_to_first(allowed)

    def _resolve(self) -> list[str]:
        """All addresses of the host. Raises NameResolutionError, never an empty list."""
        try:
            found = socket.getaddrinfo(
                self._dns_host.strip("[]"), self.port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            cause = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, cause) from error  # type: ignore[arg-type]
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses:
            none = socket.gaierror(socket.EAI_NONAME, "no addresses")
            raise NameResolutionError(self.host, self, none)  # type: ignore[arg-type]
        return addresses

    def _connect_to_first(self, addresses: list[str]) -> socket.socket:
        """The first of the addresses that answers; each is one that was checked."""
        until = time.monotonic() + TIMEOUTS_FOR_ALL * self.timeout
        problem: OSError = TimeoutError("timed out")
        for address in addresses:
            if time.monotonic() >= until:
                break
            try:
                return self._connect(address)
            except OSError as error:
                problem = error
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, "timed out") from problem
        raise NewConnectionError(self, str(problem)) from problem  # type: ignore[arg-type]

    def _connect(self, address: str) -> socket.socket:
        patience = min(self.timeout, current_meter.get().get_patience())
        plain = socket.create_connection((address, self.port), patience)
        connected = MeteredSocket(fileno=plain.detach())
        for option in self.socket_options or ():
            connected.setsockopt(*option)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_BEFORE_PROBE)
        return connected


class _GuardedHttp(Guarded):
    """Also knows from when on a request may have arrived."""

    sock: Any
    connect: Any

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        current_meter.get().was_sent = True
        super().send(data)  # type: ignore[misc]  # of the class that it is mixed into


class GuardedAdapter(HTTPAdapter):
    """A requests adapter whose every connection obeys one policy."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._certificate_ends: dict[tuple[str, int], datetime] = {}
        super().__init__(max_retries=0)

    def find_certificate_end(self, url: str) -> datetime | None:
        """Until when the certificate is valid that was shown as this server was last connected
        to; None without TLS."""
        parts = urlsplit(url)
        if parts.scheme != "https":
            return None
        return self._certificate_ends.get(_name_server(parts.hostname, parts.port))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        certificate_ends = self._certificate_ends

        class Plain(_GuardedHttp, HTTPConnection):
            response_class = MeteredResponse
            policy = self._policy
            scheme_is_plain = True

        class Secure(_GuardedHttp, HTTPSConnection):
            response_class = MeteredResponse
            policy = self._policy

            def connect(self) -> None:
                self.ssl_context = MeteredTls()
                super().connect()
                server = _name_server(self.host, self.port)
                certificate_ends[server] = _read_certificate_end(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {
            "http": PlainPool,
            "https": SecurePool,
        }


def _name_server(host: str | None, port: int | None) -> tuple[str, int]:
    return (host or "").strip("[]").lower(), port or HTTPS_PORT


def _read_certificate_end(connected: Any) -> datetime:
    """Of a checked certificate, which has an end."""
    certificate: dict[str, Any] = connected.getpeercert()
    seconds = ssl.cert_time_to_seconds(certificate["notAfter"])
    return datetime.fromtimestamp(seconds, UTC)
