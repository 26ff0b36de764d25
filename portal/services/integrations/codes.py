"""The one-time code that a TOTP account wants when its sign-in died: asked of people."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import release, transaction
from portal.errors import InvalidInput, PortalError, Refused
from portal.models import Errand, Integration
from portal.models.errands.errand import ErrandKind
from portal.models.integrations.integration import IntegrationState, Stop
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.errands.requests import add_errand, enqueue_errand
from portal.services.integrations.current import get_active_integration, open_tactical
from portal.services.integrations.facts import target_of
from portal.vault import forget_secrets, store_secret

DIGITS: Final = 6


def is_code_wanted(tenant_id: int | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """In SQL: whether the tenant's portal cannot sign in, and nobody has entered a code that is
    being tried. Every page asks, beside what it asks anyway."""
    is_tried = exists().where(
        Errand.tenant_id == tenant_id, Errand.kind == ErrandKind.SIGN_IN, Errand.ok.is_(None)
    )
    return exists().where(
        Integration.tenant_id == tenant_id,
        Integration.stopped_for == Stop.CODE_NEEDED,
        Integration.state == IntegrationState.ACTIVE,
        Integration.set_aside_at.is_(None),
        ~is_tried,
    )


def enter_code(code: str) -> Errand:
    """Have a worker sign in with it. Raises InvalidInput, Refused when no code is wanted any more,
    and TooManyWaiting."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdecimal() and len(digits) == DIGITS):
        raise InvalidInput(
            f"Enter the {DIGITS} digits that your authenticator app shows now.", field="totp_code"
        )
    with transaction() as session:
        integration = get_active_integration()
        if integration.stopped_for is not Stop.CODE_NEEDED:
            raise Refused("Tactical no longer needs a code: the portal is signed in.")
        store_secret(session, integration, "totp_code", digits)
        errand = add_errand(session, ErrandKind.SIGN_IN, "Sign in to Tactical", {})
        record(Action.CONNECTION_CODE_ENTERED, target_of(integration))
    enqueue_errand(errand)
    return errand


def sign_in() -> None:
    """With the code that was entered. Raises Refused and what `portal.tactical` raises; the code
    is gone then, as another one is on the phone by now."""
    integration = get_active_integration()
    try:
        with open_tactical(integration, interactive=True) as tactical:
            release()
            tactical.keep_alive()
    except PortalError:
        with transaction() as session:
            forget_secrets(session, integration, "totp_code")
        raise
