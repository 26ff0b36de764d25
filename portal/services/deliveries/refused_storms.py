"""Storms of too many deliveries: their alerts are read from Tactical afterwards."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, release
from portal.errors import PortalError
from portal.models import Integration, SyncRun, WebhookUsage
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import SyncKind
from portal.scope import all_tenants, tenant_scope
from portal.services.integrations.server_health import is_answering
from portal.services.runs.requests import request_run
from portal.sync.alerts.gaps import STORM_IS_OVER_AFTER

log = logging.getLogger(__name__)

RETRY_AFTER = timedelta(minutes=5)
"""When the reconciliation failed."""
WEBHOOK = "webhook"
"""The trigger of the runs that are started here."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """How many calls were refused in the last storm, and whether they are made up for."""

    count: int
    first_at: datetime
    last_at: datetime
    is_reconciled: bool


def find_refusals() -> Refusals | None:
    """Of the scope's tenant; None when none was ever refused.

    The last few of a storm are missing until the next call comes.
    """
    usage = db.session.scalar(select(WebhookUsage))
    if usage is None or usage.refused_from is None or usage.refused_until is None:
        return None
    return Refusals(
        usage.refused, usage.refused_from, usage.refused_until, not usage.must_reconcile
    )


def start_owed_reconciliations() -> None:
    """For each tenant whose storm is over. Across tenants.

    Again and again, until one that began after the storm has ended well.
    """
    with all_tenants():
        rows = db.session.execute(
            select(WebhookUsage.tenant_id, WebhookUsage.refused_until)
            .join(Integration, Integration.tenant_id == WebhookUsage.tenant_id)
            .where(
                WebhookUsage.must_reconcile,
                WebhookUsage.refused_until < utc_now() - STORM_IS_OVER_AFTER,
                Integration.state == IntegrationState.ACTIVE,
                Integration.set_aside_at.is_(None),
                is_answering(),
            )
        ).all()
    release()
    for tenant_id, until in rows:
        with tenant_scope(tenant_id):
            _start((until or utc_now()) + STORM_IS_OVER_AFTER)


def _start(storm_over_at: datetime) -> None:
    since = max(storm_over_at, utc_now() - RETRY_AFTER)
    tried = select(SyncRun.id).where(SyncRun.kind == SyncKind.ALERTS, SyncRun.created_at > since)
    if db.session.scalar(tried.limit(1)) is not None:
        return
    try:
        request_run(SyncKind.ALERTS, trigger=WEBHOOK)
    except PortalError as error:
        log.info("Alerts of a refused storm are not reconciled yet: %s", error.message)
