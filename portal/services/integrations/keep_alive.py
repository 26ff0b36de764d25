"""Keeping a sign-in at Tactical alive: a Knox token dies five hours after its last use."""

from __future__ import annotations

from portal.db import db, release
from portal.errors import PortalError
from portal.models import Integration
from portal.models.integrations.integration import AuthMode, IntegrationState
from portal.services.integrations.current import open_tactical
from portal.services.integrations.server_health import note_contact


def keep_alive(integration_id: int) -> None:
    """Use the token once, which extends it; signs in again where it is gone and that works."""
    integration = db.session.get_one(Integration, integration_id)
    if integration.state is not IntegrationState.ACTIVE:
        return
    if integration.auth_mode is not AuthMode.PASSWORD:
        return
    try:
        with open_tactical(integration) as tactical:
            release()
            tactical.keep_alive()
    except PortalError as error:
        note_contact(integration_id, error)
