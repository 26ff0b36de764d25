"""Setting the webhook up in Tactical with one click, trying it, and taking it back."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.errors import PORTAL_FAULT, PortalError, Refused
from portal.models import Errand, Integration, WebhookInstallation
from portal.models.errands.errand import ErrandKind
from portal.models.webhook.installation import InstallationAction
from portal.scope import get_tenant_id
from portal.services import leases
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.errands.requests import request_errand
from portal.services.integrations.current import (
    find_integration,
    get_active_integration,
    open_tactical,
)
from portal.services.leases import LeaseLost
from portal.services.webhook.execution import (
    InstallationRun,
    TestNotArrived,
    get_row,
    get_texts,
    read_made,
    read_wanted,
)
from portal.services.webhook.keys import ensure_key
from portal.services.webhook.records import Wanted
from portal.services.webhook.survey import Plan, survey

log = logging.getLogger(__name__)

NOT_ARRIVED = TestNotArrived.fault

_ACTIONS = {
    InstallationAction.INSTALL: Action.WEBHOOK_INSTALLED,
    InstallationAction.REMOVE: Action.WEBHOOK_REMOVED,
    InstallationAction.TEST: Action.WEBHOOK_TESTED,
}
LOST_AFTER = timedelta(minutes=5)
"""Longer than any action takes, its waiting for a worker included; another may begin."""


def find_installation(integration: Integration | None = None) -> WebhookInstallation | None:
    """Of the connected server, which the caller may have found already."""
    integration = integration or find_integration()
    return _find_row(db.session(), integration) if integration else None


def preview(action: InstallationAction, wanted: Wanted) -> Plan:
    """What the action would change. Raises Refused and TacticalError."""
    integration = get_active_integration()
    made, texts = read_made(_find_row(db.session(), integration)), get_texts()
    with open_tactical(integration, interactive=True) as tactical:
        release()
        return survey(tactical.installation, action, wanted, texts, made)


def request_preview(action: InstallationAction, wanted: Wanted) -> Errand:
    """Have a worker ask Tactical what would change. Raises Refused and TooManyWaiting."""
    get_active_integration()
    asked = {"deed": action, "wanted": msgspec.to_builtins(wanted)}
    return request_errand(ErrandKind.PLAN_WEBHOOK, "Preview the changes in Tactical", asked)


def read_request(asked: dict[str, Any]) -> tuple[InstallationAction, Wanted]:
    """What an errand that plans was asked for."""
    return InstallationAction(asked["deed"]), msgspec.convert(asked["wanted"], Wanted, strict=False)


def keep_wanted(url: str) -> Wanted:
    """What was chosen last, for an address that may be new; nothing at first."""
    before = read_wanted(find_installation())
    return msgspec.structs.replace(before, url=url) if before else Wanted(url)


def request_action(action: InstallationAction, wanted: Wanted) -> WebhookInstallation:
    """An action that a worker will do; without Redis it waits for a tick of the schedule."""
    row = _add_action(action, wanted)
    queue.enqueue("install_webhook", row.tenant_id, row.id)
    return row


def run_now(action: InstallationAction, wanted: Wanted) -> WebhookInstallation:
    """In this process. For commands."""
    row_id = _add_action(action, wanted).id
    run_queued(row_id)
    return get_row(row_id)


def run_queued(row_id: int) -> None:
    """Do the action if nobody has begun it. A fault of ours ends it too, so that it never hangs."""
    lease = leases.claim(WebhookInstallation, row_id)
    if lease is None:
        return
    with suppress(LeaseLost), leases.keep(WebhookInstallation, row_id, lease):
        _do(InstallationRun(row_id, lease))


def _do(run: InstallationRun) -> None:
    """Raises LeaseLost when another process took the action over."""
    try:
        run.run()
    except LeaseLost:
        raise
    except PortalError as error:
        run.fail(error)
    except Exception:
        log.exception("Setting up the webhook of tenant %s failed.", get_tenant_id())
        run.fail(PortalError(PORTAL_FAULT))


def release_lost_installations() -> None:
    """Let another worker begin the actions whose worker died; end those that nobody came for."""
    leases.free_lost(
        WebhookInstallation,
        WebhookInstallation.requested_at < utc_now() - LOST_AFTER,
        "This was interrupted. Start it again; what is already done is not repeated.",
    )


def _add_action(action: InstallationAction, wanted: Wanted) -> WebhookInstallation:
    integration_id = get_active_integration().id
    with transaction() as session:
        integration = session.get_one(Integration, integration_id)
        row = _find_row(session, integration)
        if row is None:
            row = WebhookInstallation(integration_id=integration_id, made={}, action=action)
            session.add(row)
        elif row.ok is None and row.requested_at > utc_now() - LOST_AFTER:
            raise Refused("The webhook is already being set up. Wait until that has finished.")
        if action is InstallationAction.INSTALL:
            ensure_key(session, integration)
        row.action, row.wanted = action, msgspec.to_builtins(wanted)
        row.steps, row.missing = [], []
        row.ok = row.fault = row.message = row.test_delivery_id = None
        row.requested_at, row.started_at, row.finished_at = utc_now(), None, None
        row.lease, row.fencing_number = None, 0
        record(_ACTIONS[action], Target("webhook", integration_id), after=row.wanted)
    return row


def _find_row(session: Session, integration: Integration) -> WebhookInstallation | None:
    return session.scalar(
        select(WebhookInstallation)
        .where(WebhookInstallation.integration_id == integration.id)
        .execution_options(populate_existing=True)
    )
