"""Any helpdesk that makes tickets of mail: each is a thread, whose reference stands in subjects."""

from __future__ import annotations

from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.mail.addresses import BadAddress, clean_address
from portal.far_side.mail.server import FIELDS, list_problems, read_sender, read_server
from portal.helpdesks.base import FEW
from portal.helpdesks.mail.client import MailClient


class MailKind:
    name = "mail"
    label = "Mail"
    about = (
        "Any helpdesk that makes tickets of mail. The portal only writes to it: it cannot close "
        "tickets, and does not learn when people do. Where the answer to a mail is lost, nobody "
        "can tell whether it arrived, so a person is asked before it is sent again."
    )
    help_url = ""
    is_untried = False
    fields = (
        Field(
            name="address",
            label="Address of the helpdesk",
            input="email",
            help=(
                "What is sent there becomes a ticket; this is its only queue. The helpdesk must "
                "put answers with the same reference, as in “[ACME-7K2Q9D3X]”, or of the same "
                "thread into the same ticket. For a second address, add a second helpdesk."
            ),
            placeholder="support@example.com",
            longest=254,
        ),
        *FIELDS,
    )

    def can_close(self, settings: Settings) -> bool:
        return False

    def reads_at_once(self, settings: Settings) -> int:
        return FEW

    def can_find(self, settings: Settings) -> bool:
        return False

    def preview(self, settings: Settings) -> str:
        return ""

    def check(self, settings: Settings, secrets: Secrets) -> str:
        problems = list_problems(settings, secrets)
        address = ""
        try:
            address = clean_address(settings["address"])
        except BadAddress as error:
            problems["address"] = str(error)
        if problems:
            raise Rejected(problems)
        return address

    def connect(self, gateway: Way, settings: Settings, secrets: Secrets) -> MailClient:
        sender = read_sender(settings)
        server = read_server(settings, secrets, sender)
        return MailClient(gateway, server, sender, clean_address(settings["address"]))


KIND = MailKind()
