"""Sockets that send and receive within the limits of the call under way.

A timeout of the socket alone begins anew with each byte: a server that drips, or that sends
without end what is no content, could hold a worker for days.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from urllib3.util.ssltransport import SSLTransport

from portal.egress.limits import current_meter

POLL_SECONDS = 0.5
"""How often a wait for the next piece looks whether anybody still wants it."""

Result = TypeVar("Result")


class MeteredSocket(socket.socket):
    """A connected socket. What it receives is counted, and each wait has an end."""

    _handshake_until: float | None = None

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Meanwhile everything must be done within the time for connecting."""
        self._handshake_until = time.monotonic() + current_meter.get().connect
        try:
            yield
        finally:
            self._handshake_until = None

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = self._patiently(lambda: socket.socket.recv(self, size, flags))
        current_meter.get().count_received(len(data))
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        size = self._patiently(lambda: socket.socket.recv_into(self, buffer, nbytes, flags))
        current_meter.get().count_received(size)
        return size

    def sendall(self, data: Any, flags: int = 0) -> None:
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self._patiently(partial(self.send, rest, flags)) :]

    def _patiently(self, attempt: Callable[[], Result]) -> Result:
        """Raises TimeoutError, and what the meter raises."""
        meter = current_meter.get()
        until = time.monotonic() + meter.get_patience()
        if self._handshake_until is not None:
            until = min(until, self._handshake_until)
        while True:
            left = min(until - time.monotonic(), meter.get_patience())
            if left <= 0:
                raise TimeoutError
            self.settimeout(min(left, POLL_SECONDS))
            try:
                return attempt()
            except TimeoutError:
                continue


class MeteredTls(ssl.SSLContext):
    """TLS in front of a metered socket, which OpenSSL would read past the meter itself.

    So the bytes of TLS count too: a server may send tickets without end.
    """

    def __new__(cls) -> MeteredTls:
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.hostname_checks_common_name = False
        return context

    def wrap_socket(  # type: ignore[override]  # as urllib3 calls it
        self, sock: MeteredSocket, server_hostname: str | None = None
    ) -> SSLTransport:
        with sock.hurried():
            return SSLTransport(sock, self, server_hostname)


class MeteredReader(io.RawIOBase):
    """What the answer consists of, header and body, past the meter's measure of its pace."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        begun = time.monotonic()
        size = self._raw.readinto(buffer) or 0
        current_meter.get().count_input(size, time.monotonic() - begun)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class MeteredResponse(http.client.HTTPResponse):
    """Reads header and body through the meter of the request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = io.BufferedReader(MeteredReader(self.fp.detach()))
