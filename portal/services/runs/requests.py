"""Sync runs that are asked for, and those that are cancelled."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import transaction
from portal.errors import InvalidInput
from portal.models import SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.integrations.current import get_active_integration, get_integration
from portal.services.runs.history import find_active_run, get_run
from portal.sync.runs.run_events import record_ended_event

ASKED_BY_PERSON = ("button", "command")
"""Triggers of runs."""
_JOBS = {
    SyncKind.DEVICES: "sync_devices",
    SyncKind.PREVIEW: "sync_devices",
    SyncKind.APPLY: "sync_devices",
    SyncKind.REVERT: "sync_devices",
    SyncKind.SOFTWARE: "sync_software",
    SyncKind.ALERTS: "sync_steadily",
    SyncKind.STATUS: "sync_steadily",
    SyncKind.AGENTS: "sync_steadily",
    SyncKind.ASSETS: "sync_steadily",
    SyncKind.ORGANIZATIONS: "sync_organizations",
    SyncKind.AGENT: "refresh_agent",
}


def request_run(
    kind: SyncKind,
    trigger: str,
    subject: str = "",
    user_id: int | None = None,
    agent_ids: list[str] | None = None,
    title: str | None = None,
) -> tuple[SyncRun, bool]:
    """The run that will do it, and whether it is a new one.

    While a run of its kind and subject waits or works, that one is the answer. Raises Refused
    when the integration is not active.
    """
    run, is_new = ask_for_run(kind, trigger, subject, user_id, agent_ids, title)
    if is_new:
        enqueue_run(run)
    return run, is_new


def ask_for_run(
    kind: SyncKind,
    trigger: str,
    subject: str = "",
    user_id: int | None = None,
    agent_ids: list[str] | None = None,
    title: str | None = None,
) -> tuple[SyncRun, bool]:
    """As `request_run`, for a caller that does the run itself: no worker hears of it."""
    try:
        with transaction() as session:
            return find_or_add_run(session, kind, trigger, subject, user_id, agent_ids, title)
    except IntegrityError:
        # Somebody pressed at the same moment: the unique index let one of us through.
        return ask_for_run(kind, trigger, subject, user_id, agent_ids, title)


def enqueue_run(run: SyncRun) -> bool:
    """Hand the run to a worker; False while Redis is away (the schedule tries again)."""
    return queue.enqueue(_JOBS[run.kind], run.tenant_id, run.id)


def cancel_run(run_id: int) -> SyncRun:
    """Ask a run to stop. A waiting one ends at once, a working one within two seconds."""
    with transaction() as session:
        run = get_run(run_id)
        if run.is_active and run.cancel_requested_at is None:
            about = Target("run", run.id, run.title or str(run.kind))
            before, after = {"status": str(run.status)}, {"status": str(RunStatus.CANCELLED)}
            record(Action.RUN_CANCELLED, about, before, after)
        if run.status is RunStatus.QUEUED:
            run.status, run.finished_at = RunStatus.CANCELLED, utc_now()
            if run.fencing_number:  # it had started, and lost its process
                record_ended_event(session, run)
        elif run.status is RunStatus.RUNNING:
            run.cancel_requested_at = run.cancel_requested_at or utc_now()
        session.flush()
    return run


def find_or_add_run(
    session: Session,
    kind: SyncKind,
    trigger: str,
    subject: str = "",
    user_id: int | None = None,
    agent_ids: list[str] | None = None,
    title: str | None = None,
) -> tuple[SyncRun, bool]:
    """As `request_run`, in the caller's transaction, after which a new run is to be enqueued.

    Raises IntegrityError when somebody asks for the same at the same moment.
    """
    if kind is SyncKind.AGENT and not subject:
        raise InvalidInput("Enter the agent_id of the agent to sync.", field="agent_id")
    what: dict[str, Any] = {"kind": kind, "subject": subject}
    if kind is SyncKind.REVERT:  # it asks Tactical nothing: the connection may be gone
        what |= _describe_revert(subject)
    else:
        what["integration_id"] = get_active_integration().id
    run = find_active_run(kind, subject)
    if run is not None:
        return run, False
    run = SyncRun(**what, trigger=trigger, requested_by=user_id, agent_ids=agent_ids, title=title)
    session.add(run)
    session.flush()
    if trigger in ASKED_BY_PERSON:
        _record(run)
    return run, True


def _record(run: SyncRun) -> None:
    """What a person asked for. What a schedule or a webhook starts is no person's doing."""
    action = Action.RUN_STARTED
    if run.kind is SyncKind.APPLY:
        action = Action.PLAN_APPLIED
    elif run.kind is SyncKind.REVERT:
        is_whole = run.reverts_run_id is None
        action = Action.CREATED_REMOVED if is_whole else Action.RUN_REVERTED
    about = Target("run", run.id, run.title or str(run.kind))
    after: dict[str, Any] = {"kind": run.kind, "subject": run.subject or None}
    if run.agent_ids is not None:
        after["agent_ids"] = run.agent_ids
    record(action, about, after=after)


def _describe_revert(subject: str) -> dict[str, Any]:
    """Of the run that the subject names; else of all that the connection or a mapping created."""
    if not subject.isdecimal():
        return {"integration_id": get_integration().id}
    reverted = get_run(int(subject))
    return {"integration_id": reverted.integration_id, "reverts_run_id": reverted.id}
