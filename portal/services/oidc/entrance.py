"""The way to a tenant's identity provider, and the way past it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, contains_eager

from portal.clock import utc_now
from portal.db import changed_one, db
from portal.errors import InvalidInput, Refused
from portal.models import (
    Authenticator,
    Membership,
    OidcIdentity,
    OidcProvider,
    Passkey,
    Tenant,
    UserSession,
)
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts.permissions import Role
from portal.services.accounts.places import IS_OPEN
from portal.services.accounts.second_factors.proof import Proof, proven
from portal.services.accounts.throttle import Caller
from portal.services.audit.actions import Action
from portal.services.audit.people import as_user
from portal.services.audit.record import Target, record_in
from portal.services.oidc.settings import find_provider

FACTOR_AGE = timedelta(days=7)
NOTICE_FOR = timedelta(days=7)


class NotOffered(Refused):
    """The same for a tenant without a provider and for one that does not exist."""

    def __init__(self) -> None:
        super().__init__(
            "There is no sign-in with a company under this short name. Check it with whoever gave "
            "it to you, or sign in with your password."
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """A tenant in whose provider one of the user's places can be linked; `since`: linked."""

    tenant: Tenant
    since: datetime | None


@contextmanager
def entrance(slug: str) -> Iterator[OidcProvider]:
    """Run the block in the tenant's scope, with its provider. Raises NotOffered."""
    tenant_id = db.session.scalar(select(Tenant.id).where(Tenant.slug == slug))
    if tenant_id is None:
        raise NotOffered
    with tenant_scope(tenant_id):
        provider = find_provider()
        if provider is None or not provider.enabled or provider.endpoints is None:
            raise NotOffered
        yield provider


def is_offered(slug: str) -> bool:
    """For whoever has an invitation into the tenant."""
    try:
        with entrance(slug):
            return True
    except NotOffered:
        return False


def list_offers(user_id: int) -> list[Offer]:
    """Of the places that are open to the user, by name of the tenant."""
    with all_tenants():
        rows = db.session.execute(
            select(Membership, OidcIdentity.created_at)
            .join(Membership.tenant)
            .join(OidcProvider, OidcProvider.tenant_id == Membership.tenant_id)
            .outerjoin(
                OidcIdentity,
                (OidcIdentity.membership_id == Membership.id)
                & (OidcIdentity.issuer == OidcProvider.issuer),
            )
            .options(contains_eager(Membership.tenant))
            .where(Membership.user_id == user_id, IS_OPEN, OidcProvider.enabled)
            .where(OidcProvider.endpoints_at.is_not(None))
            .order_by(Tenant.name, Tenant.id)
        ).all()
        return [Offer(place.tenant, since) for place, since in rows]


# --- Past it ----------------------------------------------------------------------------


def may_enter_without(place: Membership) -> bool:
    return place.role == Role.OWNER


def enter_without(place: Membership, token_digest: str, proof: Proof, caller: Caller) -> None:
    """Let this session of an owner into the tenant, which requires its provider. Written down,
    and told to the other owners. Raises Refused, InvalidInput and TooManyAttempts."""
    if not may_enter_without(place):
        raise Refused("Only owners can enter without the identity provider.")
    entered = (
        update(UserSession)
        .where(UserSession.token_digest == token_digest, UserSession.user_id == place.user_id)
        .values(entered=place.tenant_id)
    )
    with all_tenants(), proven(place.user_id, proof, caller) as (session, user):
        _check_factor(session, place)
        if not changed_one(session, entered):
            raise InvalidInput("You were signed out meanwhile. Sign in again.")
        session.execute(
            update(OidcProvider)
            .where(OidcProvider.tenant_id == place.tenant_id)
            .values(entered_at=utc_now(), entered_by=user.email)
            .execution_options(synchronize_session=False)
        )
        who = Target("user", user.id, user.email)
        record_in([place.tenant_id], Action.OIDC_ENTERED, who, actor=as_user(user))


def find_recent_entry() -> OidcProvider | None:
    """The scope's provider, if an owner entered without it in the last days: to be told of."""
    provider = find_provider()
    entered_at = provider.entered_at if provider else None
    return provider if entered_at and utc_now() - entered_at < NOTICE_FOR else None


def _check_factor(session: Session, place: Membership) -> None:
    """Raises Refused where the second factor could have been set up by whoever has the password
    alone, in order to get past the provider."""
    apps = select(func.min(Authenticator.confirmed_at)).where(
        Authenticator.user_id == place.user_id, Authenticator.confirmed_at.is_not(None)
    )
    keys = select(func.min(Passkey.created_at)).where(Passkey.user_id == place.user_id)
    found = [each for each in (session.scalar(apps), session.scalar(keys)) if each is not None]
    required_since = place.tenant.sso_since or utc_now()
    if not found or min(found) > max(required_since, utc_now() - FACTOR_AGE):
        raise Refused(
            "This takes a second factor that you set up before the provider was required, or at "
            "least seven days ago. The operator of the portal can switch the provider off with "
            "`portal oidc off`."
        )
