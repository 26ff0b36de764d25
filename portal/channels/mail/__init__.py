"""Mail, by a server that takes it from the portal (SMTP)."""

from __future__ import annotations

import base64
from email.headerregistry import Address

from portal.channels.base import TextChannel
from portal.channels.kind import Outcome, Result, Templates
from portal.channels.mail.addresses import BadAddress, clean_address, read_addresses
from portal.channels.mail.message import make_mail, make_message_id
from portal.channels.telling import Telling
from portal.egress import (
    Accepted,
    EgressError,
    Envelope,
    Limits,
    Security,
    SmtpRefused,
    SmtpServer,
    Step,
)
from portal.far_side.escaping import cut, one_line
from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.wording import join_words

LIMITS = Limits(connect=5, idle=20, total=30)
LONGEST_QUOTE = 200
REDACTED = "[redacted]"
OF_THE_MESSAGE = (Step.RECIPIENTS, Step.CONTENT)
"""A refusal for good at an earlier step is about the channel, and may be mended."""
STEPS = {
    Step.GREETING: "The mail server did not greet",
    Step.TLS: "The mail server does not encrypt",
    Step.LOGIN: "The mail server refused the username or password",
    Step.SENDER: "The mail server refused the sender",
    Step.RECIPIENTS: "The mail server refused the recipients",
    Step.CONTENT: "The mail server refused the mail",
}


class MailChannel(TextChannel):
    name = "mail"
    label = "Mail"
    about = (
        "Sends mail through a mail server of yours (SMTP), to one or more addresses. Messages of "
        "the same alert form a thread."
    )
    fields = (
        Field(
            name="server",
            label="Mail server",
            help="Its name, such as smtp.example.com, without a port.",
            placeholder="smtp.example.com",
            names_host=True,
            longest=253,
        ),
        Field(
            name="security",
            label="Encryption",
            input="select",
            choices=[
                (Security.STARTTLS, "STARTTLS (usual port 587)"),
                (Security.TLS, "TLS from the start (usual port 465)"),
                (Security.NONE, "None (only in networks that the operator allowed)"),
            ],
            default=Security.STARTTLS,
        ),
        Field(name="port", label="Port", input="number", default="587", longest=5),
        Field(
            name="username",
            label="Username",
            is_required=False,
            help="Leave it empty if the server takes mail from the portal without signing in.",
            longest=200,
        ),
        Field(
            name="password",
            label="Password",
            input="password",
            is_secret=True,
            is_required=False,
            help="Where accounts have two-step sign-in, make an app password and enter that.",
        ),
        Field(
            name="sender",
            label="From",
            input="email",
            help="An address that the server lets this account send from.",
            placeholder="alerts@example.com",
            longest=254,
        ),
        Field(
            name="sender_name",
            label="Name of the sender",
            is_required=False,
            help="What stands in the list of mails, such as “Alerts”.",
            longest=100,
        ),
        Field(
            name="to",
            label="To",
            input="textarea",
            help="One address on each line.",
            longest=5000,
        ),
    )

    def check(self, settings: Settings, secrets: Secrets, templates: Templates) -> str:
        problems = {}
        try:
            clean_address(settings["sender"])
        except BadAddress as error:
            problems["sender"] = str(error)
        to: list[str] = []
        try:
            to = read_addresses(settings["to"])
        except BadAddress as error:
            problems["to"] = str(error)
        if not settings["port"].isascii() or not settings["port"].isdigit():
            problems["port"] = "Enter a number, such as 587."
        elif not 0 < int(settings["port"]) < 65536:
            problems["port"] = "Enter a number from 1 to 65535."
        server = settings["server"]
        if not server.isascii() or not server.isprintable() or set(server) & set(" /@:"):
            problems["server"] = "Enter only the name of the server, such as smtp.example.com."
        if not (settings.get("username", "") + secrets.get("password", "")).isascii():
            problems["username"] = "Use a username and a password of plain characters (ASCII)."
        if problems:
            raise Rejected(problems)
        return to[0] if len(to) == 1 else f"{to[0]} and {len(to) - 1} more"

    def send(self, gateway: Way, settings: Settings, secrets: Secrets, telling: Telling) -> Outcome:
        try:
            sender = Address(
                one_line(settings.get("sender_name", "")),
                addr_spec=clean_address(settings["sender"]),
            )
            to = read_addresses(telling.recipient or settings["to"])
        except BadAddress as error:
            return Outcome(result=Result.REFUSED, answer=str(error))
        envelope = Envelope(sender.addr_spec, to, make_mail(telling, sender, to).as_bytes())
        thread = telling.thread or {"message_id": make_message_id(telling, sender)}
        hidden = _list_hidden(secrets.get("password", ""), settings.get("username", ""))
        try:
            accepted = gateway.send_mail(
                _read_server(settings, secrets, sender), envelope, limits=LIMITS
            )
        except SmtpRefused as refused:
            return _judge(refused, hidden)
        except EgressError as error:
            result = Result.LOST if error.was_sent else Result.FAILED
            return Outcome(result=result, answer=error.message)
        return Outcome(result=Result.SENT, answer=_say_accepted(accepted, hidden), thread=thread)


def _read_server(settings: Settings, secrets: Secrets, sender: Address) -> SmtpServer:
    return SmtpServer(
        host=settings["server"],
        port=int(settings["port"]),
        security=Security(settings["security"]),
        username=settings.get("username", ""),
        password=secrets.get("password", ""),
        hello=sender.domain,
    )


def _judge(refused: SmtpRefused, hidden: tuple[str, ...]) -> Outcome:
    is_final = refused.step in OF_THE_MESSAGE and refused.reply.is_permanent
    answer = f"{STEPS[refused.step]}: {_quote(str(refused.reply), hidden)}"
    return Outcome(result=Result.REFUSED if is_final else Result.FAILED, answer=answer)


def _say_accepted(accepted: Accepted, hidden: tuple[str, ...]) -> str:
    answer = f"The mail server took it: {_quote(str(accepted.reply), hidden)}"
    if not accepted.refused:
        return answer
    refused = [
        f"{address} ({_quote(str(reply), hidden)})" for address, reply in accepted.refused.items()
    ]
    return f"{answer}. It refused {join_words(refused)}."


def _list_hidden(password: str, username: str) -> tuple[str, ...]:
    """The password, as it is and as it is sent."""
    if not password:
        return ()
    plain = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
    return (plain, base64.b64encode(password.encode()).decode(), password)


def _quote(text: str, hidden: tuple[str, ...]) -> str:
    for secret in hidden:
        text = text.replace(secret, REDACTED)
    return cut(one_line(text), LONGEST_QUOTE)


KIND = MailChannel()
