"""The headers of a mail that a program reads, and people find by."""

from __future__ import annotations

from collections.abc import Sequence
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy, Policy
from email.utils import format_datetime
from functools import cache

from portal.clock import utc_now
from portal.far_side.escaping import cut, one_line

LONGEST_SUBJECT = 200
IMPORTANCE = {"low": "low", "high": "high", "critical": "high"}


class _Subject(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # of its stub
    """Encoded as a whole if at all: encoded word by word, a long one loses spaces on the way."""

    def fold(self, *, policy: Policy) -> str:
        if self.isascii():
            return str(super().fold(policy=policy))
        encoded = Header(str(self), "utf-8", header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {encoded}{policy.linesep}"


@cache
def _make_policy() -> EmailPolicy[EmailMessage]:
    headers = HeaderRegistry()
    headers.map_to_type("subject", _Subject)
    return SMTP.clone(header_factory=headers)


def begin_mail(
    sender: Address,
    to: Sequence[str],
    subject: str,
    *,
    message_id: str,
    first: str = "",
    urgency: str = "",
) -> EmailMessage:
    """Without a text yet. Addresses in ASCII. `first`: the Message-ID of the mail that its thread
    began with; it may be its own."""
    mail = EmailMessage(policy=_make_policy())
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = cut(one_line(subject), LONGEST_SUBJECT)
    mail["Date"] = format_datetime(utc_now())
    mail["Message-ID"] = message_id
    if first and first != message_id:
        mail["In-Reply-To"] = first
        mail["References"] = first
    mail["X-Auto-Response-Suppress"] = "All"
    if urgency in IMPORTANCE:
        mail["Importance"] = IMPORTANCE[urgency]
    return mail
