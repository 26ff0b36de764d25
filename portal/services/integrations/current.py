"""The integration of the tenant in scope, and the way from it to its Tactical server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import ScalarSelect, select

from portal.db import db
from portal.errors import NotFound, Refused
from portal.models import Integration
from portal.models.integrations.integration import IntegrationState
from portal.providers import TACTICAL_RMM
from portal.services.integrations.networks import get_gateway
from portal.services.integrations.server_health import (
    has_failed,
    note_certificate,
    note_contact,
)
from portal.services.integrations.shared_sign_in import SharedSignIn
from portal.tactical.api import Tactical
from portal.tactical.http.session import TacticalSession
from portal.vault import list_last_fours

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
def open_tactical(integration: Integration, interactive: bool = False) -> Iterator[Tactical]:
    """The server's API with the stored credentials. `interactive` is for a person who waits.

    A token that Tactical gives is stored as soon as it is there, so that other processes
    use it too. What the server said of the credentials is noted, and a success after failures.
    Raises SecretUnreadable, and on use the errors of `portal.tactical`.
    """
    sign_in = SharedSignIn(integration)
    session = TacticalSession(
        integration.base_url,
        sign_in.credentials,
        get_gateway(),
        interactive=interactive,
        tokens=sign_in,
    )
    integration_id, was_clouded = integration.id, has_failed(integration)
    known_end = integration.certificate_ends_at
    try:
        yield Tactical(session)
    finally:
        if session.last_error is not None:
            sign_in.note_refusal(session.last_error)
    if was_clouded and session.has_answered:
        note_contact(integration_id, None)
    if session.has_answered and session.certificate_ends_at != known_end:
        note_certificate(integration_id, session.certificate_ends_at)


def list_saved_secrets(integration: Integration) -> dict[str, str]:
    """Field to last four characters, which may be none, for each secret that is stored."""
    return list_last_fours(integration)
