"""TLS in front of a server of the tests: those of their wheels were built without."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tactical_simulator.transport.tls import server_context

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""By which a client of PostgreSQL asks for TLS, before it speaks any."""


@contextmanager
def tls_relay(
    target: Path, certificate: bytes, key: bytes, client_certificate: bytes | None = None
) -> Iterator[int]:
    """The port of 127.0.0.1 that leads to the server's socket; with `client_certificate`, for
    whoever has it and no one else."""
    context = server_context(certificate, key)
    if client_certificate is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_certificate.decode())
    relay = _Relay(target, context)
    try:
        yield relay.server_address[1]
    finally:
        relay.shutdown()
        relay.server_close()


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, target: Path, context: ssl.SSLContext) -> None:
        self.target, self.context = str(target), context
        super().__init__(("127.0.0.1", 0), _Connection)
        threading.Thread(target=self.serve_forever, args=(0.02,)).start()


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Relay)
        with suppress(OSError):
            self._agree_on_tls()
            with (
                self.server.context.wrap_socket(self.request, server_side=True) as outside,
                socket.socket(socket.AF_UNIX) as inside,
            ):
                inside.connect(self.server.target)
                threading.Thread(target=_copy, args=(inside, outside), daemon=True).start()
                _copy(outside, inside)

    def _agree_on_tls(self) -> None:
        if self.request.recv(1, socket.MSG_PEEK) == SSL_REQUEST[:1]:
            assert self.request.recv(len(SSL_REQUEST), socket.MSG_WAITALL) == SSL_REQUEST
            self.request.sendall(b"S")


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
