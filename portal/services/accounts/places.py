"""A user's place in a tenant: found, given, and never the last owner's taken away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Invitation, Membership, PasswordReset, Tenant, User
from portal.scope import all_tenants
from portal.services.accounts.permissions import ROLES, Role
from portal.services.accounts.second_factors.status import lock_user
from portal.services.accounts.tenants import get_tenant

IS_OPEN = Membership.disabled_at.is_(None)


def is_shut_out(user_id: int) -> bool:
    """Whether every place of the user is disabled, and no invitation waits to be accepted."""
    is_invited = exists().where(
        User.id == user_id, Invitation.email == User.email, Invitation.expires_at > utc_now()
    )
    with all_tenants():
        places = db.session.scalars(
            select(Membership.disabled_at).where(Membership.user_id == user_id)
        ).all()
        if not places or None in places:
            return False
        return not db.session.scalar(select(is_invited))


def add_place(session: Session, user_id: int, tenant_id: int, role: str) -> Membership:
    """Ends links to a new password: they may be in the hands of the owner of another tenant, for
    whom the place is not meant."""
    lock_user(session, user_id)
    membership = Membership(user_id=user_id, tenant_id=tenant_id, role=role)
    session.add(membership)
    session.flush()
    session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))
    return membership


def check_role(role: str) -> str:
    if role not in ROLES:
        raise InvalidInput(f"Choose one of these roles: {', '.join(ROLES)}.", field="role")
    return role


def find_place(session: Session, email: str, tenant_id: int) -> Membership | None:
    """With its user and tenant."""
    return session.scalar(
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user), joinedload(Membership.tenant))
        .where(Membership.tenant_id == tenant_id, User.email == email.strip().lower())
    )


def get_place(session: Session, email: str, tenant_id: int) -> Membership:
    membership = find_place(session, email, tenant_id)
    if membership is None:
        raise NotFound(f"{email!r} is not a user of this tenant. Check the address and the tenant.")
    return membership


def is_last_owner(session: Session, membership: Membership) -> bool:
    """Whether the tenant would have no owner without this place. Inside `changing_places`."""
    others = select(func.count()).where(
        Membership.tenant_id == membership.tenant_id,
        Membership.role == Role.OWNER,
        Membership.id != membership.id,
        IS_OPEN,
    )
    return membership.role == Role.OWNER and not session.scalar(others)


def withdraw_invitations(session: Session, membership: Membership) -> None:
    """Who may invite nobody any more has no links left, perhaps for another address of theirs."""
    session.execute(
        delete(Invitation).where(
            Invitation.tenant_id == membership.tenant_id,
            Invitation.invited_by == membership.user_id,
        )
    )


@contextmanager
def changing_places(tenant: str) -> Iterator[tuple[Session, int]]:
    """A transaction on the tenant's places, one at a time. Raises Refused, and changes nothing,
    when it would leave a tenant that had an owner without one."""
    tenant_id = get_tenant(tenant).id
    with all_tenants(), transaction() as session:
        only = select(Tenant.id).where(Tenant.id == tenant_id)
        session.execute(only.with_for_update(key_share=True))
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
        Membership.tenant_id == tenant_id, Membership.role == Role.OWNER, IS_OPEN
    )
    return bool(session.scalar(owners))
