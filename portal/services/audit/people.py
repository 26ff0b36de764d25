"""What is recorded of a person as such: in the chain of each tenant where they have a place."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy import select

from portal.db import db, transaction
from portal.models import Membership, User
from portal.models.audit.entry import ActorKind
from portal.scope import all_tenants
from portal.services.audit.actions import Action
from portal.services.audit.actor import Actor, current_actor
from portal.services.audit.chain import Chain
from portal.services.audit.record import Target, record_in
from portal.services.audit.values import Values

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def as_user(user: User) -> Actor:
    """Who acts, from now on known to be this user."""
    return replace(current_actor(), kind=ActorKind.USER, name=user.email, user_id=user.id)


def record_of_user(
    action: Action,
    user: User,
    before: Values | None = None,
    after: Values | None = None,
    actor: Actor | None = None,
) -> None:
    """Inside the transaction of the change."""
    who = Target("user", user.id, user.email)
    record_in(_chains_of(user.id), action, who, before, after, actor=actor)


def record_of_place(
    action: Action,
    tenant_id: int,
    user: User,
    before: Values | None = None,
    after: Values | None = None,
) -> None:
    """Of their place in one tenant. Inside the transaction of the change."""
    record_in([tenant_id], action, Target("user", user.id, user.email), before, after)


def record_failure(user: User | None, typed: str) -> None:
    """A sign-in that failed. What was typed in place of an address may be a password."""
    name = typed if _ADDRESS.fullmatch(typed) else "(no email address)"
    user_id = user.id if user else None
    with transaction():
        who = Target("user", user_id or "", name)
        record_in(_chains_of(user_id), Action.SIGN_IN_FAILED, who)


def record_refusal(user: User) -> None:
    """Somebody was asked for the password again, or for a second factor, and gave a wrong one."""
    with transaction():
        record_of_user(Action.PASSWORD_REFUSED, user)


def _chains_of(user_id: int | None) -> list[Chain]:
    """Of the places that are open to somebody, else of those that were shut; that of the install
    for who has none. Asked for in any case, so that an unknown address takes no less time."""
    places = select(Membership.tenant_id, Membership.disabled_at)
    with all_tenants():
        found = db.session.execute(places.where(Membership.user_id == (user_id or 0))).all()
    is_open: list[Chain] = [row.tenant_id for row in found if row.disabled_at is None]
    return is_open or [row.tenant_id for row in found] or [None]
