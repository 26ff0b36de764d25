"""Signs of what the portal is told by, and tells: the webhook, subscribers, channels and
helpdesks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select

from portal.clock import utc_now
from portal.db import db
from portal.models import (
    Channel,
    Delivery,
    EventSubscriber,
    Helpdesk,
    Integration,
    Notice,
    TicketTask,
    WebhookInstallation,
)
from portal.models.integrations.integration import IntegrationState
from portal.models.notices.notice import NoticeKind
from portal.models.tickets.ticket import TaskStatus, TaskVerb
from portal.services.notices.sign import FEWEST_FAILURES, Sign
from portal.services.webhook.state import Health, WebhookState, list_health
from portal.wording import plural


def list_webhooks(integrations: Iterable[Any]) -> Iterator[Sign]:
    health = list_health(
        Integration.set_aside_at.is_(None),
        Integration.state == IntegrationState.ACTIVE,
        _is_webhook_known(),
    )
    for row in integrations:
        its = health.get(row.id, Health())
        since = its.test_failed_at or its.missed_since
        if since is None or its.state not in (WebhookState.SILENT, WebhookState.UNREACHED):
            continue
        if its.state is WebhookState.UNREACHED:
            what = "A test that Tactical sent did not arrive, and nothing has come since."
        else:
            what = (
                f"{plural(its.missed, 'alert')} began that the webhook did not report. The portal "
                "found them when it compared its alerts with Tactical's."
            )
        text = f"{what} Alerts come late until it works again. Test the webhook."
        yield Sign(row.tenant_id, NoticeKind.WEBHOOK_SILENT, "", since, text)


def _is_webhook_known() -> ColumnElement[bool]:
    """Of integrations, in SQL: whether anything may ever have come. Where nobody has set a webhook
    up, the signs of one would be looked for among all alerts."""
    its = Integration
    made = select(WebhookInstallation.id).where(WebhookInstallation.integration_id == its.id)
    return or_(
        exists().where(Delivery.tenant_id == its.tenant_id, Delivery.integration_id == its.id),
        exists(made.correlate(its)),
        exists().where(
            Notice.tenant_id == its.tenant_id,
            Notice.kind == NoticeKind.WEBHOOK_SILENT,
            Notice.ended_at.is_(None),
        ),
    )


def list_subscribers() -> Iterator[Sign]:
    """One that a person pauses has no failures any more."""
    its = EventSubscriber
    rows = db.session.execute(
        select(its.tenant_id, its.id, its.host, its.active, its.failing_since, its.last_error)
        .where(
            its.failing_since.is_not(None),
            or_(its.failures >= FEWEST_FAILURES, ~its.active),
        )
        .order_by(its.id)
    )
    for row in rows:
        what = "It was stopped." if not row.active else "The portal goes on trying for three days."
        text = f"{row.host} does not take the events that are sent to it: {row.last_error} {what}"
        since = row.failing_since or utc_now()
        yield Sign(row.tenant_id, NoticeKind.SUBSCRIBER_FAILING, str(row.id), since, text)


def list_channels() -> Iterator[Sign]:
    its = Channel
    rows = db.session.execute(
        select(its.tenant_id, its.id, its.name, its.failing_since, its.last_error)
        .where(its.active, its.failing_since.is_not(None), its.failures >= FEWEST_FAILURES)
        .order_by(its.id)
    )
    for row in rows:
        text = (
            f"Messages do not arrive by the channel {row.name}: {row.last_error} Each is tried for "
            "a day. Test the channel and correct its settings."
        )
        since = row.failing_since or utc_now()
        yield Sign(row.tenant_id, NoticeKind.CHANNEL_FAILING, str(row.id), since, text)


def list_helpdesks() -> Iterator[Sign]:
    """Those that fail, and those that were not tried while tickets wait for them."""
    its = Helpdesk
    waiting_since = (
        select(func.min(TicketTask.created_at))
        .where(
            TicketTask.helpdesk_id == its.id,
            TicketTask.status == TaskStatus.WAITING,
            TicketTask.verb == TaskVerb.OPEN,
        )
        .scalar_subquery()
    )
    is_failing = its.failing_since.is_not(None) & (its.failures >= FEWEST_FAILURES)
    rows = db.session.execute(
        select(
            *(its.tenant_id, its.id, its.name, its.is_proven, its.failing_since, its.last_error),
            waiting_since.label("waiting_since"),
        )
        .where(its.active, is_failing | (~its.is_proven & waiting_since.is_not(None)))
        .order_by(its.id)
    )
    for row in rows:
        if row.is_proven:
            text = (
                f"Tickets cannot be opened or changed in {row.name}: {row.last_error} Each is "
                "tried for a day. Test the helpdesk and correct its settings."
            )
        else:
            why = f" {row.last_error}" if row.last_error else ""
            text = (
                f"Tickets wait to be opened in {row.name}, whose settings were not tested "
                f"successfully.{why} Test the helpdesk."
            )
        since = row.failing_since or row.waiting_since or utc_now()
        yield Sign(row.tenant_id, NoticeKind.HELPDESK_FAILING, str(row.id), since, text)
