"""One mail to a mail server: over connections that the policy allows, within the limits.

smtplib speaks the protocol. What it leaves open is closed here: the certificate is checked, what
the server says is counted, and the machine's own name stays at home.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from portal.egress.connection import Guarded
from portal.egress.errors import InsecureMail
from portal.egress.limits import Limits, Meter, current_meter
from portal.egress.metered import MeteredSocket, MeteredTls
from portal.egress.policy import EgressPolicy
from portal.egress.translation import translated

PERMANENT = 500
_LINE_BEGINS_WITH_DOT = re.compile(rb"(?m)^\.")


class Security(StrEnum):
    STARTTLS = "starttls"
    """Plain until TLS begins, which must be before anything is told."""
    TLS = "tls"
    NONE = "none"
    """Only into networks that the operator opened."""


class Step(StrEnum):
    """How far it came when the server refused."""

    GREETING = "greeting"
    TLS = "tls"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENTS = "recipients"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Without a username nobody signs in. Username and password are ASCII."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)
    hello: str = "localhost"
    """The name by which the portal introduces itself."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Addresses in ASCII; `content` is a whole message, with CRLF at the end of each line."""

    sender: str
    recipients: Sequence[str]
    content: bytes


@dataclass(frozen=True, slots=True)
class SmtpReply:
    code: int
    text: str

    @property
    def is_permanent(self) -> bool:
        return self.code >= PERMANENT

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Accepted:
    """`refused`: recipients that do not get it, while others do."""

    reply: SmtpReply
    refused: dict[str, SmtpReply]


class SmtpRefused(Exception):
    """The server answered, and said no."""

    def __init__(self, step: Step, reply: SmtpReply, refused: dict[str, SmtpReply]) -> None:
        super().__init__(f"{step}: {reply.code}")
        self.step = step
        self.reply = reply
        self.refused = refused


def send_mail(
    policy: EgressPolicy,
    ca_bundle: Path | None,
    server: SmtpServer,
    envelope: Envelope,
    meter: Meter,
    limits: Limits,
) -> Accepted:
    """Raises SmtpRefused and EgressError; `meter.was_sent` says whether the mail may have gone."""
    with _connected(policy, ca_bundle, server, meter, limits) as connection:
        return connection.deliver(envelope)


def sign_in(
    policy: EgressPolicy,
    ca_bundle: Path | None,
    server: SmtpServer,
    meter: Meter,
    limits: Limits,
) -> None:
    """Up to where a mail would begin. Raises SmtpRefused and EgressError."""
    with _connected(policy, ca_bundle, server, meter, limits):
        pass


@contextmanager
def _connected(
    policy: EgressPolicy,
    ca_bundle: Path | None,
    server: SmtpServer,
    meter: Meter,
    limits: Limits,
) -> Iterator[_Connection]:
    with meter.running(), translated(server.host):
        connection = _Connection(policy, ca_bundle, server, limits)
        try:
            connection.begin()
            yield connection
        finally:
            connection.leave()


class _Connection(Guarded, smtplib.SMTP):
    insecure = InsecureMail

    def __init__(
        self, policy: EgressPolicy, ca_bundle: Path | None, server: SmtpServer, limits: Limits
    ) -> None:
        super().__init__(local_hostname=server.hello, timeout=limits.connect)
        self.policy = policy
        self.host = self._dns_host = self._host = server.host
        self.port = server.port
        self.socket_options = ()
        self.scheme_is_plain = server.security is Security.NONE
        self._server = server
        self._ca_bundle = ca_bundle

    def begin(self) -> None:
        """Connected, encrypted and signed in."""
        with _at(Step.GREETING):
            _expect(Step.GREETING, 220, self.connect(self._server.host, self._server.port))
            self.ehlo_or_helo_if_needed()
        if self._server.security is Security.STARTTLS:
            with _at(Step.TLS):
                self.starttls(context=self._make_context())
                self.ehlo_or_helo_if_needed()
        if self._server.username:
            with _at(Step.LOGIN):
                self.login(self._server.username, self._server.password)

    def deliver(self, envelope: Envelope) -> Accepted:
        with _at(Step.SENDER):
            _expect(Step.SENDER, 250, self.mail(envelope.sender))
        refused = self._name_recipients(envelope.recipients)
        with _at(Step.CONTENT):
            _expect(Step.CONTENT, 354, self.docmd("DATA"), refused)
            # From here on it may arrive, whatever becomes of the connection.
            current_meter.get().was_sent = True
            self.send(_LINE_BEGINS_WITH_DOT.sub(b"..", envelope.content) + b".\r\n")
            return Accepted(_expect(Step.CONTENT, 250, self.getreply(), refused), refused)

    def leave(self) -> None:
        """Politely where that costs nothing: the mail's fate is known."""
        with suppress(Exception):
            if self.sock is not None:
                self.putcmd("QUIT")
        self.close()

    def _name_recipients(self, recipients: Sequence[str]) -> dict[str, SmtpReply]:
        """Those that are refused. Raises SmtpRefused when all are."""
        refused = {}
        with _at(Step.RECIPIENTS):
            for recipient in recipients:
                code, text = self.rcpt(recipient)
                if code not in (250, 251):
                    refused[recipient] = _read(code, text)
        if len(refused) == len(recipients):
            # One that may be taken later is reason enough to try all of them again.
            worst = min(refused.values(), key=lambda reply: reply.code)
            raise SmtpRefused(Step.RECIPIENTS, worst, refused)
        return refused

    def _get_socket(self, host: str, _port: int, _timeout: Any) -> Any:
        """In place of smtplib's own: only to an address that was checked."""
        connected = self._new_conn()
        if self._server.security is Security.TLS:
            assert isinstance(connected, MeteredSocket)
            try:
                return self._make_context().wrap_socket(connected, server_hostname=host)
            except BaseException:
                connected.close()
                raise
        return connected

    def _make_context(self) -> ssl.SSLContext:
        context = MeteredTls()
        context.load_verify_locations(str(self._ca_bundle or DEFAULT_CA_BUNDLE_PATH))
        return context


@contextmanager
def _at(step: Step) -> Iterator[None]:
    """What smtplib raises for an answer, as ours. Its exceptions are of the kind of network
    errors: left alone, a refusal for good would seem to be worth another try."""
    try:
        yield
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPResponseException as error:
        raise SmtpRefused(step, _read(error.smtp_code, error.smtp_error), {}) from None
    except smtplib.SMTPException as error:
        raise SmtpRefused(step, SmtpReply(PERMANENT, str(error)), {}) from None


def _expect(
    step: Step,
    wanted: int,
    answer: tuple[int, bytes],
    refused: dict[str, SmtpReply] | None = None,
) -> SmtpReply:
    reply = _read(*answer)
    if reply.code != wanted:
        raise SmtpRefused(step, reply, refused or {})
    return reply


def _read(code: int, text: bytes | str) -> SmtpReply:
    """What is no SMTP counts as refused for now: -1 of smtplib's is neither."""
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return SmtpReply(code, words)
