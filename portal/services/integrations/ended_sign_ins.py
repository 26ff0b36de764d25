"""Leaving word that a sign-in at Tactical is to be ended there; `sign_outs` sees to it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.errors import SecretUnreadable
from portal.models import EndedSignIn, Integration
from portal.vault import find_secret, forget_secrets, store_secret


def end_sign_in(session: Session, integration: Integration) -> None:
    """Forget the integration's own, if it has one. Call it while its address is still the old."""
    try:
        token = find_secret(integration, "knox_token")
    except SecretUnreadable:  # nobody can end it any more; it dies by itself
        token = None
    forget_secrets(session, integration, "knox_token")
    if token is not None:
        add_ended(session, integration.id, integration.base_url, token)


def add_ended(session: Session, integration_id: int, base_url: str, token: str) -> None:
    ended = EndedSignIn(integration_id=integration_id, base_url=base_url)
    session.add(ended)
    session.flush()
    store_secret(session, ended, "token", token)
