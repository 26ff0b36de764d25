"""Whom the provider means by a subject: linked, unlinked, listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from portal.db import db, transaction
from portal.errors import NotFound
from portal.models import Membership, OidcIdentity, Tenant, User, UserSession
from portal.scope import get_tenant_id
from portal.services.accounts.users import list_members
from portal.services.audit.actions import Action
from portal.services.audit.people import record_of_place
from portal.services.oidc.groups import NoAccess


@dataclass(frozen=True, slots=True)
class Linked:
    """A place of the tenant that is not disabled; `since` None: not linked."""

    user_id: int
    email: str
    role: str
    since: datetime | None
    last_used_at: datetime | None


def list_people(issuer: str) -> list[Linked]:
    """By address; links to other issuers count as none."""
    found = db.session.scalars(select(OidcIdentity).where(OidcIdentity.issuer == issuer)).all()
    links = {identity.membership_id: identity for identity in found}
    people = []
    for place in list_members():
        link = links.get(place.id)
        if place.disabled_at is None:
            times = (link.created_at, link.last_used_at) if link else (None, None)
            people.append(Linked(place.user_id, place.user.email, place.role, *times))
    return people


def find_link(session: Session, tenant_id: int, issuer: str, subject: str) -> OidcIdentity | None:
    """With place and user."""
    return session.scalar(
        select(OidcIdentity)
        .options(joinedload(OidcIdentity.place).joinedload(Membership.user))
        .where(
            OidcIdentity.tenant_id == tenant_id,
            OidcIdentity.issuer == issuer,
            OidcIdentity.subject == subject,
        )
    )


def add_link(session: Session, place: Membership, issuer: str, subject: str) -> None:
    """In place of the one that the place had. Raises NoAccess for a subject who is another's."""
    found = find_link(session, place.tenant_id, issuer, subject)
    if found is not None and found.membership_id != place.id:
        raise NoAccess("this person of the provider is linked to another user of the tenant")
    session.execute(delete(OidcIdentity).where(OidcIdentity.membership_id == place.id))
    session.add(
        OidcIdentity(
            tenant_id=place.tenant_id, membership_id=place.id, issuer=issuer, subject=subject
        )
    )


def link(user_id: int, issuer: str, subject: str) -> None:
    """For a user who signed in here, and proved it not long ago. Raises NoAccess."""
    with transaction() as session:
        # One at a time: two could take the same subject.
        session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        place = session.scalar(select(Membership).where(Membership.user_id == user_id))
        if place is None or place.disabled_at is not None:
            raise NoAccess("they have no open place in this tenant")
        add_link(session, place, issuer, subject)
        session.flush()
        user = session.get_one(User, user_id)
        after = {"issuer": issuer, "subject": subject}
        record_of_place(Action.OIDC_LINKED, place.tenant_id, user, after=after)


def unlink(user_id: int) -> str:
    """Whose link it was, by address. Their sessions of the provider end. Raises NotFound."""
    with transaction() as session:
        found = session.scalar(
            select(OidcIdentity)
            .join(OidcIdentity.place)
            .options(joinedload(OidcIdentity.place).joinedload(Membership.user))
            .where(Membership.user_id == user_id)
        )
        if found is None:
            raise NotFound("This user is not linked to the identity provider.")
        user = found.place.user
        before = {"issuer": found.issuer, "subject": found.subject}
        session.delete(found)
        session.execute(
            delete(UserSession).where(
                UserSession.user_id == user_id, UserSession.provider_of == found.tenant_id
            )
        )
        record_of_place(Action.OIDC_UNLINKED, found.tenant_id, user, before)
    return user.email
