"""The mail server that takes the portal's mail: its fields, and what it answered."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from email.headerregistry import Address

from portal.egress import (
    Accepted,
    Limits,
    Security,
    SmtpRefused,
    SmtpReply,
    SmtpServer,
    Step,
)
from portal.far_side.escaping import cut, one_line
from portal.far_side.form import Field, Secrets, Settings
from portal.far_side.mail.addresses import BadAddress, clean_address
from portal.wording import join_words

LIMITS = Limits(connect=5, idle=20, total=30)
LONGEST_QUOTE = 200
REDACTED = "[redacted]"
STEPS = {
    Step.GREETING: "The mail server did not greet",
    Step.TLS: "The mail server does not encrypt",
    Step.LOGIN: "The mail server refused the username or password",
    Step.SENDER: "The mail server refused the sender",
    Step.RECIPIENTS: "The mail server refused the recipients",
    Step.CONTENT: "The mail server refused the mail",
}
OF_THE_MESSAGE = (Step.RECIPIENTS, Step.CONTENT)
"""A refusal for good at an earlier step is about the set-up, and may be mended."""
FIELDS = (
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
)


def list_problems(settings: Settings, secrets: Secrets) -> dict[str, str]:
    """What of FIELDS cannot be used: field -> a sentence for people."""
    problems = {}
    try:
        clean_address(settings["sender"])
    except BadAddress as error:
        problems["sender"] = str(error)
    if not settings["port"].isascii() or not settings["port"].isdigit():
        problems["port"] = "Enter a number, such as 587."
    elif not 0 < int(settings["port"]) < 65536:
        problems["port"] = "Enter a number from 1 to 65535."
    server = settings["server"]
    if not server.isascii() or not server.isprintable() or set(server) & set(" /@:"):
        problems["server"] = "Enter only the name of the server, such as smtp.example.com."
    if not (settings.get("username", "") + secrets.get("password", "")).isascii():
        problems["username"] = "Use a username and a password of plain characters (ASCII)."
    return problems


def read_sender(settings: Settings) -> Address:
    """Raises BadAddress."""
    name = one_line(settings.get("sender_name", ""))
    return Address(name, addr_spec=clean_address(settings["sender"]))


def read_server(settings: Settings, secrets: Secrets, sender: Address) -> SmtpServer:
    return SmtpServer(
        host=settings["server"],
        port=int(settings["port"]),
        security=Security(settings["security"]),
        username=settings.get("username", ""),
        password=secrets.get("password", ""),
        hello=sender.domain,
    )


def is_final(refused: SmtpRefused) -> bool:
    """Whether the same mail would be refused again."""
    return refused.step in OF_THE_MESSAGE and refused.reply.is_permanent


def say_refused(refused: SmtpRefused, server: SmtpServer, secrets: Collection[str] = ()) -> str:
    """`secrets`: of the mail, which the server may repeat."""
    hidden = (*_list_hidden(server), *secrets)
    return f"{STEPS[refused.step]}: {_quote(str(refused.reply), hidden)}"


def say_accepted(accepted: Accepted, server: SmtpServer, secrets: Collection[str] = ()) -> str:
    """`secrets` as above."""
    hidden = (*_list_hidden(server), *secrets)
    answer = f"The mail server took it: {_quote(str(accepted.reply), hidden)}"
    if not accepted.refused:
        return answer
    refused = quote_refused(accepted.refused, server, secrets)
    return f"{answer}. It refused {join_words([f'{to} ({why})' for to, why in refused.items()])}."


def quote_refused(
    refused: Mapping[str, SmtpReply], server: SmtpServer, secrets: Collection[str] = ()
) -> dict[str, str]:
    """What the server answered about each recipient; `secrets` as above."""
    hidden = (*_list_hidden(server), *secrets)
    return {address: _quote(str(reply), hidden) for address, reply in refused.items()}


def _list_hidden(server: SmtpServer) -> Collection[str]:
    """The password, as it is and as it is sent."""
    if not server.password:
        return ()
    plain = base64.b64encode(f"\0{server.username}\0{server.password}".encode()).decode()
    return (plain, base64.b64encode(server.password.encode()).decode(), server.password)


def _quote(text: str, hidden: Collection[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, REDACTED)
    return cut(one_line(text), LONGEST_QUOTE)
