"""Sync runs that are executed: claimed by one process, kept alive, ended; or revived by another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import select, update

from portal import queue
from portal.clock import utc_now
from portal.db import changed_one, db, release, transaction
from portal.errors import PORTAL_FAULT, PortalError, Refused
from portal.lease import LEASE_TIME, make_lease
from portal.models import Integration, SyncRun
from portal.models.runs.sync_run import COUNT_NAMES, RunStatus, SyncKind
from portal.scope import get_tenant_id
from portal.services.application import get_app
from portal.services.integrations.current import check_active, open_tactical
from portal.services.integrations.preview_due import clear_preview_due, find_look
from portal.services.integrations.server_health import note_contact
from portal.services.runs.askers import list_theirs, needed_for
from portal.services.runs.history import get_run
from portal.services.runs.requests import ASKED_BY_PERSON, ask_for_run
from portal.services.tickets.orphans import close_orphans
from portal.sync.alerts.reconcile import sync_alerts
from portal.sync.devices.asset_changes import AssetAction, change_assets
from portal.sync.devices.chosen import sync_chosen
from portal.sync.devices.one_agent import sync_agent
from portal.sync.devices.run import apply_plan, preview_devices, sync_devices
from portal.sync.devices.sweep import sync_status
from portal.sync.organizations import sync_organizations
from portal.sync.reverting.clearing import Clearing, remove_created
from portal.sync.reverting.run import revert_run
from portal.sync.reverting.servers import REPLACED, was_replaced_since
from portal.sync.runs.cause import Cause
from portal.sync.runs.log import RunEnded, RunLog
from portal.sync.runs.run_events import record_ended_event, record_started_event
from portal.sync.software.ingest import sync_software
from portal.tactical.api import Tactical
from portal.tactical.record_errors import may_be_of_record

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
"""A run that lost its process this often is ended: it may be what kills the process."""
POLL_SECONDS = 0.5
NOT_TRIED = "Tactical refuses the credentials. Correct them, or start this sync yourself."
WAITS_FOR_PREVIEW = "The connection was changed. Preview the next device sync first."
_OF_THE_FLEET = (SyncKind.DEVICES, SyncKind.STATUS)
"""They see every agent that Tactical lists."""
_OF_WHAT_IS_STORED = (SyncKind.REVERT, SyncKind.ASSETS)
"""They ask Tactical nothing."""
_SAYS_NOTHING = (SyncKind.PREVIEW, *_OF_WHAT_IS_STORED)
"""About the connection, however they end."""
_SYNCS: dict[SyncKind, Callable[[Integration, Tactical, RunLog], None]] = {
    SyncKind.ORGANIZATIONS: sync_organizations,
    SyncKind.DEVICES: sync_devices,
    SyncKind.PREVIEW: preview_devices,
    SyncKind.ALERTS: sync_alerts,
    SyncKind.STATUS: sync_status,
    SyncKind.SOFTWARE: sync_software,
    SyncKind.AGENTS: sync_chosen,
}


def run_to_end(kind: SyncKind, subject: str = "") -> SyncRun:
    """Run it in this process, after a running run of its kind has ended. For commands.

    A run that only waits for a worker is taken over. Raises Refused like `request_run`.
    """
    while True:
        run, _ = ask_for_run(kind, "command", subject)
        claimed = _claim(run.id)
        if claimed is not None:
            _execute(claimed)
            return get_run(run.id)
        release()
        time.sleep(POLL_SECONDS)
        revive_abandoned_runs()


def work_to_end(run_id: int) -> SyncRun:
    """The same of a run that is there: this very one, and no other after it. Whoever comes while
    another process works on it waits for that."""
    while get_run(run_id).is_active:
        claimed = _claim(run_id)
        if claimed is not None:
            _execute(claimed)
            break
        release()
        time.sleep(POLL_SECONDS)
        revive_abandoned_runs()
    return get_run(run_id)


def run_queued(run_id: int) -> None:
    """Execute the run if it still waits; a job that comes twice does nothing."""
    run = _claim(run_id)
    if run is not None:
        _execute(run)


def revive_abandoned_runs() -> list[SyncRun]:
    """Put runs back to waiting whose process fell silent, and end those that do it again."""
    with transaction() as session:
        abandoned = session.scalars(
            select(SyncRun)
            .where(
                SyncRun.status == RunStatus.RUNNING, SyncRun.heartbeat_at < utc_now() - LEASE_TIME
            )
            .with_for_update(skip_locked=True)  # another scheduler sees to it
            .execution_options(populate_existing=True)
        ).all()
        for run in abandoned:
            run.lease = None
            if run.cancel_requested_at is not None:
                run.status, run.finished_at = RunStatus.CANCELLED, utc_now()
            elif run.fencing_number >= MOST_ATTEMPTS:
                run.status, run.finished_at = RunStatus.FAILED, utc_now()
                run.error = (
                    f"The run was interrupted {run.fencing_number} times. The portal gave up."
                )
            else:
                run.status = RunStatus.QUEUED
            if not run.is_active:
                record_ended_event(session, run)
    return [run for run in abandoned if run.status is RunStatus.QUEUED]


def _claim(run_id: int) -> SyncRun | None:
    """A waiting run, now ours, as it stands for the whole run; None when another process was
    quicker."""
    now = utc_now()
    with transaction() as session:
        is_ours = changed_one(
            session,
            update(SyncRun)
            .where(SyncRun.id == run_id, SyncRun.status == RunStatus.QUEUED)
            .values(
                status=RunStatus.RUNNING,
                lease=make_lease(),
                fencing_number=SyncRun.fencing_number + 1,
                started_at=now,
                heartbeat_at=now,
                **dict.fromkeys(COUNT_NAMES, 0),
            ),
        )
        if not is_ours:
            return None
        run = session.get_one(SyncRun, run_id, populate_existing=True)
        record_started_event(session, run)
        session.expunge(run)  # or a rollback would make it be read anew
    return run


def _execute(run: SyncRun) -> None:
    """Do the claimed run's work and write how it ended. A fault of ours is raised after that."""
    run_log = RunLog(run.id, run.lease or "", Cause(run.trigger, run.id, run.requested_by))
    try:
        if run.kind in _OF_WHAT_IS_STORED:
            _change_stored(run, run_log)
        else:
            _ask_tactical(run, run_log)
    except PortalError as error:
        _end(run, run_log, error)
    except KeyboardInterrupt:
        run_log.finish(RunStatus.CANCELLED, "The command was interrupted.")
        raise
    except Exception:
        log.exception("Sync run %s of tenant %s failed.", run.id, get_tenant_id())
        run_log.finish(RunStatus.FAILED, PORTAL_FAULT)
        raise
    else:
        _end(run, run_log)


def _ask_tactical(run: SyncRun, run_log: RunLog) -> None:
    integration = db.session.get_one(Integration, run.integration_id)
    _check_still_wanted(run, integration)
    with (
        open_tactical(integration) as tactical,
        run_log.keep_alive(get_app(), tactical.session.abandon),
    ):
        db.session.expunge(integration)  # as it is now, for the whole run, like the run itself
        release()
        _sync(run, integration, tactical, run_log)
        if integration.preview_due is not None:
            _settle_preview(run, run_log)


def _change_stored(run: SyncRun, run_log: RunLog) -> None:
    """The connection may be down, or gone."""
    if run.kind is SyncKind.REVERT and was_replaced_since(db.session(), run):
        raise Refused(REPLACED)  # after it was asked for
    theirs = partial(list_theirs, run, needed_for(run))
    release()
    with run_log.keep_alive(get_app(), lambda: None):
        if run.kind is SyncKind.ASSETS:
            change_assets(run_log, AssetAction.from_subject(run.subject), theirs)
        elif run.reverts_run_id is not None:
            revert_run(run.integration_id, run_log, run.reverts_run_id, theirs)
        else:
            clearing = Clearing.from_subject(run.subject)
            remove_created(run.integration_id, run_log, clearing, theirs)


def _end(run: SyncRun, run_log: RunLog, error: PortalError | None = None) -> None:
    """Write how the run ended, and what that says about the connection; nothing when another
    process has taken the run over. What is done about alerts that it found is decided at once."""
    if run.kind is SyncKind.ALERTS:
        close_orphans()
        queue.enqueue("handle_alerts", get_tenant_id())
    if isinstance(error, RunEnded):
        run_log.finish(RunStatus.CANCELLED, error.message)
    elif error is not None:
        is_ours = run_log.finish(RunStatus.FAILED, error.message, getattr(error, "fault", None))
        is_of_record = run.kind is SyncKind.AGENT and may_be_of_record(error)
        if is_ours and not is_of_record and run.kind not in _SAYS_NOTHING:
            note_contact(run.integration_id, error)
    else:
        is_partial = run_log.warnings or run_log.counts["failed"]
        usual = (RunStatus.PARTIAL if is_partial else RunStatus.SUCCESS, None)
        if run_log.finish(*(run_log.outcome or usual)) and run.kind not in _SAYS_NOTHING:
            agents = run_log.counts["seen"] if run.kind in _OF_THE_FLEET else None
            note_contact(run.integration_id, None, agents)


def _check_still_wanted(run: SyncRun, integration: Integration) -> None:
    """The connection may have been changed, held or refused since the run was asked for."""
    try:
        check_active(integration)
    except Refused as refused:
        raise RunEnded(refused.message) from refused
    if run.trigger in ASKED_BY_PERSON:
        return
    if integration.stopped_for is not None:
        raise RunEnded(NOT_TRIED)
    if run.kind is SyncKind.DEVICES and integration.preview_due is not None:
        raise RunEnded(WAITS_FOR_PREVIEW)


def _settle_preview(run: SyncRun, run_log: RunLog) -> None:
    """A person who synced all, or what they chose of a plan, needs no preview any more. Before the
    run ends: where its process is lost, it is done again. Raises RunEnded."""
    if run_log.outcome is not None or run.trigger not in ASKED_BY_PERSON:
        return  # what was held, or only planned, waits for a decision
    if run.kind not in (SyncKind.DEVICES, SyncKind.APPLY):
        return
    with transaction() as session:
        run_log.note(session, [])  # the lease is still ours
        is_of_plan = run.kind is SyncKind.APPLY
        looked_at = find_look(session, int(run.subject)) if is_of_plan else run.started_at
        clear_preview_due(session, run.integration_id, looked_at)


def _sync(run: SyncRun, integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    if run.kind is SyncKind.AGENT:
        sync_agent(integration, tactical, run_log, run.subject)
    elif run.kind is SyncKind.APPLY:
        apply_plan(integration, tactical, run_log, int(run.subject))
    else:
        _SYNCS[run.kind](integration, tactical, run_log)
