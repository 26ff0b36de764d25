"""Mail, by a server that takes it from the portal (SMTP)."""

from __future__ import annotations

from portal.channels.base import TextChannel
from portal.channels.kind import Outcome, Result, Templates
from portal.channels.mail.message import make_mail, make_message_id
from portal.channels.telling import Telling
from portal.egress import EgressError, Envelope, SmtpRefused
from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.mail.addresses import BadAddress, clean_address, read_addresses
from portal.far_side.mail.server import (
    FIELDS,
    LIMITS,
    is_final,
    list_problems,
    quote_refused,
    read_sender,
    read_server,
    say_accepted,
    say_refused,
)


class MailChannel(TextChannel):
    name = "mail"
    label = "Mail"
    about = (
        "Sends mail through a mail server of yours (SMTP), to one or more addresses. Messages of "
        "the same alert form a thread."
    )
    fields = (
        *FIELDS,
        Field(
            name="to",
            label="To",
            input="textarea",
            help="One address on each line.",
            longest=5000,
        ),
    )

    def check(self, settings: Settings, secrets: Secrets, templates: Templates) -> str:
        problems = list_problems(settings, secrets)
        to: list[str] = []
        try:
            to = read_addresses(settings["to"])
        except BadAddress as error:
            problems["to"] = str(error)
        if problems:
            raise Rejected(problems)
        return to[0] if len(to) == 1 else f"{to[0]} and {len(to) - 1} more"

    def send(self, gateway: Way, settings: Settings, secrets: Secrets, telling: Telling) -> Outcome:
        try:
            sender = read_sender(settings)
            to = (
                [clean_address(telling.recipient)]
                if telling.recipient
                else read_addresses(settings["to"])
            )
        except BadAddress as error:
            return Outcome(result=Result.REFUSED, answer=str(error))
        envelope = Envelope(sender.addr_spec, to, make_mail(telling, sender, to).as_bytes())
        thread = telling.thread or {"message_id": make_message_id(telling, sender)}
        server = read_server(settings, secrets, sender)
        codes = [address.partition("#")[2] or address for _, address in telling.links]
        try:
            accepted = gateway.send_mail(server, envelope, limits=LIMITS)
        except SmtpRefused as refused:
            result = Result.REFUSED if is_final(refused) else Result.FAILED
            replies = refused.refused if result is Result.FAILED else {}
            answers = quote_refused(replies, server, codes)
            answer = say_refused(refused, server, codes)
            return Outcome(result=result, answer=answer, put_off=answers)
        except EgressError as error:
            result = Result.LOST if error.was_sent else Result.FAILED
            return Outcome(result=result, answer=error.message)
        answers = quote_refused(accepted.refused, server, codes)
        final = {to for to, reply in accepted.refused.items() if reply.is_permanent}
        return Outcome(
            result=Result.SENT,
            answer=say_accepted(accepted, server, codes),
            thread=thread,
            put_off={to: answer for to, answer in answers.items() if to not in final},
            turned_away={to: answer for to, answer in answers.items() if to in final},
        )


KIND = MailChannel()
