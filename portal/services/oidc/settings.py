"""The identity provider of the scope's tenant: shown, saved, switched off."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound
from portal.models import Membership, OidcProvider, Tenant, UserSession
from portal.scope import get_tenant_id
from portal.services.accounts.permissions import Role
from portal.services.accounts.second_factors.status import select_having
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import differing
from portal.services.oidc.entered import SECRET, ProviderSettings, clean
from portal.vault import list_last_fours, store_secret


def find_provider() -> OidcProvider | None:
    """Whether or not it is switched on."""
    query = select(OidcProvider).execution_options(populate_existing=True)
    return db.session.scalars(query).one_or_none()


def get_provider() -> OidcProvider:
    """Raises NotFound."""
    provider = find_provider()
    if provider is None:
        raise NotFound("This tenant has no identity provider. Enter one first.")
    return provider


def has_secret(provider: OidcProvider) -> bool:
    return SECRET in list_last_fours(provider)


def get_tenant_row() -> Tenant:
    return db.session.get_one(Tenant, get_tenant_id())


def read_settings() -> ProviderSettings:
    """As they are saved, without the secret; empty ones where nothing is."""
    provider = find_provider()
    if provider is None:
        return ProviderSettings("", "")
    return ProviderSettings(
        issuer=provider.issuer,
        client_id=provider.client_id,
        scopes=provider.scopes,
        groups_claim=provider.groups_claim,
        group_roles=dict(provider.group_roles),
        default_role=provider.default_role or "",
        second_factor_words=provider.second_factor_words,
        required=get_tenant_row().sso_since is not None,
    )


def save_provider(wanted: ProviderSettings) -> OidcProvider:
    """Save it and switch it on. Where it leads elsewhere now, nobody signs in by it before a test
    has passed, and whom the earlier one signed in is signed out. Raises InvalidInput."""
    wanted = clean(wanted)
    with transaction() as session:
        tenant = session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        provider, before = find_provider(), _describe(read_settings())
        moved = provider is None or _leads_to(provider) != (wanted.issuer, wanted.client_id)
        if provider is None:
            provider = OidcProvider()
            session.add(provider)
        if moved and tenant.sso_since is not None:
            raise InvalidInput(
                "While signing in with the provider is required, it cannot be replaced, or nobody "
                "could sign in. Save without the requirement first.",
                field="issuer" if provider.issuer != wanted.issuer else "client_id",
            )
        _fill(provider, wanted)
        session.flush()
        if moved:
            _forget_what_was_learnt(session, provider)
        if wanted.client_secret:
            store_secret(session, provider, SECRET, wanted.client_secret)
        elif not has_secret(provider):
            raise InvalidInput("Enter the client secret.", field=SECRET)
        _require(session, tenant, provider, wanted.required)
        was, became = differing(before, _describe(wanted))
        if wanted.client_secret:
            became[SECRET] = wanted.client_secret  # of which the trail keeps that it changed
        record(Action.OIDC_SAVED, target(provider), was, became)
    return provider


def switch_off() -> OidcProvider:
    """Nobody signs in by it, or has to, from the next request on; the settings stay.

    Raises NotFound.
    """
    with transaction() as session:
        provider = get_provider()
        tenant = session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        before = {"enabled": provider.enabled, "required": tenant.sso_since is not None}
        provider.enabled, tenant.sso_since = False, None
        end_provider_sessions(session)
        record(
            Action.OIDC_SWITCHED_OFF,
            target(provider),
            before,
            {"enabled": False, "required": False},
        )
    return provider


def target(provider: OidcProvider) -> Target:
    return Target("identity provider", provider.id, provider.issuer)


def end_provider_sessions(session: Session) -> None:
    """Those that the tenant's provider opened."""
    session.execute(delete(UserSession).where(UserSession.provider_of == get_tenant_id()))


def _leads_to(provider: OidcProvider) -> tuple[str, str]:
    return provider.issuer, provider.client_id


def _fill(provider: OidcProvider, wanted: ProviderSettings) -> None:
    provider.enabled = True
    provider.issuer, provider.client_id = wanted.issuer, wanted.client_id
    provider.scopes, provider.groups_claim = wanted.scopes, wanted.groups_claim
    provider.group_roles = dict(wanted.group_roles)
    provider.default_role = wanted.default_role or None
    provider.second_factor_words = wanted.second_factor_words


def _forget_what_was_learnt(session: Session, provider: OidcProvider) -> None:
    provider.endpoints, provider.endpoints_at = None, None
    provider.keys, provider.keys_at = None, None
    provider.problem, provider.tested_at = None, None
    end_provider_sessions(session)


def _require(session: Session, tenant: Tenant, provider: OidcProvider, required: bool) -> None:
    """Raises InvalidInput where it would lock everybody out."""
    if not required or tenant.sso_since is not None:
        tenant.sso_since = tenant.sso_since if required else None
        return
    if provider.endpoints is None or provider.problem is not None:
        raise InvalidInput(
            "Save the provider and let its test pass before you require it.", field="required"
        )
    if not _has_owner_with_factor(session):
        raise InvalidInput(
            "No owner has a second factor, so nobody could get in if the provider failed. Set one "
            "up under Account first.",
            field="required",
        )
    tenant.sso_since = utc_now()


def _has_owner_with_factor(session: Session) -> bool:
    owners = session.scalars(
        select(Membership.user_id).where(
            Membership.role == Role.OWNER, Membership.disabled_at.is_(None)
        )
    ).all()
    return bool(session.scalar(select(select_having(*owners).exists()))) if owners else False


def _describe(settings: ProviderSettings) -> dict[str, object]:
    """For the audit trail."""
    return {
        "issuer": settings.issuer,
        "client_id": settings.client_id,
        "scopes": settings.scopes,
        "groups_claim": settings.groups_claim,
        "group_roles": dict(settings.group_roles),
        "default_role": settings.default_role,
        "second_factor_words": settings.second_factor_words,
        "required": settings.required,
    }
