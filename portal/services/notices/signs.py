"""What a person should see to at the moment, of all tenants, read from what the database holds.

A fixed number of statements, however many tenants there are. Nothing is asked of any server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import exists, func, select

from portal.clock import utc_now
from portal.db import db
from portal.models import (
    Integration,
    OrganizationMapping,
    SoftwareMatch,
    SoftwareWatch,
    SyncPlan,
    SyncRun,
)
from portal.models.integrations.integration import IntegrationState, Stop
from portal.models.notices.notice import NoticeKind
from portal.models.runs.sync_plan import PlanOrigin, PlanStatus
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.notices.far_sides import (
    list_channels,
    list_helpdesks,
    list_subscribers,
    list_webhooks,
)
from portal.services.notices.kinds import CERTIFICATE_LEFT
from portal.services.notices.sign import FEWEST_FAILURES, Sign
from portal.services.watches.listing import describe_watch, select_watches
from portal.wording import plural

PREVIEW_PATIENCE: Final = timedelta(hours=1)
"""Whoever changed the connection is at it, and looks at the preview next."""


def list_signs() -> list[Sign]:
    """Of all tenants: call it in the scope of all."""
    found = list(_list_integrations())
    return [
        *(sign for row in found for sign in _of_integration(row)),
        *list_webhooks(found),
        *_of_held_syncs(),
        *_of_held_organizations(),
        *list_subscribers(),
        *list_channels(),
        *list_helpdesks(),
        *_of_watches(),
    ]


def _list_integrations() -> Sequence[Any]:
    its = Integration
    any_mapped = exists().where(
        OrganizationMapping.integration_id == its.id, OrganizationMapping.client_id.is_not(None)
    )
    return db.session.execute(
        select(
            *(its.id, its.tenant_id, its.state, its.base_url, its.stopped_for, its.stopped_at),
            *(its.failures_in_row, its.failing_since, its.last_error, its.tested_at),
            *(its.certificate_ends_at, its.preview_due_at, its.device_sync_minutes),
            any_mapped.label("any_mapped"),
        ).where(
            its.set_aside_at.is_(None),
            its.state.in_((IntegrationState.ACTIVE, IntegrationState.HELD)),
        )
    ).all()


def _of_integration(row: Any) -> Iterator[Sign]:
    def sign(kind: NoticeKind, since: datetime | None, text: str, subject: str = "") -> Sign:
        return Sign(row.tenant_id, kind, subject, since or utc_now(), text)

    server, why = row.base_url, f" {row.last_error}" if row.last_error else ""
    if row.state is IntegrationState.HELD:
        text = (
            f"{server} lists none of the organizations and agents that the portal knows. Nothing "
            "syncs until somebody says under Connection whether it is the same server or a new one."
        )
        yield sign(NoticeKind.SYNC_HELD, row.tested_at, text, "server")
        return
    if row.stopped_for is Stop.CODE_NEEDED:
        text = (
            f"The portal cannot sign in to {server}. Enter the code that your authenticator app "
            "shows."
        )
        yield sign(NoticeKind.CODE_NEEDED, row.stopped_at, text)
    elif row.stopped_for is not None:
        text = (
            f"{server} refuses what the portal signs in with.{why} Nothing is synced until "
            "somebody saves working credentials, or corrects them in Tactical and tests the "
            "connection."
        )
        yield sign(NoticeKind.CREDENTIALS_REFUSED, row.stopped_at, text)
    elif row.failing_since is not None and row.failures_in_row >= FEWEST_FAILURES:
        text = (
            f"The portal does not reach {server}.{why} It tries again at least once an hour. Check "
            "that the server runs and that the portal's machine can reach it."
        )
        yield sign(NoticeKind.CONNECTION_LOST, row.failing_since, text)
    yield from _of_preview(row)
    yield from _of_certificate(row)


def _of_preview(row: Any) -> Iterator[Sign]:
    is_due = row.preview_due_at is not None and row.any_mapped and row.device_sync_minutes > 0
    if is_due and row.preview_due_at <= utc_now() - PREVIEW_PATIENCE:
        text = (
            "The connection is new or was changed. Scheduled device syncs wait until somebody has "
            "looked at a preview of the next one."
        )
        yield Sign(row.tenant_id, NoticeKind.SYNC_HELD, "preview", row.preview_due_at, text)


def _of_certificate(row: Any) -> Iterator[Sign]:
    ends_at = row.certificate_ends_at
    if ends_at is not None and ends_at <= utc_now() + CERTIFICATE_LEFT:
        text = (
            f"The certificate of {row.base_url} is valid until {ends_at:%d %B %Y}. From then on "
            "the portal does not connect to it. Renew the certificate on the Tactical server."
        )
        yield Sign(row.tenant_id, NoticeKind.CERTIFICATE_EXPIRES, "", utc_now(), text)


def _of_held_syncs() -> Iterator[Sign]:
    """The plan of a device sync waits, and none has gone through since."""
    went_through = exists().where(
        SyncRun.integration_id == SyncPlan.integration_id,
        SyncRun.kind == SyncKind.DEVICES,
        SyncRun.status.in_((RunStatus.SUCCESS, RunStatus.PARTIAL)),
        SyncRun.created_at > SyncPlan.made_at,
    )
    rows = db.session.execute(
        select(SyncPlan.tenant_id, SyncPlan.made_at, SyncPlan.reason)
        .join(Integration, Integration.id == SyncPlan.integration_id)
        .where(
            SyncPlan.origin == PlanOrigin.BRAKE,
            SyncPlan.status == PlanStatus.OPEN,
            Integration.set_aside_at.is_(None),
            Integration.state == IntegrationState.ACTIVE,
            ~went_through,
        )
    )
    for row in rows:
        text = f"{row.reason or ''} Open the last device sync and decide.".strip()
        yield Sign(row.tenant_id, NoticeKind.SYNC_HELD, "devices", row.made_at, text)


def _of_held_organizations() -> Iterator[Sign]:
    table = OrganizationMapping
    rows = db.session.execute(
        select(table.tenant_id, func.count(), func.min(table.held_since))
        .join(Integration, Integration.id == table.integration_id)
        .where(
            table.held_since.is_not(None),
            table.kept_at.is_(None),
            Integration.set_aside_at.is_(None),
            Integration.state == IntegrationState.ACTIVE,
        )
        .group_by(table.tenant_id)
    )
    for tenant_id, number, since in rows:
        text = (
            f"Tactical no longer lists {plural(number, 'organization')}. Say under Organizations "
            "whether they are gone or stay."
        )
        yield Sign(tenant_id, NoticeKind.SYNC_HELD, "organizations", since or utc_now(), text)


def _of_watches() -> Iterator[Sign]:
    """How many assets match is not counted: it changes while the notice lasts."""
    matches = exists().where(SoftwareMatch.watch_id == SoftwareWatch.id)
    for watch in db.session.scalars(select_watches().where(matches)):
        where = f" at {watch.client.name}" if watch.client else ""
        text = (
            f"There is {describe_watch(watch)}{where}. The watch lists the assets. Update the "
            "software or remove it there, or switch the watch off."
        )
        yield Sign(watch.tenant_id, NoticeKind.WATCH_MATCHES, str(watch.id), utc_now(), text)
