"""What comes of somebody whom the identity provider named: signed in, joined, linked, proved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import changed_one, transaction
from portal.models import Invitation, Membership, OidcFlow, User, UserSession
from portal.scope import Clients, get_tenant_id
from portal.services.accounts.invitations import record_accepted
from portal.services.accounts.limits import hand_limit, read_limit
from portal.services.accounts.passwords import hash_password
from portal.services.accounts.permissions import LIMITABLE
from portal.services.accounts.places import add_place, changing_places, is_last_owner
from portal.services.accounts.second_factors.status import lock_user
from portal.services.accounts.sign_in import add_session
from portal.services.accounts.throttle import Caller
from portal.services.accounts.tokens import digest, new_token
from portal.services.accounts.users import set_role
from portal.services.audit.actions import Action
from portal.services.audit.people import as_user, record_of_place
from portal.services.audit.record import Target, record_in
from portal.services.oidc import people
from portal.services.oidc.groups import NoAccess, find_role
from portal.services.oidc.people import add_link, find_link
from portal.services.oidc.settings import get_provider
from portal.services.oidc.strength import check_strength
from portal.services.oidc.tokens import LEEWAY, TokenRefused

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who was signed in when the browser came back. `provider_of`: see UserSession."""

    user_id: int | None = None
    session_digest: str = ""
    provider_of: int | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` of the session; `next`: the page that was wanted."""

    token: str
    next: str


@dataclass(frozen=True, slots=True)
class LinkedNow:
    pass


@dataclass(frozen=True, slots=True)
class Proved:
    """`token` of the session from now on."""

    token: str


Arrival = SignedIn | LinkedNow | Proved


def sign_in(flow: OidcFlow, claims: Claims, caller: Caller) -> SignedIn:
    """Somebody who is linked, in the role that their groups give. Raises NoAccess."""
    tenant_id, role = get_tenant_id(), find_role(get_provider(), claims)
    with changing_places(str(tenant_id)) as (session, _):
        linked = find_link(session, tenant_id, flow.issuer, claims["sub"])
        if linked is None:
            raise NoAccess(f"nobody here is linked to the subject {claims['sub']}")
        if linked.place.disabled_at is not None:
            raise NoAccess(f"{linked.place.user.email} is disabled")
        lock_user(session, linked.place.user_id)
        kept = _follow_groups(session, linked.place, role)
        check_strength(get_provider(), linked.place, claims)
        linked.last_used_at = utc_now()
        token = _open_session(session, linked.place, claims, caller, kept)
    return SignedIn(token, flow.next)


def join(flow: OidcFlow, claims: Claims, caller: Caller) -> SignedIn:
    """Somebody new, with the invitation that the browser brought: the user has no password, and
    signs in by the provider. Raises NoAccess."""
    tenant_id, role = get_tenant_id(), find_role(get_provider(), claims)
    nobodys = hash_password(new_token())
    with changing_places(str(tenant_id)) as (session, _):
        invitation, limit = _take_invitation(session, tenant_id, flow.invitation_id)
        role = role or invitation.role
        if limit is not None and role not in LIMITABLE:
            raise NoAccess(f"the invitation is limited to some clients, and an {role} sees all")
        user = User(email=invitation.email, password_hash=nobodys)
        session.add(user)
        session.flush()
        place = add_place(session, user.id, tenant_id, role)
        check_strength(get_provider(), place, claims)
        hand_limit(session, place, limit)
        add_link(session, place, flow.issuer, claims["sub"])
        invitation.role = role
        record_accepted(tenant_id, user, invitation)
        token = _open_session(session, place, claims, caller)
    return SignedIn(token, flow.next)


def link(flow: OidcFlow, claims: Claims, visitor: Visitor) -> LinkedNow:
    """The provider's person and the user who began, and is still signed in. Raises NoAccess."""
    if visitor.user_id is None or visitor.user_id != flow.user_id or visitor.provider_of:
        raise NoAccess("whoever began is not signed in any more")
    people.link(visitor.user_id, flow.issuer, claims["sub"])
    return LinkedNow()


def prove(flow: OidcFlow, claims: Claims, visitor: Visitor) -> Proved:
    """That it is still the person whom the provider signed in; the session gets a new token.

    Raises NoAccess, and TokenRefused where the provider did not ask them again.
    """
    tenant_id, token = get_tenant_id(), new_token()
    if visitor.user_id != flow.user_id or visitor.provider_of != tenant_id:
        raise NoAccess("whoever began is not signed in any more")
    asked_at = read_auth_time(claims)
    if asked_at is None:
        raise TokenRefused("it does not say when the person signed in there (auth_time)")
    if asked_at.timestamp() < flow.started_at.timestamp() - LEEWAY:
        raise TokenRefused("the person was not asked to sign in again")
    renewed = (
        update(UserSession)
        .where(UserSession.token_digest == visitor.session_digest)
        .values(token_digest=digest(token), proved_at=utc_now())
    )
    with transaction() as session:
        linked = find_link(session, tenant_id, flow.issuer, claims["sub"])
        if linked is None or linked.place.user_id != visitor.user_id:
            raise NoAccess("it is another person of the provider")
        check_strength(get_provider(), linked.place, claims)
        if not changed_one(session, renewed):
            raise NoAccess("whoever began is not signed in any more")
    return Proved(token)


def read_auth_time(claims: Claims) -> datetime | None:
    """When the person signed in at the provider, if it says so; never later than now."""
    told = claims.get("auth_time")
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    now = utc_now()
    if not 0 < told <= now.timestamp() + LEEWAY:
        return None
    return min(now, datetime.fromtimestamp(told, UTC))


def _follow_groups(session: Session, place: Membership, role: str | None) -> str | None:
    """Why the place keeps its role against the groups, if it does."""
    if role is None or role == place.role:
        return None
    if is_last_owner(session, place):
        return "the tenant has no other owner"
    if place.limited and role not in LIMITABLE:
        return f"they are limited to some clients, and an {role} sees all"
    before = {"role": place.role}
    set_role(session, place, role)
    after = {"role": role, "by": "groups of the identity provider"}
    record_of_place(Action.USER_ROLE_CHANGED, place.tenant_id, place.user, before, after)
    return None


def _open_session(
    session: Session, place: Membership, claims: Claims, caller: Caller, kept: str | None = None
) -> str:
    """One that opens this tenant alone. Fresh for changes only as the provider says that the
    person was there: it may have remembered them for weeks."""
    user = session.get_one(User, place.user_id)
    token = add_session(
        session,
        user,
        caller,
        proved_at=read_auth_time(claims),
        provider_of=place.tenant_id,
    )
    after: dict[str, Any] = {"by": "identity provider"}
    if kept is not None:
        after["role"] = f"{place.role}, against the groups: {kept}"
    who = Target("user", user.id, user.email)
    record_in([place.tenant_id], Action.SIGNED_IN, who, after=after, actor=as_user(user))
    return token


def _take_invitation(
    session: Session, tenant_id: int, invitation_id: int | None
) -> tuple[Invitation, Clients]:
    """Which is used up now, and what it is limited to. Raises NoAccess where there is none, and for
    somebody who has a user: with an account, one signs in to it and links it, so that nobody gets
    it by an address."""
    invitation = session.get(Invitation, invitation_id or 0, populate_existing=True)
    is_ours = invitation is not None and invitation.tenant_id == tenant_id
    if invitation is None or not is_ours or invitation.expires_at <= utc_now():
        raise NoAccess("the invitation is not valid any more")
    if session.scalar(select(User.id).where(User.email == invitation.email)) is not None:
        raise NoAccess(f"{invitation.email} has an account here, which is to be linked instead")
    limit = read_limit(invitation)
    session.expunge(invitation)
    if not changed_one(session, delete(Invitation).where(Invitation.id == invitation_id)):
        raise NoAccess("the invitation is not valid any more")
    return invitation, limit
