"""Passwords replaced: by their user, by a link for somebody who forgot it, by an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, joinedload

from portal.clock import utc_now
from portal.db import changed_one, db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Membership, Message, PasswordReset, Tenant, User
from portal.models.channels.message import MessageReason
from portal.scope import all_tenants
from portal.services.accounts.known_devices import find_device, issue_device
from portal.services.accounts.link_mails import add_mail, enqueue, make_address, word_reset
from portal.services.accounts.passwords import hash_new_password, password_matches
from portal.services.accounts.second_factors.changes import forget_factors
from portal.services.accounts.second_factors.status import lock_user
from portal.services.accounts.sign_in import end_sessions
from portal.services.accounts.throttle import Caller, attempt
from portal.services.accounts.tokens import digest, new_token
from portal.services.accounts.users import get_user, list_memberships
from portal.services.audit.actions import Action
from portal.services.audit.people import as_user, record_of_user, record_refusal
from portal.wording import plural

RESET = MessageReason.RESET
RESET_LASTS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ResetLink:
    """`link` is a secret: whoever has it sets the password."""

    email: str
    link: str
    expires_at: datetime
    removes_factors: bool
    by_mail: bool = False


def change_password(user_id: int, old: str, new: str, keep_session: str, caller: Caller) -> str:
    """Signs every other browser of the user out; the word that this device keeps from now on.

    Raises InvalidInput and TooManyAttempts.
    """
    user = db.session.get_one(User, user_id)
    with attempt(caller, user.email, find_device(user, caller.device)):
        if not password_matches(user.password_hash, old):
            record_refusal(user)
            raise InvalidInput("This is not your current password.", field="old_password")
    new_hash = hash_new_password(new, user.email)
    with transaction() as session:
        user = session.get_one(User, user_id)
        _replace(session, user, new_hash, keep_session)
        record_of_user(Action.PASSWORD_CHANGED, user)
    return issue_device(user)


def set_password(email: str, password: str, *, remove_factors: bool = False) -> User:
    """For an operator. Raises NotFound and InvalidInput."""
    user = get_user(email)
    new_hash = hash_new_password(password, user.email)
    with transaction() as session:
        user = session.get_one(User, user.id)
        _replace(session, user, new_hash)
        record_of_user(Action.PASSWORD_SET, user)
        if remove_factors:
            forget_factors(session, user)
    return user


def issue_reset(
    email: str,
    only_of: int | None = None,
    *,
    remove_factors: bool = False,
    mailed_by: int | None = None,
) -> ResetLink:
    """A link that sets the user's password once, in place of an earlier one; when it is used, it
    also takes every second factor away if `remove_factors`.

    `only_of`: the tenant whose owner asks; `mailed_by`: that whose mail channel sends the link to
    the user as well. Raises NotFound, InvalidInput where no mail can be sent, and Refused for a
    person of another tenant too, which the link would open to the owners of this one.
    """
    token, expires_at = new_token(), utc_now() + RESET_LASTS
    user, mail = get_user(email), None
    reset = PasswordReset(
        user_id=user.id,
        token_digest=digest(token),
        expires_at=expires_at,
        removes_factors=remove_factors,
    )
    with transaction() as session:
        lock_user(session, reset.user_id)  # nobody joins a tenant meanwhile
        if only_of is not None and _is_in_another(session, reset.user_id, only_of):
            raise Refused(
                f"{email} is in other tenants of this portal too, so only an operator can make a "
                "link for a new password, with `portal users reset`."
            )
        if mailed_by is not None:
            mail = _mail(session, mailed_by, reset, user.email, token)
        reset.message_id = mail.id if mail else None
        session.merge(reset)
        after = {"expires_at": expires_at, "removes_factors": remove_factors}
        after |= {"by_mail": mailed_by is not None or None}
        record_of_user(Action.PASSWORD_LINK_ISSUED, user, after=after)
    enqueue(mail)
    link = make_address(RESET, token)
    return ResetLink(user.email, link, expires_at, remove_factors, mail is not None)


def _mail(
    session: Session, tenant_id: int, reset: PasswordReset, email: str, token: str
) -> Message:
    tenant = session.get_one(Tenant, tenant_id)
    words = word_reset(tenant, email, reset.expires_at, reset.removes_factors)
    return add_mail(session, RESET, tenant_id, email, words, token)


def choose_tenant(email: str, slug: str | None) -> int:
    """The tenant whose mail channel sends a link to the user: the one named, else their only one.

    Raises NotFound and InvalidInput.
    """
    user = get_user(email)
    tenants = {place.tenant.slug: place.tenant_id for place in list_memberships(user.id)}
    if slug is None and len(tenants) == 1:
        return next(iter(tenants.values()))
    if slug is None:
        raise InvalidInput(
            f"{user.email} is in {plural(len(tenants), 'tenant')}. Say with --tenant whose mail "
            "channel sends the link."
        )
    if slug not in tenants:
        raise InvalidInput(f"{user.email} is no user of {slug!r}, whose mail channel cannot serve.")
    return tenants[slug]


def _is_in_another(session: Session, user_id: int, tenant_id: int) -> bool:
    elsewhere = exists().where(Membership.user_id == user_id, Membership.tenant_id != tenant_id)
    with all_tenants():
        return bool(session.scalar(select(elsewhere)))


def find_open_reset(user_id: int) -> PasswordReset | None:
    """The link to a new password that the user has not used yet, with the mail that brings it if
    that is one of the scope's tenant."""
    return db.session.scalar(
        select(PasswordReset)
        .options(joinedload(PasswordReset.message))
        .where(PasswordReset.user_id == user_id, PasswordReset.expires_at > utc_now())
        .execution_options(populate_existing=True)
    )


def find_reset(token: str) -> PasswordReset | None:
    """With its user; None for a link that was used, replaced, or is a day old."""
    return db.session.scalar(
        select(PasswordReset)
        .options(joinedload(PasswordReset.user))
        .where(PasswordReset.token_digest == digest(token), PasswordReset.expires_at > utc_now())
    )


def use_reset(token: str, password: str, caller: Caller) -> tuple[User, str]:
    """Set the password, and sign the user out everywhere; the user, and the word that this device
    keeps. The link holds on when the password cannot be taken.

    Raises NotFound for a link that is no longer valid, InvalidInput and TooManyAttempts.
    """
    with attempt(caller):
        reset = find_reset(token)
        if reset is None:
            raise used_up()
    user_id, removes_factors = reset.user_id, reset.removes_factors
    new_hash = hash_new_password(password, reset.user.email)
    with transaction() as session:
        used = delete(PasswordReset).where(PasswordReset.token_digest == digest(token))
        if not changed_one(session, used):
            raise used_up()  # by somebody who pressed at the same moment
        user = session.get_one(User, user_id)
        _replace(session, user, new_hash)
        record_of_user(Action.PASSWORD_RESET, user, actor=as_user(user))
        if removes_factors:
            forget_factors(session, user, as_user(user))
    return user, issue_device(user)


def _replace(session: Session, user: User, new_hash: str, keep_session: str = "") -> None:
    """Ends the user's sessions but one, and links that were not used. Second factors stay."""
    user.password_hash = new_hash
    session.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id))
    end_sessions(session, user.id, keep_session)


def used_up() -> NotFound:
    """The same for a link that was used, is too old, or never was."""
    return NotFound(
        "This link is not valid. It works once, and for one day. Ask whoever gave it to you for a "
        "new one.",
        heading="This link is not valid",
    )
