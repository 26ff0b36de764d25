"""The regular work of an integration, and when it is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.models import Integration, Schedule
from portal.models.integrations.integration import AuthMode
from portal.services.integrations import sweep_intervals
from portal.services.integrations.options import list_intervals

KEEP_ALIVE_SECONDS = 2 * 3600
"""A Knox token lives five hours from its last use; two leave room for a failed attempt."""

DAY_SECONDS = 24 * 3600
NIGHT_BEGINS_HOUR = 1
NIGHT_MINUTES = 180
"""What is done once a day is done between one and four o'clock, by this machine's local time."""
SPREAD = 37
"""Prime to the minutes of a night: integrations that follow each other begin far apart."""


def ensure_schedules(session: Session, integration: Integration) -> None:
    """Give an active integration its regular work."""
    is_password = integration.auth_mode is AuthMode.PASSWORD
    wanted = {
        **sync_intervals(integration),
        "keep_alive": KEEP_ALIVE_SECONDS if is_password else 0,
        "count_days": DAY_SECONDS,
        "prune_deliveries": DAY_SECONDS,
        "prune_events": DAY_SECONDS,
        "prune_runs": DAY_SECONDS,
    }
    stored = {
        schedule.kind: schedule
        for schedule in session.scalars(select(Schedule).filter_by(integration_id=integration.id))
    }
    for kind, every_seconds in wanted.items():
        _set_schedule(session, integration, kind, every_seconds, stored.get(kind))


def sync_intervals(integration: Integration) -> dict[str, int]:
    """Seconds by kind of sync. The fleet's size sets the interval of automatic sweeps."""
    entered = {kind: getattr(integration, name) for name, kind in list_intervals()}
    return {
        kind: sweep_intervals.seconds_for(integration) if minutes is None else minutes * 60
        for kind, minutes in entered.items()
    }


def next_due(every_seconds: int, integration_id: int) -> datetime:
    """When work is due again. What is done daily waits for the night, a minute of its own."""
    now = utc_now()
    if every_seconds % DAY_SECONDS:
        return now + timedelta(seconds=every_seconds)
    local = (now + timedelta(seconds=every_seconds - DAY_SECONDS)).astimezone()
    minute = integration_id * SPREAD % NIGHT_MINUTES
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    due = midnight + timedelta(hours=NIGHT_BEGINS_HOUR, minutes=minute)
    return due if due > local else due + timedelta(days=1)


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
                next_due_at=next_due(every_seconds, integration.id),
            )
        )
