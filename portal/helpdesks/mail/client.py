"""The verbs, as mails: one opens a thread, and those that follow answer it.

The helpdesk cannot be asked for anything. So all that it is known by follows from our key: the
reference that stands in subjects, and the Message-ID that answers name.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from secrets import token_hex

from portal.egress import EgressError, Envelope, SmtpRefused, SmtpServer
from portal.far_side.escaping import clean, cut, one_line
from portal.far_side.form import Way
from portal.far_side.mail.message import begin_mail
from portal.far_side.mail.server import LIMITS, is_final, say_refused
from portal.helpdesks.kind import AnswerLost, Choice, Draft, HelpdeskError, NotDone, Refused, Remote

LONGEST_TEXT = 20_000
LONGEST_PREFIX = 8
CANNOT_CLOSE = "A helpdesk that is told by mail is not asked to close or to reopen tickets."
_REFERENCE = re.compile(r"[A-Z0-9]{1,8}-[A-Z2-7]{8}")


@dataclass(frozen=True, slots=True)
class MailClient:
    gateway: Way
    server: SmtpServer
    sender: Address
    address: str

    def check_account(self) -> str:
        """Signs in, and sends nothing."""
        try:
            self.gateway.sign_in_to_mail(self.server, limits=LIMITS)
        except SmtpRefused as refused:
            raise NotDone(say_refused(refused, self.server)) from refused
        except EgressError as error:
            raise NotDone(error.message) from error
        return self.server.username or f"nobody, as {self.server.host} takes mail without"

    def find(self, key: str) -> Sequence[Remote]:
        return []

    def open(self, draft: Draft) -> Remote:
        reference = make_reference(draft.key)
        first = self._name_first(reference)
        subject = f"[{reference}] {one_line(draft.subject)}"
        mail = begin_mail(
            self.sender, [self.address], subject, message_id=first, urgency=draft.urgency
        )
        try:
            self._send(mail, draft.body)
        except AnswerLost as error:
            words = f"{error.message} If the mail arrived, [{reference}] stands in its subject."
            raise AnswerLost(words) from error
        return Remote(reference=reference, key=draft.key)

    def comment(self, reference: str, text: str, *, closing: bool = False) -> None:
        """The Message-ID is another each time: of two with the same, mail programs keep one."""
        if not _REFERENCE.fullmatch(reference):
            raise Refused(f"“{reference[:40]}” is no reference of a ticket opened by mail.")
        subject = f"Re: [{reference}] {_read_first_line(text)}"
        message_id = f"<{reference.lower()}.{token_hex(8)}@{self.sender.domain}>"
        first = self._name_first(reference)
        mail = begin_mail(self.sender, [self.address], subject, message_id=message_id, first=first)
        self._send(mail, text)

    def has_comment(self, reference: str, marker: str) -> bool:
        return False

    def close(self, reference: str) -> None:
        raise Refused(CANNOT_CLOSE)

    def reopen(self, reference: str) -> None:
        raise Refused(CANNOT_CLOSE)

    def read(self, references: Collection[str]) -> Mapping[str, Remote]:
        """No request: what was sent is taken for open."""
        ours = filter(_REFERENCE.fullmatch, references)
        return {reference: Remote(reference=reference) for reference in ours}

    def list_queues(self) -> Sequence[Choice]:
        return [Choice(self.address, self.address)]

    def list_customers(self) -> Sequence[Choice]:
        return []

    def list_priorities(self) -> Sequence[Choice]:
        """It has none: the urgency becomes the importance of the mail."""
        return []

    def _name_first(self, reference: str) -> str:
        return f"<{reference.lower()}.first@{self.sender.domain}>"

    def _send(self, mail: EmailMessage, text: str) -> None:
        """Not marked as written by a program: helpdesks often drop such mail."""
        mail.set_content(f"{cut(clean(text), LONGEST_TEXT)}\n")
        envelope = Envelope(self.sender.addr_spec, [self.address], mail.as_bytes())
        try:
            self.gateway.send_mail(self.server, envelope, limits=LIMITS)
        except SmtpRefused as refused:
            kind = Refused if is_final(refused) else NotDone
            raise kind(say_refused(refused, self.server)) from refused
        except EgressError as error:
            raise _judge(error) from error


def make_reference(key: str) -> str:
    """`ACME-7K2Q9D3X`: the same for the same key, as the mail may have to be recognised later."""
    prefix = re.sub("[^A-Z0-9]", "", key.rpartition("-")[0].upper())[:LONGEST_PREFIX]
    digest = hashlib.sha256(key.encode()).digest()[:5]
    return f"{prefix or 'PORTAL'}-{base64.b32encode(digest).decode()}"


def _read_first_line(text: str) -> str:
    return one_line(text.strip().partition("\n")[0])


def _judge(error: EgressError) -> HelpdeskError:
    return (AnswerLost if error.was_sent else NotDone)(error.message)
