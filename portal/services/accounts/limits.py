"""Places, invitations and tokens of the API that are limited to some of the tenant's clients."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, String, cast, delete, func, select
from sqlalchemy.orm import Session

from portal.db import db
from portal.errors import InvalidInput, Refused
from portal.models import (
    ApiToken,
    ApiTokenClient,
    Client,
    Invitation,
    InvitationClient,
    Membership,
    MembershipClient,
)
from portal.models.organizations.client import name_key
from portal.scope import Clients, tenant_scope
from portal.services.accounts.permissions import LIMITABLE
from portal.services.accounts.places import changing_places, get_place
from portal.services.accounts.sign_in import end_sessions
from portal.services.accounts.tenants import get_tenant
from portal.services.audit.actions import Action
from portal.services.audit.people import record_of_place

Place = Membership | Invitation | ApiToken
_ROWS: dict[type, tuple[Any, Any]] = {
    Membership: (MembershipClient, MembershipClient.membership_id),
    Invitation: (InvitationClient, InvitationClient.invitation_id),
    ApiToken: (ApiTokenClient, ApiTokenClient.api_token_id),
}


@dataclass(frozen=True, slots=True)
class LimitedTo:
    """What a place is limited to, as people read it, without clients that were deleted."""

    ids: tuple[int, ...]
    names: tuple[str, ...]


def read_limit(place: Place) -> Clients:
    """The clients whose records the user may see, for the scope; None: all of the tenant."""
    if not place.limited:
        return None
    if isinstance(place, Membership) and place.client_ids:
        return frozenset(map(int, place.client_ids.split(",")))
    model, column = _rows_of(place)
    with tenant_scope(place.tenant_id):
        return frozenset(db.session.scalars(select(model.client_id).where(column == place.id)))


def select_client_ids() -> ScalarSelect[str]:
    """`Membership.client_ids`, in SQL: for a request that needs the limit of a place at once."""
    ids = func.aggregate_strings(cast(MembershipClient.client_id, String), ",")
    of_place = MembershipClient.membership_id == Membership.id
    return select(ids).where(of_place).correlate(Membership).scalar_subquery()


def list_limits(places: Iterable[Place]) -> dict[int, LimitedTo]:
    """Of those of the places that are limited, by the id of each: all of one kind, of the scope's
    tenant."""
    limited = [place for place in places if place.limited]
    if not limited:
        return {}
    model, column = _rows_of(limited[0])
    rows = db.session.execute(
        select(column, Client.id, Client.name)
        .join(Client, Client.id == model.client_id)
        .where(column.in_([place.id for place in limited]))
        .order_by(Client.name_key, Client.id)
    ).all()
    return {
        place.id: LimitedTo(
            tuple(row[1] for row in rows if row[0] == place.id),
            tuple(row[2] for row in rows if row[0] == place.id),
        )
        for place in limited
    }


def limit_user(email: str, tenant: str, client_ids: Collection[int] | None) -> Membership:
    """Let the user see the records of these clients alone; None: of all. The user signs in anew.

    Raises NotFound, InvalidInput for a client that is not the tenant's and for none, and Refused
    for a role that sees all.
    """
    with changing_places(tenant) as (session, tenant_id):
        membership = get_place(session, email, tenant_id)
        if client_ids is not None:
            check_limitable(membership.role)
        before = describe_limit(session, membership)
        set_limit(session, membership, client_ids)
        after = describe_limit(session, membership)
        if before != after:
            end_sessions(session, membership.user_id)
            change = {"clients": before}, {"clients": after}
            record_of_place(Action.USER_LIMITED, tenant_id, membership.user, *change)
    return membership


def set_limit(session: Session, place: Place, client_ids: Collection[int] | None) -> None:
    """In the caller's transaction, which the place is part of. Raises InvalidInput."""
    check_clients(client_ids)
    if hand_limit(session, place, client_ids) != set(client_ids or ()):
        raise InvalidInput(
            "One of these clients does not exist any more. Choose again.", field="clients"
        )


def hand_limit(session: Session, place: Place, client_ids: Collection[int] | None) -> set[int]:
    """As `set_limit`, of those of the clients that are still there; which these are. Without any,
    the place sees nothing."""
    model, column = _rows_of(place)
    here = select(Client.id).where(Client.tenant_id == place.tenant_id)
    there = here.where(Client.id.in_(client_ids or ())).with_for_update(key_share=True, read=True)
    left = set(session.scalars(there))
    place.limited = client_ids is not None
    of_place = delete(model).where(column == place.id)
    session.execute(of_place.execution_options(synchronize_session=False))
    owner = {"tenant_id": place.tenant_id, column.key: place.id}
    session.add_all([model(**owner, client_id=each) for each in sorted(left)])
    session.flush()
    return left


def check_clients(client_ids: Collection[int] | None) -> None:
    """Raises InvalidInput for a limit to nothing."""
    if client_ids is not None and not client_ids:
        raise InvalidInput("Choose at least one client, or all clients.", field="clients")


def check_limitable(role: str) -> None:
    """Raises Refused."""
    if role not in LIMITABLE:
        raise Refused(
            f"Only a {' or '.join(LIMITABLE)} can be limited to some clients: "
            f"an {role} answers for the whole tenant."
        )


def find_clients(tenant: str, names: Sequence[str]) -> list[int]:
    """The ids of the tenant's clients of these names. Raises NotFound for an unknown tenant, and
    InvalidInput for a name that is no client's."""
    with tenant_scope(get_tenant(tenant).id):
        rows = db.session.execute(select(Client.name_key, Client.id)).all()
    known = {row[0]: row[1] for row in rows}
    unknown = [name for name in names if name_key(name) not in known]
    if unknown:
        raise InvalidInput(
            f"There is no client named {unknown[0]} in this tenant. Check the name.",
            field="clients",
        )
    return [known[name_key(name)] for name in names]


def list_choices() -> list[tuple[int, str]]:
    """Every client of the scope's tenant, by name."""
    found = select(Client.id, Client.name).order_by(Client.name_key, Client.id)
    return [(row[0], row[1]) for row in db.session.execute(found)]


def describe_limit(session: Session, place: Place) -> str | list[str]:
    """For the audit trail: names, as they are now."""
    if not place.limited:
        return "all"
    model, column = _rows_of(place)
    names = select(Client.name).join(model, model.client_id == Client.id)
    return sorted(session.scalars(names.where(column == place.id)))


def _rows_of(place: Place) -> tuple[Any, Any]:
    """The model of its clients, and that model's column for the place."""
    return _ROWS[type(place)]
