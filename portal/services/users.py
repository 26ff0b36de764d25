"""Users and their places in tenants."""

from __future__ import annotations

import re

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, contains_eager

from portal.db import db, transaction
from portal.errors import InvalidInput, PortalError
from portal.models import Membership, Tenant, User, UserSession
from portal.scope import all_tenants
from portal.services.devices import find_device, issue_device
from portal.services.passwords import hash_new_password, password_matches
from portal.services.permissions import ROLES
from portal.services.tenants import get_tenant
from portal.services.throttle import Caller, attempt

EMAIL_PATTERN = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def add_user(email: str, password: str, tenant: str, role: str) -> User:
    """Give `email` a role in the tenant (slug or id), making the user if new.

    The password of a user who exists already is left alone, and the role replaced.
    Raises InvalidInput and NotFound.
    """
    email = clean_email(email)
    if role not in ROLES:
        raise InvalidInput(f"The role must be one of: {', '.join(ROLES)}.", field="role")
    tenant_id = get_tenant(tenant).id
    with all_tenants(), transaction() as session:
        user = find_or_add_user(session, email, password)
        membership = session.scalar(
            select(Membership).filter_by(user_id=user.id, tenant_id=tenant_id)
        )
        if membership is None:
            membership = Membership(user_id=user.id, tenant_id=tenant_id)
            session.add(membership)
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


def any_user_exists() -> bool:
    return bool(db.session.scalar(select(exists().where(User.id.is_not(None)))))


def list_memberships(user_id: int) -> list[Membership]:
    """The user's places, with their tenants, by tenant name; detached, so that they stay as they
    were read whatever becomes of the transaction."""
    with all_tenants():
        found = db.session.scalars(
            select(Membership)
            .join(Membership.tenant)
            .options(contains_eager(Membership.tenant))
            .where(Membership.user_id == user_id)
            .order_by(Tenant.name, Tenant.id)
        ).all()
    for membership in found:
        db.session.expunge(membership.tenant)
        db.session.expunge(membership)
    return list(found)


def change_password(user_id: int, old: str, new: str, keep_session: str, caller: Caller) -> str:
    """Signs every other browser of the user out; the word that this device keeps from now on.

    Raises InvalidInput and TooManyAttempts.
    """
    problem = InvalidInput("This is not your present password.", field="old_password")
    user = check_present_password(user_id, old, caller, problem)
    new_hash = hash_new_password(new, user.email)
    with transaction() as session:
        user = session.get_one(User, user_id)
        user.password_hash = new_hash
        for other in session.scalars(select(UserSession).filter_by(user_id=user_id)):
            if other.token_digest != keep_session:
                session.delete(other)
    return issue_device(user)


def check_present_password(
    user_id: int, password: str, caller: Caller, problem: PortalError
) -> User:
    """The user, who has just proved to be that one. Raises `problem` and TooManyAttempts."""
    user = db.session.get_one(User, user_id)
    with attempt(caller, user.email, find_device(user, caller.device)):
        if not password_matches(user.password_hash, password):
            raise problem
    return user
