"""Users and their places in tenants."""

from __future__ import annotations

import re

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, contains_eager, with_expression

from portal.clock import utc_now
from portal.db import db
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Membership, PasswordReset, Tenant, User
from portal.scope import all_tenants
from portal.services.accounts.limits import select_client_ids
from portal.services.accounts.passwords import hash_new_password
from portal.services.accounts.permissions import LIMITABLE, Permission, role_allows
from portal.services.accounts.places import (
    IS_OPEN,
    add_place,
    changing_places,
    check_role,
    find_place,
    get_place,
    is_shut_out,
    withdraw_invitations,
)
from portal.services.accounts.sign_in import end_sessions, end_sessions_in
from portal.services.audit.actions import Action
from portal.services.audit.people import record_of_place
from portal.services.conflicts.listing import needs_person_count
from portal.services.integrations.codes import is_code_wanted
from portal.services.saved_views.listing import select_links

EMAIL_PATTERN = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def add_user(email: str, password: str, tenant: str, role: str) -> User:
    """Give `email` a role in the tenant (slug or id), making the user if new.

    The password of a user who exists already is left alone, and the role replaced.
    Raises InvalidInput, NotFound, and Refused for a place that is disabled.
    """
    email, role = clean_email(email), check_role(role)
    with changing_places(tenant) as (session, tenant_id):
        user = find_or_add_user(session, email, password)
        membership = find_place(session, email, tenant_id)
        if membership is None:
            add_place(session, user.id, tenant_id, role)
            before = None
        elif membership.disabled_at is not None:
            raise Refused(f"{email} is disabled in this tenant. Enable the user first.")
        else:
            before = {"role": membership.role}
            set_role(session, membership, role)
        record_of_place(Action.USER_ADDED, tenant_id, user, before, {"role": role})
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
                with_expression(Membership.client_ids, select_client_ids()),
                with_expression(Membership.views, select_links()),
            )
            .where(Membership.user_id == user_id, IS_OPEN)
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


def get_member(user_id: int) -> Membership:
    """The user's place in the scope's tenant, with the user. Raises NotFound."""
    membership = db.session.scalar(
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user))
        .where(Membership.user_id == user_id)
    )
    if membership is None:
        raise NotFound("This user is not in this tenant any more.")
    return membership


def change_role(email: str, tenant: str, role: str) -> Membership:
    """The user signs in anew to have it. Raises InvalidInput, NotFound, Refused."""
    role = check_role(role)
    with changing_places(tenant) as (session, tenant_id):
        membership = get_place(session, email, tenant_id)
        before = {"role": membership.role}
        set_role(session, membership, role)
        record_of_place(
            Action.USER_ROLE_CHANGED, tenant_id, membership.user, before, {"role": role}
        )
    return membership


def disable_user(email: str, tenant: str) -> Membership:
    """Close the user's place in the tenant, which keeps its role, and sign the user out.

    Raises NotFound, and Refused for the last owner.
    """
    with changing_places(tenant) as (session, tenant_id):
        membership = get_place(session, email, tenant_id)
        before = {"active": membership.disabled_at is None}
        membership.disabled_at = membership.disabled_at or utc_now()
        withdraw_invitations(session, membership)
        session.flush()
        end_sessions(session, membership.user_id)
        if is_shut_out(membership.user_id):
            session.execute(
                delete(PasswordReset).where(PasswordReset.user_id == membership.user_id)
            )
        record_of_place(Action.USER_DISABLED, tenant_id, membership.user, before, {"active": False})
    return membership


def enable_user(email: str, tenant: str) -> Membership:
    """Raises NotFound."""
    with changing_places(tenant) as (session, tenant_id):
        membership = get_place(session, email, tenant_id)
        before = {"active": membership.disabled_at is None}
        membership.disabled_at = None
        record_of_place(Action.USER_ENABLED, tenant_id, membership.user, before, {"active": True})
    return membership


def remove_user(email: str, tenant: str) -> bool:
    """Take the user's place in the tenant away; True when the user, who had no other, is gone.

    Raises NotFound, and Refused for the last owner.
    """
    with changing_places(tenant) as (session, tenant_id):
        membership = get_place(session, email, tenant_id)
        before = {"role": membership.role}
        record_of_place(Action.USER_REMOVED, tenant_id, membership.user, before)
        user_id = membership.user_id
        withdraw_invitations(session, membership)
        end_sessions_in(session, user_id, tenant_id)
        session.execute(
            delete(Membership).where(
                Membership.user_id == user_id, Membership.tenant_id == tenant_id
            )
        )
        is_gone = not session.scalar(select(exists().where(Membership.user_id == user_id)))
        if is_gone:
            session.execute(delete(User).where(User.id == user_id))
    return is_gone


def leave_tenant(user_id: int, tenant: str) -> None:
    """Raises NotFound, and Refused for the only tenant and for the last owner."""
    with all_tenants():
        places = db.session.scalars(
            select(Membership.tenant_id).where(Membership.user_id == user_id, IS_OPEN)
        ).all()
    if len(places) < 2:
        raise Refused(
            "This is your only tenant: without it you could not sign in. Ask an owner to remove "
            "you instead."
        )
    remove_user(db.session.get_one(User, user_id).email, tenant)


def set_role(session: Session, membership: Membership, role: str) -> None:
    """Inside `changing_places`. Ends the user's sessions, where it is another role."""
    if membership.role == role:
        return
    if membership.limited and role not in LIMITABLE:
        raise Refused(
            f"This user is limited to some clients, and an {role} sees all. Let the user see all "
            "clients first."
        )
    membership.role = role
    end_sessions(session, membership.user_id)
    if not role_allows(role, Permission.MANAGE_USERS):
        withdraw_invitations(session, membership)
