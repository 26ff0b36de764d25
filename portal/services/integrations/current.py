"""The integration of the tenant in scope, and the way from it to its Tactical server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ScalarSelect, select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import NotFound, Refused
from portal.models import Integration
from portal.models.integrations.integration import AuthMode, IntegrationState
from portal.providers import TACTICAL_RMM
from portal.scope import get_tenant_id, tenant_scope
from portal.services.application import get_app
from portal.services.integrations.ended_sign_ins import add_ended
from portal.services.integrations.networks import get_door
from portal.tactical.api import Tactical
from portal.tactical.http.session import ApiKey, Credentials, Password, TacticalSession
from portal.vault import (
    find_secret,
    forget_secrets,
    list_change_times,
    list_last_fours,
    store_secret,
)

NOT_READY = {
    IntegrationState.UNTESTED: (
        "The connection to {name} has not passed a test yet. Run the connection test first."
    ),
    IntegrationState.HELD: (
        "The {name} server no longer lists the organizations and agents that the portal knows. "
        "First confirm whether it is the same server, moved, or a new one."
    ),
    IntegrationState.DISCONNECTED: "{name} is disconnected. Reconnect it first.",
}


def find_integration(provider: str = TACTICAL_RMM.slug) -> Integration | None:
    return db.session.scalar(
        select(Integration).where(
            Integration.provider == provider, Integration.set_aside_at.is_(None)
        )
    )


def integration_id() -> ScalarSelect[int]:
    """Of the scope's tenant, in SQL: for what looks at the rows of the connected server."""
    return (
        select(Integration.id)
        .where(Integration.provider == TACTICAL_RMM.slug, Integration.set_aside_at.is_(None))
        .scalar_subquery()
    )


def get_integration(provider: str = TACTICAL_RMM.slug) -> Integration:
    integration = find_integration(provider)
    if integration is None:
        raise NotFound(f"{TACTICAL_RMM.name} is not connected yet. Connect it first.")
    return integration


def get_active_integration(provider: str = TACTICAL_RMM.slug) -> Integration:
    """The integration, if it may sync. Raises Refused, saying what to do first."""
    integration = find_integration(provider)
    if integration is None:
        raise Refused(f"{TACTICAL_RMM.name} is not connected yet. Connect it first.")
    check_active(integration)
    return integration


def check_active(integration: Integration) -> None:
    """Raises Refused, saying what to do first."""
    if integration.state is not IntegrationState.ACTIVE:
        raise Refused(NOT_READY[integration.state].format(name=TACTICAL_RMM.name))


@contextmanager
def open_tactical(integration: Integration, hurry: bool = False) -> Iterator[Tactical]:
    """The server's API with the stored credentials. `hurry` is for a person who waits.

    A token that Tactical gives is stored as soon as it is there, so that other processes
    use it too. Raises SecretUnreadable, and on use the errors of `portal.tactical`.
    """
    session = TacticalSession(
        integration.base_url,
        _credentials(integration),
        get_door(),
        interactive=hurry,
        **_token_care(integration),
    )
    yield Tactical(session)


def list_saved_secrets(integration: Integration) -> dict[str, str]:
    """Field to last four characters, which may be none, for each secret that is stored."""
    return list_last_fours(integration)


def note_error(integration_id: int, message: str | None, agents: int | None = None) -> None:
    """What the status panel shows as the last error; None when the last contact went well.

    Not for what may be wrong with one record alone. `agents` is how many a look at the whole
    fleet found, if it was one: the next tick fits the interval of sweeps to it.
    """
    with transaction() as session:
        integration = session.get_one(Integration, integration_id)
        integration.last_error = message
        integration.last_error_at = utc_now() if message else None
        if agents is not None:
            integration.found_agents = agents


def _credentials(integration: Integration) -> Credentials:
    if integration.auth_mode is AuthMode.API_KEY:
        return ApiKey(find_secret(integration, "api_key") or "")
    return Password(
        username=integration.username,
        password=find_secret(integration, "password") or "",
        totp_secret=find_secret(integration, "totp_secret"),
        totp_code=find_secret(integration, "totp_code"),
        token=find_secret(integration, "knox_token"),
    )


def identify_connection(integration: Integration) -> tuple[object, ...]:
    """What a test, or a sign-in, is of: another address or credential needs another one."""
    stored = list_change_times(integration)
    credentials = {field: stored.get(field) for field in ("api_key", "password", "totp_secret")}
    is_disconnected = integration.state is IntegrationState.DISCONNECTED
    return (
        integration.base_url,
        integration.auth_mode,
        integration.username,
        is_disconnected,
        credentials,
    )


def _token_care(integration: Integration) -> dict[str, Any]:
    """What stores and finds the tokens of a sign-in; an API key needs neither."""
    if integration.auth_mode is AuthMode.API_KEY:
        return {}
    opened = identify_connection(integration)
    return {
        "on_token": _token_keeper(integration, opened),
        "find_token": _token_finder(integration, opened),
    }


def _token_keeper(
    integration: Integration, opened: tuple[object, ...]
) -> Callable[[str | None], None]:
    """Stores or forgets the token. It may be called from a thread of the session's own.

    Once the connection is another one, a token of the old is not its: it is ended instead.
    """
    app, tenant_id, integration_id = get_app(), get_tenant_id(), integration.id
    base_url = integration.base_url

    def keep(token: str | None) -> None:
        with app.app_context(), tenant_scope(tenant_id), transaction() as session:
            integration = session.get_one(Integration, integration_id)
            if identify_connection(integration) != opened:
                if token is not None:
                    add_ended(session, integration_id, base_url, token)
            elif token is None:
                forget_secrets(session, integration, "knox_token")
            else:
                store_secret(session, integration, "knox_token", token)
                # A one-time code is spent by the login that gave this token.
                forget_secrets(session, integration, "totp_code")

    return keep


def _token_finder(integration: Integration, opened: tuple[object, ...]) -> Callable[[], str | None]:
    """Finds none once the connection is another one: its token is not for the old server."""
    app, tenant_id, integration_id = get_app(), get_tenant_id(), integration.id

    def find() -> str | None:
        with app.app_context(), tenant_scope(tenant_id):
            integration = db.session.get_one(Integration, integration_id)
            if identify_connection(integration) != opened:
                return None
            return find_secret(integration, "knox_token")

    return find
