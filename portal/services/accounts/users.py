"""Users and their places in tenants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload, with_expression

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Membership, PasswordReset, PendingSignIn, Tenant, User, UserSession
from portal.scope import all_tenants
from portal.services.accounts.passwords import hash_new_password
from portal.services.accounts.permissions import ROLES, Role
from portal.services.accounts.tenants import get_tenant
from portal.services.conflicts.listing import needs_person_count
from portal.services.integrations.codes import is_code_wanted

EMAIL_PATTERN = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

_IS_OPEN = Membership.disabled_at.is_(None)


def add_user(email: str, password: str, tenant: str, role: str) -> User:
    """Give `email` a role in the tenant (slug or id), making the user if new.

    The password of a user who exists already is left alone, and the role replaced.
    Raises InvalidInput, NotFound, and Refused for a place that is disabled.
    """
    email, role = clean_email(email), _check_role(role)
    with _changing(tenant) as (session, tenant_id):
        user = find_or_add_user(session, email, password)
        membership = session.scalar(
            select(Membership).filter_by(user_id=user.id, tenant_id=tenant_id)
        )
        if membership is None:
            membership = Membership(user_id=user.id, tenant_id=tenant_id)
            session.add(membership)
        elif membership.disabled_at is not None:
            raise Refused(f"{email} is disabled in this tenant. Enable the user first.")
        membership.role = role
    return user


def find_or_add_user(session: Session, email: str, password: str) -> User:
    user = session.scalar(select(User).where(User.email == email))
    if user is None:
        user = User(email=email, password_hash=hash_new_password(password, email))
        session.add(user)
        session.flush()
    return user


def clean_email(email: str) -> str:
    email = email.strip().lower()
    if len(email) > 254 or not EMAIL_PATTERN.fullmatch(email):
        raise InvalidInput("Enter an email address such as name@example.com.", field="email")
    return email


def get_user(email: str) -> User:
    """Raises NotFound."""
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise NotFound(f"There is no user {email!r}. Check the address.")
    return user


def any_user_exists() -> bool:
    return bool(db.session.scalar(select(exists().where(User.id.is_not(None)))))


# --- Places -----------------------------------------------------------------------------


def list_memberships(user_id: int) -> list[Membership]:
    """The user's places that are open, with their tenants, by tenant name; detached, so that they
    stay as they were read whatever becomes of the transaction."""
    with all_tenants():
        found = db.session.scalars(
            select(Membership)
            .join(Membership.tenant)
            .options(
                contains_eager(Membership.tenant),
                with_expression(Membership.wants_code, is_code_wanted(Membership.tenant_id)),
                with_expression(Membership.conflicts, needs_person_count(Membership.tenant_id)),
            )
            .where(Membership.user_id == user_id, _IS_OPEN)
            .order_by(Tenant.name, Tenant.id)
        ).all()
    for membership in found:
        db.session.expunge(membership.tenant)
        db.session.expunge(membership)
    return list(found)


def list_members() -> list[Membership]:
    """The places of the scope's tenant with their users, by address."""
    return list(
        db.session.scalars(
            select(Membership)
            .join(Membership.user)
            .options(contains_eager(Membership.user))
            .order_by(User.email)
        )
    )


def is_shut_out(user_id: int) -> bool:
    """Whether every place of the user is disabled."""
    with all_tenants():
        places = db.session.scalars(
            select(Membership.disabled_at).where(Membership.user_id == user_id)
        ).all()
    return bool(places) and None not in places


def change_role(email: str, tenant: str, role: str) -> Membership:
    """From the user's next request on. Raises InvalidInput, NotFound, Refused."""
    role = _check_role(role)
    with _changing(tenant) as (session, tenant_id):
        membership = _get_place(session, email, tenant_id)
        membership.role = role
    return membership


def disable_user(email: str, tenant: str) -> Membership:
    """Close the user's place in the tenant, from the next request on; it keeps its role.

    Raises NotFound, and Refused for the last owner.
    """
    with _changing(tenant) as (session, tenant_id):
        membership = _get_place(session, email, tenant_id)
        membership.disabled_at = membership.disabled_at or utc_now()
        session.flush()
        if is_shut_out(membership.user_id):
            for table in (UserSession, PendingSignIn, PasswordReset):
                session.execute(delete(table).where(table.user_id == membership.user_id))
    return membership


def enable_user(email: str, tenant: str) -> Membership:
    """Raises NotFound."""
    with _changing(tenant) as (session, tenant_id):
        membership = _get_place(session, email, tenant_id)
        membership.disabled_at = None
    return membership


def remove_user(email: str, tenant: str) -> bool:
    """Take the user's place in the tenant away; True when the user, who had no other, is gone.

    Raises NotFound, and Refused for the last owner.
    """
    with _changing(tenant) as (session, tenant_id):
        user_id = _get_place(session, email, tenant_id).user_id
        session.execute(
            delete(Membership).where(
                Membership.user_id == user_id, Membership.tenant_id == tenant_id
            )
        )
        is_gone = not session.scalar(select(exists().where(Membership.user_id == user_id)))
        if is_gone:
            session.execute(delete(User).where(User.id == user_id))
    return is_gone


def _check_role(role: str) -> str:
    if role not in ROLES:
        raise InvalidInput(f"Choose one of these roles: {', '.join(ROLES)}.", field="role")
    return role


def _get_place(session: Session, email: str, tenant_id: int) -> Membership:
    membership = session.scalar(
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user), joinedload(Membership.tenant))
        .where(Membership.tenant_id == tenant_id, User.email == email.strip().lower())
    )
    if membership is None:
        raise NotFound(f"{email!r} is not a user of this tenant. Check the address and the tenant.")
    return membership


@contextmanager
def _changing(tenant: str) -> Iterator[tuple[Session, int]]:
    """A transaction on the tenant's places, one at a time. Raises Refused, and changes nothing,
    when it would leave a tenant that had an owner without one."""
    tenant_id = get_tenant(tenant).id
    with all_tenants(), transaction() as session:
        session.execute(select(Tenant.id).where(Tenant.id == tenant_id).with_for_update())
        had_owner = _has_owner(session, tenant_id)
        yield session, tenant_id
        session.flush()
        if had_owner and not _has_owner(session, tenant_id):
            raise Refused(
                "Every tenant needs at least one owner, and this is the last one. Make another "
                "user an owner first."
            )


def _has_owner(session: Session, tenant_id: int) -> bool:
    owners = select(func.count()).where(
        Membership.tenant_id == tenant_id, Membership.role == Role.OWNER, _IS_OPEN
    )
    return bool(session.scalar(owners))
