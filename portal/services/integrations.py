"""The integration of the tenant in scope, and the way from it to its Tactical server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, current_app
from sqlalchemy import ScalarSelect, select

from portal.db import db, transaction, utc_now
from portal.egress import Door
from portal.errors import NotFound, Refused
from portal.models import Integration
from portal.models.integration import AuthMode, IntegrationState
from portal.providers import TACTICAL_RMM
from portal.scope import get_tenant_id, tenant_scope
from portal.tactical.api import Tactical
from portal.tactical.session import ApiKey, Credentials, Password, TacticalSession
from portal.vault import find_secret, forget_secrets, list_last_fours, store_secret

NOT_READY = {
    IntegrationState.UNTESTED: "The connection to {name} has not passed a test yet. Test it first.",
    IntegrationState.HELD: (
        "The {name} server lists other organizations and agents than before. Say first whether "
        "it is the same server, moved, or a new one."
    ),
    IntegrationState.DISCONNECTED: "{name} is disconnected. Connect it again first.",
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
        raise NotFound(f"{TACTICAL_RMM.name} is not connected yet.")
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
        _door(),
        on_token=_token_keeper(integration.id),
        find_token=_token_finder(integration.id),
        interactive=hurry,
    )
    yield Tactical(session)


def list_saved_secrets(integration: Integration) -> dict[str, str]:
    """Field to last four characters, which may be none, for each secret that is stored."""
    return list_last_fours(integration)


def note_error(integration_id: int, message: str | None) -> None:
    """What the status panel shows as the last error; None when the last contact went well.

    Not for what may be wrong with one record alone.
    """
    with transaction() as session:
        integration = session.get_one(Integration, integration_id)
        integration.last_error = message
        integration.last_error_at = utc_now() if message else None


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


def _token_keeper(integration_id: int) -> Callable[[str | None], None]:
    """Stores or forgets the token. It may be called from a thread of the session's own."""
    app, tenant_id = get_app(), get_tenant_id()

    def keep(token: str | None) -> None:
        with app.app_context(), tenant_scope(tenant_id), transaction() as session:
            integration = session.get_one(Integration, integration_id)
            if token is None:
                forget_secrets(session, integration, "knox_token")
                return
            store_secret(session, integration, "knox_token", token)
            # A one-time code is spent by the login that gave this token.
            forget_secrets(session, integration, "totp_code")

    return keep


def _token_finder(integration_id: int) -> Callable[[], str | None]:
    app, tenant_id = get_app(), get_tenant_id()

    def find() -> str | None:
        with app.app_context(), tenant_scope(tenant_id):
            return find_secret(db.session.get_one(Integration, integration_id), "knox_token")

    return find


def get_app() -> Flask:
    """The application itself, for a thread that has none in its context."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


def _door() -> Door:
    door = current_app.extensions["door"]
    assert isinstance(door, Door)
    return door
