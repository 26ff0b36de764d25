"""The address by which a helpdesk says that something changed there: it only is asked sooner."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import case, update

from portal import queue
from portal.clock import utc_now
from portal.config import Settings
from portal.db import changed_one, transaction
from portal.errors import NotFound
from portal.models import Helpdesk
from portal.scope import get_tenant_id, tenant_scope

SALT = "portal.helpdesks.hint"
"""Makes a key of the install's that signs nothing else."""
AT_MOST = timedelta(seconds=5)
"""So often it is asked, however often it says something."""


def make_address(helpdesk_id: int) -> str:
    """For the settings of a helpdesk of the scope's tenant. Whoever has it learns nothing by it."""
    token = _serializer().dumps([get_tenant_id(), helpdesk_id])
    settings: Settings = current_app.extensions["settings"]
    return f"{settings.address}/api/webhooks/helpdesk/{token}"


def take_hint(token: str) -> None:
    """Its tickets are looked at soon. Raises NotFound for an address that is not the portal's."""
    try:
        tenant_id, helpdesk_id = _serializer().loads(token)
    except (BadData, TypeError, ValueError) as error:
        raise NotFound("There is no such address.") from error
    now = utc_now()
    soon = case((Helpdesk.polled_at > now - AT_MOST, now + AT_MOST), else_=now)
    with tenant_scope(tenant_id):
        with transaction() as session:
            its = update(Helpdesk).where(Helpdesk.id == helpdesk_id, Helpdesk.active)
            if not changed_one(session, its.values(poll_due_at=soon)):
                raise NotFound("There is no such address.")
        queue.enqueue_quickly("poll_tickets", tenant_id, helpdesk_id)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=SALT)
