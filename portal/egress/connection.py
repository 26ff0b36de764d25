"""Connections that go only where the policy lets them, checked at the moment they are made.

The address that was checked is the address that is connected to: a name that resolves
differently a moment later gains nothing.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from portal.egress.errors import AddressRefused, InsecureUrl
from portal.egress.limits import Meter, current_meter
from portal.egress.policy import EgressPolicy

IDLE_BEFORE_PROBE = 30
"""A connection silent for so long while it waits for an answer is checked by TCP itself."""
LOOK_SECONDS = 0.5
"""How often a wait for the next piece looks whether anybody still wants it."""
PATIENCE_FOR_ALL = 4
"""So many times the limit of one address are spent on all addresses of a name."""


class MeteredReader(io.RawIOBase):
    """What a socket receives, piece by piece past the meter.

    A timeout of the socket alone begins anew with each byte: a server that drips its header
    could hold a worker for days.
    """

    def __init__(self, raw: io.RawIOBase, connected: socket.socket, meter: Meter) -> None:
        self._raw, self._socket, self._meter = raw, connected, meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        patience, begun = self._meter.get_patience(), time.monotonic()
        # Not through the raw reader, which reads no more after one timeout.
        while (size := self._receive(buffer, begun + patience)) is None:
            self._meter.check_wanted()
        self._meter.count_input(size, time.monotonic() - begun)
        return size

    def _receive(self, buffer: Any, until: float) -> int | None:
        """How much came within a moment; None when nothing did. Raises TimeoutError."""
        left = until - time.monotonic()
        self._socket.settimeout(max(0.001, min(left, LOOK_SECONDS)))
        try:
            return self._socket.recv_into(buffer)
        except TimeoutError:
            if left <= LOOK_SECONDS:
                raise
            return None

    def close(self) -> None:
        self._raw.close()
        super().close()


class MeteredResponse(http.client.HTTPResponse):
    """Reads header and body through the meter of the request."""

    def __init__(self, connected: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(connected, *args, **kwargs)
        self.fp = io.BufferedReader(MeteredReader(self.fp.detach(), connected, current_meter.get()))


class _Guarded:
    """Replaces how urllib3 opens a socket and reads from it."""

    policy: EgressPolicy
    host: str
    port: int
    timeout: Any
    socket_options: Any
    _dns_host: str
    scheme_is_plain = False

    def _new_conn(self) -> socket.socket:
        addresses = self._resolve()
        allowed = [address for address in addresses if self.policy.allows(address)]
        if not allowed:
            raise AddressRefused(self.host, addresses[0])
        if self.scheme_is_plain:
            allowed = [a for a in allowed if self.policy.allows_plain_http(a)]
        if not allowed:
            raise InsecureUrl(self.host)
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
        until = time.monotonic() + PATIENCE_FOR_ALL * self.timeout
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
        connected = socket.create_connection((address, self.port), self.timeout)
        for option in self.socket_options or ():
            connected.setsockopt(*option)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_BEFORE_PROBE)
        return connected


class GuardedAdapter(HTTPAdapter):
    """A requests adapter whose every connection obeys one policy."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)

        class Plain(_Guarded, HTTPConnection):
            response_class = MeteredResponse
            policy = self._policy
            scheme_is_plain = True

        class Secure(_Guarded, HTTPSConnection):
            response_class = MeteredResponse
            policy = self._policy

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {
            "http": PlainPool,
            "https": SecurePool,
        }
