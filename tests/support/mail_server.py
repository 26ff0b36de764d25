"""A real mail server on loopback, which keeps what it takes."""

from __future__ import annotations

from asyncio import WriteTransport
from asyncio.base_events import Server
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tactical_simulator.transport.tls import make_certificate, server_context

USERNAME, PASSWORD = "alerts", "p4ssword-of-mail"


class MailServer:
    """`answers`: RCPT or DATA -> what it is answered from now on, but for what begins with 250.

    With `cuts_off` the connection ends once a mail was taken, before the answer.
    """

    def __init__(self, certificate: Path) -> None:
        self.certificate = certificate
        self.port = 0
        self.envelopes: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.cuts_off = False
        self.was_encrypted: list[bool] = []
        self.names: list[str] = []

    @property
    def mails(self) -> list[EmailMessage]:
        found = []
        for envelope in self.envelopes:
            mail = message_from_bytes(envelope.content or b"", policy=default)  # type: ignore[arg-type]
            assert isinstance(mail, EmailMessage)
            found.append(mail)
        return found

    async def handle_EHLO(  # noqa: N802
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        answers: list[str],
    ) -> list[str]:
        session.host_name = hostname
        self.names.append(hostname)
        return answers

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        answer = self.answers.get(address, self.answers.get("RCPT", "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.get("DATA", "250 2.0.0 Queued as 4711")
        if answer.startswith("250"):
            self.envelopes.append(envelope)
            self.was_encrypted.append(session.ssl is not None)
        if self.cuts_off:
            assert isinstance(server.transport, WriteTransport)
            server.transport.abort()
        return answer


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
) -> AuthResult:
    right = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=data == right, handled=False)


@cache
def _certificate() -> tuple[bytes, bytes]:
    return make_certificate()


@contextmanager
def mail_server(security: str = "starttls", *, signs_in: bool = True) -> Iterator[MailServer]:
    """As `portal.egress.Security` says."""
    certificate, key = _certificate()
    context = server_context(certificate, key)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ca.pem"
        path.write_bytes(certificate)
        server = MailServer(path)
        controller = _Controller(
            server,
            hostname="127.0.0.1",
            port=0,
            ssl_context=context if security == "tls" else None,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            auth_required=signs_in
            and security == "starttls",  # of TLS from the start it knows nothing
            auth_require_tls=security == "starttls",
            authenticator=_authenticate,
        )
        controller.start()
        server.port = controller.port
        try:
            yield server
        finally:
            controller.stop()


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """The port is chosen by the system, and known once it listens."""
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]
