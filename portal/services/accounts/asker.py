"""Whoever asked a worker for what takes minutes: it is done in their name, of what they see and as
long as they may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from portal.db import db
from portal.errors import PermissionDenied
from portal.models import Membership
from portal.models.audit.entry import ActorKind
from portal.scope import known_by, limited_to
from portal.services.accounts.limits import read_limit
from portal.services.accounts.permissions import Permission, role_allows
from portal.services.accounts.places import IS_OPEN
from portal.services.audit.actor import Actor, acting_as

NOT_ANY_MORE = "Whoever asked for it may not do this any more."


@contextmanager
def acting_for(wanted: Mapping[str, Any]) -> Iterator[None]:
    """Run the block as whoever asked for the errand. Raises as `find_place_that_may`."""
    by = wanted.get("by")
    if by is None:  # it was asked for before errands knew by whom
        yield
        return
    actor = Actor(**by | {"kind": ActorKind(by["kind"])})
    with ExitStack() as entered:
        if actor.user_id is not None:
            place = find_place_that_may(actor.user_id, Permission.ACT_ON_ALERTS)
            entered.enter_context(limited_to(read_limit(place)))
            entered.enter_context(known_by(place.user.email))
        entered.enter_context(acting_as(actor))
        yield


def find_place_that_may(user_id: int | None, permission: Permission) -> Membership:
    """Raises PermissionDenied for a person whose place is gone or closed by now, or whose role does
    not allow it any more, and for none: it is a person who is no more."""
    query = select(Membership).join(Membership.user).options(contains_eager(Membership.user))
    place = db.session.scalar(
        query.where(Membership.user_id == user_id, IS_OPEN).execution_options(
            populate_existing=True
        )
    )
    if place is None or not role_allows(place.role, permission, limited=place.limited):
        raise PermissionDenied(NOT_ANY_MORE)
    return place
