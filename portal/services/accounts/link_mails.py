"""Links that are sent by mail to the person whom they are for: an invitation, a new password.

A message of a tenant's mail channel, sent by a worker like all others. The code of its link lies in
the vault, and only until the message is settled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import queue
from portal.channels import mail
from portal.clock import utc_now
from portal.config import Settings
from portal.db import db
from portal.errors import InvalidInput, SecretUnreadable
from portal.far_side.mail.addresses import BadAddress, clean_address
from portal.lease import make_lease
from portal.models import Channel, Invitation, Message, PasswordReset, Tenant
from portal.models.audit.entry import ActorKind
from portal.models.channels.message import MessageReason, MessageStatus
from portal.scope import tenant_scope
from portal.services.audit.actor import current_actor
from portal.vault import find_secret, forget_secrets, store_secret
from portal.wording import say_moment

LINKS: Final = {
    MessageReason.INVITATION: ("Accept the invitation", "invitation"),
    MessageReason.RESET: ("Choose a new password", "reset"),
}
"""What the link says, and the page that it leads to."""
CODE: Final = "code"
"""In the vault, of the message."""
NO_CHANNEL = (
    "There is no mail channel that is switched on. Add one under Channels, or send the link "
    "yourself."
)


@dataclass(frozen=True, slots=True)
class Words:
    """Of a mail, without the link, which it gets when it is sent."""

    title: str
    text: str


def find_channel() -> Channel | None:
    """The one of the scope's tenant that sends links: its oldest mail channel that is on."""
    is_mail = Channel.kind == mail.KIND.name
    query = select(Channel).where(is_mail, Channel.active).order_by(Channel.id)
    return db.session.scalar(query.limit(1))


def make_address(reason: MessageReason, code: str) -> str:
    """Where the link leads. It is a secret."""
    settings: Settings = current_app.extensions["settings"]
    return f"{settings.address}/{LINKS[reason][1]}#{code}"


# --- Written ----------------------------------------------------------------------------


def add_mail(
    session: Session, reason: MessageReason, tenant_id: int, email: str, words: Words, code: str
) -> Message:
    """Inside the transaction that makes the link; call `enqueue` after it. Raises InvalidInput."""
    with tenant_scope(tenant_id):
        channel = find_channel()
        if channel is None:
            raise InvalidInput(NO_CHANNEL, field="mail")
        try:
            clean_address(email)
        except BadAddress as error:
            raise InvalidInput(str(error), field="email") from error
        message = Message(
            channel_id=channel.id,
            key=f"link:{make_lease()}",
            reason=reason,
            recipient=email,
            facts={"title": words.title, "text": words.text},
        )
        session.add(message)
        session.flush()
        store_secret(session, message, CODE, code)
    return message


def enqueue(message: Message | None) -> None:
    if message is not None:
        queue.enqueue("send_messages", message.tenant_id, message.channel_id)


def word_invitation(tenant: Tenant, role: str, expires_at: datetime) -> Words:
    inviter = _find_person()
    invites = f"{inviter} invites you" if inviter else "You are invited"
    return Words(
        f"Invitation to {tenant.name}",
        f"{invites} to work in the portal of {tenant.name}, with the role of {role}.\n\n"
        "Open the link below to join. If you have an account in this portal, sign in with it; "
        f"otherwise you choose a password. {_say_limits(expires_at)}\n\n"
        "If you did not expect this mail, delete it: nothing happens unless the link is used.",
    )


def word_reset(tenant: Tenant, email: str, expires_at: datetime, removes_factors: bool) -> Words:
    asker = _find_person()
    made = f"{asker} made a link" if asker else "Here is a link"
    factors = " and removes your second factors" if removes_factors else ""
    whom = asker or "whoever runs the portal"
    return Words(
        "Choose a new password",
        f"{made} with which you choose a new password for your account {email} in the portal of "
        f"{tenant.name}.\n\n"
        f"The new password signs you out everywhere{factors}. {_say_limits(expires_at)}\n\n"
        f"If you did not ask for this, delete the mail and tell {whom}: your password stays as it "
        "is unless the link is used.",
    )


def _find_person() -> str:
    """Who acts; empty where it is an operator, by a command."""
    actor = current_actor()
    return actor.name if actor.kind is ActorKind.USER else ""


def _say_limits(expires_at: datetime) -> str:
    return (
        f"The link works once, until {say_moment(expires_at)}. Do not forward it: whoever has it "
        "can use it."
    )


# --- Sent -------------------------------------------------------------------------------


def list_live(session: Session, messages: Iterable[Message]) -> frozenset[int]:
    """Ids of those whose link can still be used."""
    ids = [message.id for message in messages if message.reason in LINKS]
    if not ids:
        return frozenset()
    found = [
        session.scalars(select(message_id).where(message_id.in_(ids), expires_at > utc_now()))
        for message_id, expires_at in (
            (Invitation.message_id, Invitation.expires_at),
            (PasswordReset.message_id, PasswordReset.expires_at),
        )
    ]
    return frozenset(each for some in found for each in some if each is not None)


def read_links(message: Message) -> tuple[tuple[str, str], ...]:
    """What the link says and its address, for the far side alone; of another message none. Raises
    SecretUnreadable."""
    if message.reason not in LINKS:
        return ()
    code = find_secret(message, CODE)
    if code is None:
        raise SecretUnreadable("The code of the link is not there any more. Make another link.")
    return ((LINKS[message.reason][0], make_address(message.reason, code)),)


def forget_codes(session: Session, messages: Iterable[Message]) -> None:
    """Of messages that are settled or about to be deleted."""
    for message in messages:
        if message.reason in LINKS:
            forget_secrets(session, message, CODE)


def forget_waiting_codes(session: Session, channel_id: int) -> None:
    """Of a channel that sends nothing any more."""
    waiting = (Message.channel_id == channel_id, Message.status == MessageStatus.WAITING)
    forget_codes(session, session.scalars(select(Message).where(*waiting)).all())
