"""The status sweep: who of the fleet is there, since when, as whom, at what addresses.

It reads `agents/`, 1.2 KB each, and touches nothing that costs Tactical more. What an asset is
made of, whose it is and whether it is still there remain the device sync's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice

from sqlalchemy import func, or_, select, update

from portal.db import db, release, transaction, utc_now
from portal.models import Asset, Integration, SyncRun
from portal.models.sync_run import RunStatus, SyncKind
from portal.parts import in_parts
from portal.sync.apply import apply_decisions, count_decisions, log_entries
from portal.sync.device_news import tell_devices
from portal.sync.left_out import list_left_out, tell_left_out
from portal.sync.load import load_assets, load_organizations
from portal.sync.plan import plan_presences
from portal.sync.run_log import RunEnded, RunLog
from portal.tactical.api import Tactical
from portal.tactical.fleet import DashboardFleet
from portal.tactical.records import AgentPresence, BadRecord
from portal.tactical.rows import read_presence
from portal.tactical.status import AgentStatus

AGENTS_AT_ONCE = 500


def sync_status(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """One look at the whole fleet. Raises TacticalError, EgressError and RunEnded.

    Everything counts as seen when the run began: what a sync that begins later has read is
    newer. One that began before would lose what it reads meanwhile, so the sweep leaves the
    field to it.
    """
    observed_at = utc_now()
    if is_device_sync_working(integration.id):
        raise RunEnded("A device sync is under way; it reads the status too.")
    run_log.set_phase("Reading the status of agents", _count_assets(integration.id))
    listed: set[str] = set()
    fleet = DashboardFleet(tactical, list_left_out(integration.id))
    with closing(fleet.stream(read_presence)) as agents:
        while batch := list(islice(agents, AGENTS_AT_ONCE)):
            listed.update(a.agent_id for a in batch if isinstance(a, AgentPresence))
            _apply(integration.id, batch, run_log, observed_at, tactical)
            release()
    if fleet.broken:
        tell_left_out(integration.id, fleet.broken, run_log)
    elif listed:  # an empty list is no evidence of anything
        _forget_status(integration.id, listed)


def is_device_sync_working(integration_id: int) -> bool:
    found = db.session.scalar(
        select(SyncRun.id).where(
            SyncRun.integration_id == integration_id,
            SyncRun.kind == SyncKind.DEVICES,
            SyncRun.status == RunStatus.RUNNING,
        )
    )
    release()
    return found is not None


def _apply(
    integration_id: int,
    agents: Sequence[AgentPresence | BadRecord],
    run_log: RunLog,
    observed_at: datetime,
    tactical: Tactical,
) -> None:
    agent_ids = [agent.agent_id for agent in agents if isinstance(agent, AgentPresence)]
    with transaction() as session:
        organizations = load_organizations(session, integration_id)
        known = load_assets(session, integration_id, agent_ids)
        skew = tactical.session.clock_skew
        decisions = plan_presences(agents, known, organizations, observed_at, skew)
        run_log.record(session, count_decisions(decisions), log_entries(decisions))
        created = apply_decisions(session, integration_id, decisions, observed_at)
        tell_devices(session, decisions, created)


def _count_assets(integration_id: int) -> int | None:
    counted = select(func.count()).where(Asset.integration_id == integration_id)
    number = db.session.scalar(counted)
    release()
    return number


def _forget_status(integration_id: int, listed: set[str]) -> None:
    """Without limits, Tactical's word is all there is of a status: old where it says none."""
    with transaction() as session:
        rows = session.execute(
            select(Asset.id, Asset.rmm_device_id).where(
                Asset.integration_id == integration_id,
                Asset.reported_status != AgentStatus.UNKNOWN,
                or_(Asset.online_until.is_(None), Asset.overdue_from.is_(None)),
            )
        )
        ids = [row[0] for row in rows if row[1] not in listed]
        for some in in_parts(ids, AGENTS_AT_ONCE):
            session.execute(
                update(Asset)
                .where(Asset.id.in_(some))
                .values(reported_status=AgentStatus.UNKNOWN)
                .execution_options(synchronize_session=False)
            )
