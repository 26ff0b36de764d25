"""Until when a server's certificate is valid, learned from the connection that is made anyway."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask

from portal.db import db, transaction
from portal.egress import Gateway, Gateways
from portal.models import Integration
from portal.scope import tenant_scope
from portal.services.integrations.current import get_integration, open_tactical
from tests.egress.servers import LOOPBACK, QUICK
from tests.web.world import make_place

pytestmark = pytest.mark.one_database

ENDS_AT = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'"1.2.3"'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def write_certificate(folder: Path, ends_at: datetime) -> Path:
    """Of localhost, signed by itself, with its key behind it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=400))
        .not_valid_after(ends_at)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    kept = serialization.NoEncryption()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    path.write_bytes(pem)
    return path


@contextmanager
def serving(certificate: Path) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return write_certificate(tmp_path, ENDS_AT)


def test_an_answer_says_until_when_the_certificate_is_valid(certificate: Path) -> None:
    gateway = Gateway(LOOPBACK, certificate)
    with serving(certificate) as url:
        for _ in range(2):  # the second time over the connection that was kept
            with gateway.stream("GET", f"{url}/", headers={}, limits=QUICK) as stream:
                assert stream.certificate_ends_at == ENDS_AT
                stream.read()
        gateway.close()


def test_any_work_with_tactical_notes_it(app: Flask, certificate: Path) -> None:
    place = make_place(app)
    app.extensions["gateways"] = Gateways((ip_network("127.0.0.0/8"),), certificate)
    with app.app_context(), tenant_scope(place.id), serving(certificate) as url:
        with transaction() as session:
            integration = get_integration()
            integration.base_url = url
            session.flush()
        with open_tactical(get_integration()) as tactical:
            tactical.keep_alive()
        db.session.expire_all()
        assert db.session.query(Integration.certificate_ends_at).scalar() == ENDS_AT
        app.extensions["gateways"].of(()).close()
