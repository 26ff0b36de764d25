"""Ending, at Tactical, the sign-ins that the portal no longer uses: by a job, as the server they
are of may be away."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select, update

from portal import queue
from portal.clock import utc_now
from portal.db import changed_one, db, release, transaction
from portal.errors import PortalError, SecretUnreadable
from portal.models import EndedSignIn
from portal.scope import get_tenant_id
from portal.services.integrations.networks import get_gateway
from portal.tactical.http.session import Password, TacticalSession
from portal.vault import find_secret, forget_secrets

log = logging.getLogger(__name__)

TOKEN_LASTS = timedelta(hours=5)
"""From its last use: after that it is dead, whether or not it could be ended."""
TRY_AGAIN_AFTER = timedelta(minutes=10)


def ask_for_sign_outs() -> None:
    """After the commit that ended a sign-in of the scope's tenant."""
    if _list_due():
        queue.enqueue("sign_out", get_tenant_id())


def sign_out_due() -> None:
    """End what is due in the scope's tenant; what does not work is due again later."""
    for ended_id in _list_due():
        if _claim(ended_id):
            _sign_out(ended_id)


def list_tenants_with_due_sign_outs() -> list[int]:
    """Across tenants."""
    due = select(EndedSignIn.tenant_id).where(EndedSignIn.next_try_at <= utc_now())
    return list(db.session.scalars(due.distinct()))


def _list_due() -> list[int]:
    due = select(EndedSignIn.id).where(EndedSignIn.next_try_at <= utc_now())
    found = list(db.session.scalars(due.order_by(EndedSignIn.id)))
    release()
    return found


def _claim(ended_id: int) -> bool:
    """Ours: it is due again only if this process is lost, or Tactical is away."""
    with transaction() as session:
        return changed_one(
            session,
            update(EndedSignIn)
            .where(EndedSignIn.id == ended_id, EndedSignIn.next_try_at <= utc_now())
            .values(next_try_at=utc_now() + TRY_AGAIN_AFTER),
        )


def _sign_out(ended_id: int) -> None:
    ended = db.session.get_one(EndedSignIn, ended_id)
    base_url, is_dead = ended.base_url, ended.ended_at < utc_now() - TOKEN_LASTS
    try:
        token = find_secret(ended, "token")
        release()
        if token is not None and not is_dead:
            credentials = Password(username="", password="", token=token)  # unused
            TacticalSession(base_url, credentials, get_gateway(), interactive=True).log_out()
    except SecretUnreadable:
        pass  # the keys of this install are others now
    except PortalError as error:
        log.info("A sign-in at Tactical could not be ended yet: %s", error.message)
        return
    with transaction() as session:
        ended = session.get_one(EndedSignIn, ended_id)
        forget_secrets(session, ended)
        session.delete(ended)
