"""The regular work of an integration."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import utc_now
from portal.models import Integration, Schedule
from portal.models.integration import AuthMode

KEEP_ALIVE_SECONDS = 2 * 3600
"""A Knox token lives five hours from its last use; two leave room for a failed attempt."""

PRUNE_SECONDS = 24 * 3600


def ensure_schedules(session: Session, integration: Integration) -> None:
    """Give an active integration its regular work."""
    wanted = {
        "devices": integration.device_sync_minutes * 60,
        "alerts": integration.alert_sync_minutes * 60,
        "software": integration.software_sync_minutes * 60,
        "prune_deliveries": PRUNE_SECONDS,
        "prune_events": PRUNE_SECONDS,
    }
    if integration.auth_mode is AuthMode.PASSWORD:
        wanted["keep_alive"] = KEEP_ALIVE_SECONDS
    stored = {
        schedule.kind: schedule
        for schedule in session.scalars(select(Schedule).filter_by(integration_id=integration.id))
    }
    for kind in ("devices", "alerts", "software", "keep_alive", "prune_deliveries", "prune_events"):
        _set_schedule(session, integration, kind, wanted.get(kind, 0), stored.get(kind))


def _set_schedule(
    session: Session,
    integration: Integration,
    kind: str,
    every_seconds: int,
    stored: Schedule | None,
) -> None:
    if stored is not None and stored.every_seconds == every_seconds:
        return
    if stored is not None:
        session.delete(stored)
        session.flush()
    if every_seconds:
        session.add(
            Schedule(
                integration_id=integration.id,
                kind=kind,
                every_seconds=every_seconds,
                next_due_at=utc_now() + timedelta(seconds=every_seconds),
            )
        )
