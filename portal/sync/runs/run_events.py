"""The events of a sync run: it has started; it has ended, one way or the other."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.events.outbox import record_events
from portal.models import OrganizationMapping, SyncRun
from portal.models.events.event import EventType
from portal.models.runs.sync_run import COMPLETED, RunStatus, SyncKind


def record_started_event(session: Session, run: SyncRun) -> None:
    if run.kind in (SyncKind.STATUS, SyncKind.PREVIEW):
        return  # hundreds a day; and what changes nothing
    payload = _about(run) | {"attempt": run.fencing_number}
    record_events(session, [(EventType.SYNC_STARTED, _subject(run), payload)], run.tenant_id)


def record_ended_event(session: Session, run: SyncRun) -> None:
    """Whatever has started ends with one event: a cancelled run with `failed`.

    Of status sweeps only a failure makes an event, and a preview makes none.
    """
    if run.kind is SyncKind.STATUS and run.status is not RunStatus.FAILED:
        return
    if run.kind is SyncKind.PREVIEW:
        return
    payload = _about(run) | {"status": str(run.status), "counts": run.counts, "source": run.source}
    counts_held = run.kind in (SyncKind.ORGANIZATIONS, SyncKind.DEVICES)
    payload |= {"held_organizations": _count_held(session, run) if counts_held else None}
    kind = EventType.SYNC_COMPLETED
    if run.status not in COMPLETED:
        kind = EventType.SYNC_FAILED
        payload |= {"error": run.error, "fault": run.fault}
    record_events(session, [(kind, _subject(run), payload)], run.tenant_id)


def _count_held(session: Session, run: SyncRun) -> int:
    """Organizations that wait for a person to say whether they are gone."""
    table = OrganizationMapping
    its = (table.tenant_id == run.tenant_id, table.integration_id == run.integration_id)
    waiting = select(func.count()).where(*its, table.held_since.is_not(None))
    return session.scalar(waiting) or 0


def _about(run: SyncRun) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "kind": str(run.kind),
        "agent_id": run.subject if run.kind is SyncKind.AGENT else None,
        "trigger": run.trigger,
    }


def _subject(run: SyncRun) -> str:
    if run.kind is SyncKind.AGENT:
        return f"Agent {run.subject}"
    return str(run.kind).capitalize()
