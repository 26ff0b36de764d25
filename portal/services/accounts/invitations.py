"""Invitations: a link gives the person of an address a place in a tenant, once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from portal.clock import utc_now
from portal.db import changed_one, db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Invitation, Membership, Message, Tenant, User
from portal.models.channels.message import MessageReason
from portal.scope import Clients, all_tenants
from portal.services.accounts.limits import (
    check_limitable,
    describe_limit,
    hand_limit,
    read_limit,
    set_limit,
)
from portal.services.accounts.link_mails import add_mail, enqueue, make_address, word_invitation
from portal.services.accounts.passwords import hash_new_password
from portal.services.accounts.places import add_place, changing_places, check_role, find_place
from portal.services.accounts.throttle import Caller, attempt
from portal.services.accounts.tokens import digest, new_token
from portal.services.accounts.users import clean_email
from portal.services.audit.actions import Action
from portal.services.audit.people import as_user
from portal.services.audit.record import Target, record, record_in

INVITATION = MessageReason.INVITATION
INVITATION_LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """`link` is a secret: whoever has it gets the place."""

    email: str
    role: str
    link: str
    expires_at: datetime
    by_mail: bool = False


def invite(
    email: str,
    tenant: str,
    role: str,
    invited_by: int | None = None,
    client_ids: Collection[int] | None = None,
    *,
    by_mail: bool = False,
) -> InvitationLink:
    """A link into the tenant (slug or id), in place of an earlier one for the same address;
    `client_ids`: limited to these clients; `by_mail`: a worker sends it to the address as well.

    Raises InvalidInput, Refused for a role that sees all clients, and NotFound for an unknown
    tenant.
    """
    email, role, token = clean_email(email), check_role(role), new_token()
    if client_ids is not None:
        check_limitable(role)
    expires_at = utc_now() + INVITATION_LASTS
    with changing_places(tenant) as (session, tenant_id):
        _check_has_no_place(session, email, tenant_id)
        _delete_outdated(session, tenant_id, email)
        invitation = Invitation(
            tenant_id=tenant_id,
            email=email,
            role=role,
            token_digest=digest(token),
            invited_by=invited_by,
            expires_at=expires_at,
        )
        session.add(invitation)
        session.flush()
        set_limit(session, invitation, client_ids)
        mail = _mail(session, invitation, token) if by_mail else None
        after = {"role": role, "expires_at": expires_at, "by_mail": by_mail or None}
        after |= {"clients": describe_limit(session, invitation)}
        record_in([tenant_id], Action.USER_INVITED, Target("user", "", email), after=after)
    enqueue(mail)
    return InvitationLink(email, role, make_address(INVITATION, token), expires_at, by_mail)


def list_invitations() -> list[Invitation]:
    """Those of the scope's tenant that can still be accepted, by address."""
    return list(
        db.session.scalars(
            select(Invitation)
            .options(joinedload(Invitation.inviter), joinedload(Invitation.message))
            .where(Invitation.expires_at > utc_now())
            .order_by(Invitation.email)
        )
    )


def get_invitation(invitation_id: int) -> Invitation:
    """One of the scope's tenant. Raises NotFound."""
    invitation = db.session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotFound("This invitation is not open any more.")
    return invitation


def withdraw_invitation(invitation_id: int) -> str:
    """The link gives no place any more; whose it was. Raises NotFound."""
    with transaction() as session:
        invitation = get_invitation(invitation_id)
        session.delete(invitation)
        about = Target("user", "", invitation.email)
        record(Action.INVITATION_WITHDRAWN, about, {"role": invitation.role})
    return invitation.email


# --- Accepting --------------------------------------------------------------------------


def find_invitation(token: str) -> Invitation | None:
    """With its tenant; None for a link that was used, withdrawn or replaced, or is too old."""
    with all_tenants():
        return db.session.scalar(
            select(Invitation)
            .options(joinedload(Invitation.tenant))
            .where(Invitation.token_digest == digest(token), Invitation.expires_at > utc_now())
        )


def find_invited(invitation: Invitation) -> User | None:
    """The user that the invited person is already, perhaps of another tenant."""
    return db.session.scalar(select(User).where(User.email == invitation.email))


def accept_as_new(token: str, password: str, caller: Caller) -> tuple[User, str]:
    """Make the user, with this password, and the place; the user, and the tenant's slug.

    Raises NotFound for a link that is not valid any more, Refused for somebody who has a user
    meanwhile, InvalidInput and TooManyAttempts.
    """
    found = check_token(token, caller)
    new_hash = hash_new_password(password, found.email)
    with changing_places(str(found.tenant_id)) as (session, tenant_id):
        invitation, limit = _take(session, token)
        if find_invited(invitation) is not None:
            raise Refused("You have an account here already. Sign in to accept the invitation.")
        user = User(email=invitation.email, password_hash=new_hash)
        session.add(user)
        session.flush()
        hand_limit(session, add_place(session, user.id, tenant_id, invitation.role), limit)
        record_accepted(tenant_id, user, invitation)
    return user, invitation.tenant.slug


def accept_as(user: User, token: str, caller: Caller) -> str:
    """Give the signed-in user the place; the tenant's slug. Who has one there keeps it as it is.

    Raises NotFound for a link that is not valid any more, Refused for somebody else's, and
    TooManyAttempts.
    """
    found = check_token(token, caller)
    if user.email != found.email:
        raise Refused(
            f"This invitation is for {found.email}, and you are signed in as {user.email}. "
            "Sign out, then open the link again."
        )
    user_id = user.id
    with changing_places(str(found.tenant_id)) as (session, tenant_id):
        invitation, limit = _take(session, token)
        if find_place(session, invitation.email, tenant_id) is None:
            hand_limit(session, add_place(session, user_id, tenant_id, invitation.role), limit)
        record_accepted(tenant_id, session.get_one(User, user_id), invitation)
    return invitation.tenant.slug


def record_accepted(tenant_id: int, user: User, invitation: Invitation) -> None:
    """Inside the transaction in which the invitation is used up."""
    who, after = Target("user", user.id, user.email), {"role": invitation.role}
    record_in([tenant_id], Action.INVITATION_ACCEPTED, who, after=after, actor=as_user(user))


def used_up() -> NotFound:
    """The same for a link that was used, withdrawn, is too old, or never was."""
    return NotFound(
        "This invitation is not valid. It works once, and for seven days. Ask whoever invited you "
        "for a new one.",
        heading="This invitation is not valid",
    )


def check_token(token: str, caller: Caller) -> Invitation:
    """With its tenant. Raises NotFound for a link that is not valid any more, TooManyAttempts."""
    with attempt(caller):
        invitation = find_invitation(token)
        if invitation is None:
            raise used_up()
    return invitation


def _take(session: Session, token: str) -> tuple[Invitation, Clients]:
    """The invitation, which is used up now, and what it is limited to. Raises NotFound when
    somebody used or withdrew it at the same moment."""
    invitation = find_invitation(token)
    limit = read_limit(invitation) if invitation else None
    used = delete(Invitation).where(Invitation.token_digest == digest(token))
    if invitation is None or not changed_one(session, used):
        raise used_up()
    session.expunge(invitation)
    return invitation, limit


def _mail(session: Session, invitation: Invitation, token: str) -> Message:
    tenant = session.get_one(Tenant, invitation.tenant_id)
    words = word_invitation(tenant, invitation.role, invitation.expires_at)
    mail = add_mail(session, INVITATION, tenant.id, invitation.email, words, token)
    invitation.message = mail
    return mail


def _delete_outdated(session: Session, tenant_id: int, email: str) -> None:
    """Those that are too old, and an earlier one for the same address."""
    outdated = (Invitation.email == email) | (Invitation.expires_at <= utc_now())
    session.execute(delete(Invitation).where(Invitation.tenant_id == tenant_id, outdated))


def _check_has_no_place(session: Session, email: str, tenant_id: int) -> None:
    place: Membership | None = find_place(session, email, tenant_id)
    if place is None:
        return
    if place.disabled_at is not None:
        raise InvalidInput(
            f"{email} is disabled in this tenant. Enable the user instead.", field="email"
        )
    raise InvalidInput(f"{email} is a user of this tenant already.", field="email")
